// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runDaemon } from '../src/support/daemon.js';
import type { Log } from '../src/support/log.js';
import { HostAgent } from './agent.js';
import type { Host } from './tuning/host.js';

/** The host agent, until SIGTERM or SIGINT. @throws VmcallError CONFIG_*, LISTEN_FAILED */
export async function runHostAgent(configuration: string, log: Log, host: Host): Promise<void> {
  // What runs a few dozen times a second is interpreted for minutes before V8 compiles it: with 50 guests that is a
  // quarter of the agent's CPU time. Its simplest compiler takes each function at once instead.
  setFlagsFromString('--always-sparkplug');
  await runDaemon(await HostAgent.create(configuration, log, host), log);
}
