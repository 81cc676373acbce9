// SPDX-License-Identifier: Apache-2.0
import type { Parts } from '../plan.js';
import { run } from './commands.js';
import type { ControlPlane } from './control-plane.js';
import type { LabDataplane } from './dataplane.js';
import type { GuestMachine } from './guest-machine.js';
import { Steps } from './steps.js';
import { TestBench } from './test-bench.js';

/** A guest that runs on its host, with an agent on each side and the dataplane ready: what most scenarios begin with. */
export interface Standing {
  bench: TestBench;
  guest: GuestMachine;
  plane: ControlPlane;
  dataplane: LabDataplane;
}

/** The same for every scenario, so that its image serves them all: nothing of a plan is known yet. */
export async function standUp(parts: Parts): Promise<Standing> {
  const steps = new Steps(2);
  const bench = await TestBench.set(parts);
  const guest = await steps.take('booting the guest', () => bench.startGuest());
  const agents = await steps.take('host agent and guest agent', () =>
    bench.startControlPlane(guest, (text) => steps.say(text)),
  );
  return { bench, guest, ...agents };
}

/** Sets the clocks of the host and, if one stands, its guest: those of a machine restored from an image stood still. */
export async function setClocks(now: number, standing: Standing | undefined): Promise<void> {
  await run('date', '-s', `@${now}`);
  const answer = await standing?.guest.supervise(`clock ${now}`);
  if (answer !== undefined && answer !== 'clock 0')
    throw new Error(`the guest's clock cannot be set: ${answer}`);
}
