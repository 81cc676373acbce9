// SPDX-License-Identifier: Apache-2.0
// Runs inside L1, the host under test, as its only job: takes L0's orders, runs the scenario, reports to L0.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockdepRuns } from '../lockdep.js';
import type { Plan } from '../plan.js';
import { beforeAfter, beforeAfterStepCount } from './before-after.js';
import { compare, stepCount } from './compare.js';
import { costs, costsStepCount } from './costs.js';
import { density, densityStepCount } from './density.js';
import { driver, driverStepCount } from './driver.js';
import { driverPower, driverPowerStepCount } from './driver-power.js';
import { emit } from './events.js';
import { faults, faultsStepCount } from './faults.js';
import { hotPlug, hotPlugStepCount } from './hot-plug.js';
import { kernelLog } from './kernel-log.js';
import { liveMeasurement, liveMeasurementStepCount } from './live-measurement.js';
import { lockedDown, lockedDownStepCount } from './locked-down.js';
import { lostWakeups, lostWakeupsStepCount } from './lost-wakeups.js';
import { modes, modesStepCount } from './modes.js';
import { openOrders } from './orders.js';
import { platformFacts } from './platform.js';
import { startPulse } from './pulse.js';
import { selftests } from './selftests.js';
import { type Standing, setClocks, standUp } from './standing.js';
import { Steps } from './steps.js';
import { switchUnderLoad, switchUnderLoadStepCount } from './switch-under-load.js';
import { tuneByCommand, tuneByCommandStepCount } from './tune-by-command.js';
import { upstreamSelftests } from './upstream-selftests.js';

const folder = '/run/lab';
const logCharacters = 20_000;

const kernelLogLinesKept = 500;

async function main(): Promise<void> {
  const pulses = startPulse();
  const waitAt = openOrders();
  let order = await waitAt('begun');
  let standing: Standing | undefined;
  if (order.order === 'stand-up') {
    standing = await standUp(order.parts);
    order = await waitAt('standing');
  }
  if (order.order !== 'run') throw new Error(`wanted the order to run, not ${order.order}`);
  const { plan, now } = order;
  await setClocks(now, standing);
  standing?.bench.follow(plan);
  emit({ type: 'platform', facts: await platformFacts() });
  await (standing ? runStanding(plan, standing) : runScenario(plan));
  emit({ type: 'kernel-log', lines: (await kernelLog()).slice(-kernelLogLinesKept), lockdep: lockdepRuns() });
  if (pulses) emit({ type: 'pulses', count: pulses() });
  emit({ type: 'done' });
}

/** Scenarios that begin with a guest and its agents. */
async function runStanding(plan: Plan, standing: Standing): Promise<void> {
  switch (plan.scenario) {
    case 'compare':
      return compare(plan, new Steps(stepCount(plan)), standing);
    case 'switch-under-load':
      return switchUnderLoad(plan, new Steps(switchUnderLoadStepCount), standing);
    case 'live-measurement':
      return liveMeasurement(new Steps(liveMeasurementStepCount), standing);
    case 'faults':
      return faults(plan, new Steps(faultsStepCount(plan)), standing);
    default:
      throw new Error(`scenario ${plan.scenario} makes its guests itself`);
  }
}

/** Those that make what they need themselves. */
async function runScenario(plan: Plan): Promise<void> {
  switch (plan.scenario) {
    case 'lost-wakeups':
      return lostWakeups(plan, new Steps(lostWakeupsStepCount(plan)));
    case 'selftests':
      return selftests(plan, new Steps(plan.testPrograms?.length ?? 0));
    case 'upstream-selftests':
      return upstreamSelftests(plan, new Steps(plan.testPrograms?.length ?? 0));
    case 'before-after':
      return beforeAfter(plan, new Steps(beforeAfterStepCount()));
    case 'density':
      return density(plan, new Steps(densityStepCount(plan)));
    case 'modes':
      return modes(plan, new Steps(modesStepCount(plan)));
    case 'tune':
      return tuneByCommand(plan, new Steps(tuneByCommandStepCount));
    case 'hot-plug':
      return hotPlug(new Steps(hotPlugStepCount));
    case 'driver':
      return driver(plan, new Steps(driverStepCount));
    case 'driver-power':
      return driverPower(plan, new Steps(driverPowerStepCount));
    case 'locked-down':
      return lockedDown(plan, new Steps(lockedDownStepCount));
    case 'costs':
      return costs(plan, new Steps(costsStepCount));
    default:
      throw new Error(`scenario ${plan.scenario} begins with a guest that stands`);
  }
}

/** On the host's console, for L0 ends the machine as soon as it hears of the failure. */
function showLogs(): void {
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.log')))
    process.stderr.write(`--- ${name}\n${readFileSync(join(folder, name), 'utf8').slice(-logCharacters)}`);
}

main().then(
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
