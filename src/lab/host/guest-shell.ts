// SPDX-License-Identifier: Apache-2.0
import type { GuestMachine } from './guest-machine.js';

/** What a command of the guest's shell prints, its lines joined. */
export async function shell(guest: GuestMachine, command: string): Promise<string> {
  const answer = await guest.supervise(`sh ${command}`);
  return answer.replace(/^sh ?/, '').replaceAll(';', '').trim();
}
