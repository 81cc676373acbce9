// SPDX-License-Identifier: Apache-2.0
// The host agent as `vmcall host-agent` runs it, on a stand-in host: `host-agent-process.js CONFIG ROOT [observe]`. Its
// parent asks it for what only the process itself can say: the event loop's delay, by perf_hooks' own monitor.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { FileHost } from '../../host-agent/host/host.js';
import { SystemCommands } from '../../host-agent/host/host-commands.js';
import { runHostAgent } from '../../host-agent/run.js';
import { describeError } from '../support/errors.js';
import { createLog } from '../support/log.js';
import type { AgentFigures, FromAgent, ToAgent } from './messages.js';

const [configuration = '', root = '', observe = ''] = process.argv.slice(2);

// Node.js would look each 10 ms, and have these in each value.
const delay = monitorEventLoopDelay({ resolution: 1 });
// Its timer costs CPU time of the process that is measured.
if (observe === 'observe') delay.enable();

function figures(): AgentFigures {
  const ms = (nanoseconds: number) => nanoseconds / 1e6;
  const { user, system } = process.cpuUsage();
  return {
    eventLoopDelay: { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) },
    cpuMs: (user + system) / 1000,
    rss: process.memoryUsage.rss(),
    peakRss: process.resourceUsage().maxRSS * 1024,
  };
}

process.on('message', (message: ToAgent) => {
  if (message === 'reset') delay.reset();
  process.send?.({ figures: figures() } satisfies FromAgent);
});
process.once('disconnect', () => process.exit(0));

try {
  const host = new FileHost(root, new SystemCommands());
  await runHostAgent(configuration, createLog('host-agent'), host);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}
