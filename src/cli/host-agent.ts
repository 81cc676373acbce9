// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { hostConfigurationFile } from '../../host-agent/configuration.js';
import { FileHost } from '../../host-agent/host/host.js';
import { SystemCommands } from '../../host-agent/host/host-commands.js';
import { runHostAgent } from '../../host-agent/run.js';
import { TuningKeeper } from '../../host-agent/tuning/upkeep/keeper.js';
import { createLog } from '../support/log.js';

/** `vmcall host-agent`: the daemon on the host. */
export function hostAgentCommand(): Command {
  return new Command('host-agent')
    .option('--config <file>', 'configuration', hostConfigurationFile)
    .action(async ({ config }: { config: string }) => {
      const host = new FileHost('/', new SystemCommands());
      const log = createLog('host-agent');
      await runHostAgent(config, log, host, (options) => new TuningKeeper({ ...options, host, log }));
    });
}
