// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runDaemon } from '../src/support/daemon.js';
import type { Log } from '../src/support/log.js';
import { HostAgent } from './agent.js';
import type { Host } from './host/host.js';

/**
 * What Node.js itself must be told when it starts, as the unit file does (NODE_OPTIONS): MiB of the young generation. With
 * V8's usual 16 a thousand guests' reports cost more CPU time and memory, and each pause is longer.
 */
export const nodeOptions = ['--max-semi-space-size=4'];

/** The host agent, until SIGTERM or SIGINT. @throws VmcallError CONFIG_*, LISTEN_FAILED */
export async function runHostAgent(configuration: string, log: Log, host: Host): Promise<void> {
  // What runs a few dozen times a second is interpreted for minutes before V8 compiles it: with 50 guests that is a
  // fifth of the agent's CPU time. Its simplest compiler takes each function at once instead.
  setFlagsFromString('--always-sparkplug');
  // The heap may grow by so much until it is collected again; V8 would let it fourfold: with 1,000 guests by 100 MB.
  setFlagsFromString('--heap-growing-percent=50');
  await runDaemon(await HostAgent.create(configuration, log, host), log);
}
