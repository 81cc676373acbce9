// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { GuestAgent } from '../../guest-agent/agent.js';
import { guestConfigurationFile } from '../../guest-agent/configuration.js';
import { runDaemon } from '../support/daemon.js';
import { createLog } from '../support/log.js';

/** `vmcall guest-agent`: the daemon in the VM. */
export function guestAgentCommand(): Command {
  return new Command('guest-agent')
    .option('--config <file>', 'configuration, as vmcall enroll prints it', guestConfigurationFile)
    .action(async ({ config }: { config: string }) => {
      const log = createLog('guest-agent');
      await runDaemon(await GuestAgent.create(config, log), log);
    });
}
