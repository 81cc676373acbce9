// SPDX-License-Identifier: Apache-2.0
// Runs inside L1, the host under test, as its only job: reads the plan, runs the scenario, tells L0.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planSchema } from '../plan.js';
import { beforeAfter, beforeAfterStepCount } from './before-after.js';
import { compare, stepCount } from './compare.js';
import { costs, costsStepCount } from './costs.js';
import { density, densityStepCount } from './density.js';
import { driver, driverStepCount } from './driver.js';
import { emit } from './events.js';
import { faults, faultsStepCount } from './faults.js';
import { hotPlug, hotPlugStepCount } from './hot-plug.js';
import { kernelLog, lockdepRuns } from './kernel-log.js';
import { liveMeasurement, liveMeasurementStepCount } from './live-measurement.js';
import { lockedDown, lockedDownStepCount } from './locked-down.js';
import { lostWakeups, lostWakeupsStepCount } from './lost-wakeups.js';
import { modes, modesStepCount } from './modes.js';
import { platformFacts } from './platform.js';
import { startPulse } from './pulse.js';
import { selftests } from './selftests.js';
import { Steps } from './steps.js';
import { switchUnderLoad, switchUnderLoadStepCount } from './switch-under-load.js';
import { tuneByCommand, tuneByCommandStepCount } from './tune-by-command.js';
import { upstreamSelftests } from './upstream-selftests.js';

const folder = '/run/lab';
const logCharacters = 20_000;

const kernelLogLinesKept = 500;

async function main(planFile: string): Promise<void> {
  const plan = planSchema.parse(JSON.parse(readFileSync(planFile, 'utf8')));
  const pulses = startPulse();
  emit({ type: 'platform', facts: await platformFacts() });
  switch (plan.scenario) {
    case 'compare':
      await compare(plan, new Steps(stepCount(plan)));
      break;
    case 'lost-wakeups':
      await lostWakeups(plan, new Steps(lostWakeupsStepCount(plan)));
      break;
    case 'selftests':
      await selftests(plan, new Steps(plan.testPrograms?.length ?? 0));
      break;
    case 'upstream-selftests':
      await upstreamSelftests(plan, new Steps(plan.testPrograms?.length ?? 0));
      break;
    case 'switch-under-load':
      await switchUnderLoad(plan, new Steps(switchUnderLoadStepCount));
      break;
    case 'before-after':
      await beforeAfter(plan, new Steps(beforeAfterStepCount()));
      break;
    case 'density':
      await density(plan, new Steps(densityStepCount(plan)));
      break;
    case 'modes':
      await modes(plan, new Steps(modesStepCount(plan)));
      break;
    case 'tune':
      await tuneByCommand(plan, new Steps(tuneByCommandStepCount));
      break;
    case 'live-measurement':
      await liveMeasurement(plan, new Steps(liveMeasurementStepCount));
      break;
    case 'faults':
      await faults(plan, new Steps(faultsStepCount(plan)));
      break;
    case 'hot-plug':
      await hotPlug(new Steps(hotPlugStepCount));
      break;
    case 'driver':
      await driver(plan, new Steps(driverStepCount));
      break;
    case 'locked-down':
      await lockedDown(plan, new Steps(lockedDownStepCount));
      break;
    case 'costs':
      await costs(plan, new Steps(costsStepCount));
      break;
  }
  emit({ type: 'kernel-log', lines: (await kernelLog()).slice(-kernelLogLinesKept), lockdep: lockdepRuns() });
  if (pulses) emit({ type: 'pulses', count: pulses() });
  emit({ type: 'done' });
}

/** On the host's console, for L0 ends the machine as soon as it hears of the failure. */
function showLogs(): void {
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.log')))
    process.stderr.write(`--- ${name}\n${readFileSync(join(folder, name), 'utf8').slice(-logCharacters)}`);
}

main(process.argv[2] ?? '').then(
  () => process.exit(0),
  (error: unknown) => {
    const chain: string[] = [];
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      chain.push(cause.stack ?? cause.message);
    showLogs();
    emit({ type: 'failed', message: chain.join('\ncaused by ') || String(error) });
    process.exit(1);
  },
);
