// SPDX-License-Identifier: Apache-2.0
import { runDaemon } from '../src/support/daemon.js';
import type { Log } from '../src/support/log.js';
import { HostAgent } from './agent.js';
import type { Host } from './host/host.js';
import type { NewUpkeep } from './upkeep.js';

/** The host agent, until SIGTERM or SIGINT. @throws VmcallError CONFIG_* */
export async function runHostAgent(
  configuration: string,
  log: Log,
  host: Host,
  newUpkeep?: NewUpkeep,
): Promise<void> {
  await runDaemon(await HostAgent.create(configuration, log, host, newUpkeep), log);
}
