// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { type Change, defaultStateFolder } from '../../host-agent/tuning/journal.js';
import type { HostSystem } from '../../host-agent/tuning/knob.js';
import { hardirqSwitch } from '../../host-agent/tuning/knobs/vfio-hardirq.js';
import { resolveTarget, type Target } from '../../host-agent/tuning/target.js';
import {
  apply,
  type KnobDifference,
  type KnobRefusal,
  knobDifferenceSchema,
  knobRefusalSchema,
  openJournal,
  planTuning,
  restore,
} from '../../host-agent/tuning/tune.js';
import { forget, type Kept, keep } from '../../host-agent/tuning/upkeep/kept.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { jsonOption, printJson } from './json-output.js';
import {
  addTargetOptions,
  pinningOption,
  requestOf,
  stateOption,
  type TargetOptions,
  thisSystem,
} from './tuning-options.js';

interface Options extends TargetOptions {
  json?: true;
  state: string;
  dryRun?: true;
  force?: true;
  connect?: string;
  keep?: boolean;
}

/** `vmcall tune plan|apply|restore`: the host's settings for a DPDK guest, each recorded before it is changed. */
export function tuneCommand(open: (uri?: string) => HostSystem = thisSystem): Command {
  const plans = addTargetOptions(new Command('plan'))
    .description('show what is not as it should be, and why it should')
    .addOption(jsonOption())
    .action((domain: string | undefined, options: Options) =>
      showPlan(open(options.connect), domain, options),
    );
  const applies = addTargetOptions(new Command('apply'))
    .description('set what is not as it should be; again changes nothing more')
    .option('--dry-run', 'only show it, as plan does')
    .option(
      '--no-keep',
      'until the next restart of guest, program or host alone: the host agent does not keep it',
    )
    .addOption(jsonOption())
    .addOption(stateOption())
    .action((domain: string | undefined, options: Options) =>
      options.dryRun
        ? showPlan(open(options.connect), domain, options)
        : applyPlan(open(options.connect), domain, options),
    );
  const restores = new Command('restore')
    .description('set back exactly what apply changed')
    .option('--force', 'also where someone else has changed it since')
    .addOption(jsonOption())
    .addOption(stateOption())
    .action((options: Options) => restoreAll(open(options.connect), options));
  const tune = new Command('tune');
  for (const command of [plans, applies, restores])
    tune.addCommand(command.addOption(pinningOption()).exitOverride());
  return tune;
}

async function targetOf(system: HostSystem, domain: string | undefined, options: Options): Promise<Target> {
  if (domain === undefined && options.cpu === undefined)
    throw new VmcallError(
      'USAGE',
      'what shall be tuned?',
      'Name a domain; or say --cpu (and --nic) for a DPDK program on the host itself.',
      exitCodes.usage,
    );
  return resolveTarget(system.host, await requestOf(system, domain, options));
}

async function showPlan(system: HostSystem, domain: string | undefined, options: Options): Promise<void> {
  const target = await targetOf(system, domain, options);
  const differences = planTuning(system, target).map((difference) => knobDifferenceSchema.parse(difference));
  if (options.json) {
    printJson({ format: 'vmcall-tune-plan', version: 1, differences, undecided: target.undecided });
    return;
  }
  process.stdout.write(differences.length > 0 ? differenceLines(differences) : 'Nothing to change.\n');
  warnUndecided(target);
}

async function applyPlan(system: HostSystem, domain: string | undefined, options: Options): Promise<void> {
  const target = await targetOf(system, domain, options);
  const differences = planTuning(system, target);
  const isKept = options.keep !== false && target.undecided.length === 0;
  // First: a host agent that finds the non-threaded handler on is to know why.
  if (isKept) keep(options.state, wishKept(system, target, options));
  const journal = openJournal(system.host, options.state, patience);
  const outcome = await apply(system, journal, differences).finally(() => journal.close());
  const failed = outcome.failed.map((refusal) => knobRefusalSchema.parse(refusal));
  if (failed.length > 0 || target.undecided.length > 0) process.exitCode = exitCodes.failed;
  if (options.json) {
    const { changed } = outcome;
    const { undecided } = target;
    printJson({ format: 'vmcall-tune-apply', version: 1, changed, failed, undecided, kept: isKept });
    return;
  }
  process.stdout.write(outcome.changed.length > 0 ? differenceLines(outcome.changed) : 'Nothing changed.\n');
  process.stderr.write(refusalLines(failed));
  warnUndecided(target);
  if (isKept && outcome.changed.length > 0) process.stderr.write(keptLine(options.state));
}

/** The host agent holds the record for as long as it sets something. s */
const patience = 10;

function wishKept(system: HostSystem, { facts, cpus }: Target, options: Options): Kept {
  return {
    format: 'vmcall-tuning-kept',
    version: 1,
    made: new Date().toISOString(),
    domain: facts && { name: facts.name, uuid: facts.uuid },
    connect: options.connect ?? null,
    pins: [...(options.pin ?? [])],
    nics: [...(options.nic ?? [])].map(([address, of]) => [address, of && [...of]]),
    cpus: facts ? [] : [...cpus],
    max_exit_latency_us: options.maxExitLatency ?? null,
    hardirq: facts !== null && hardirqSwitch(system.host, facts.pid) !== null,
  };
}

const keptLine = (state: string) =>
  state === defaultStateFolder
    ? 'Kept: a running host agent reapplies it after a restart of guest, DPDK or host, until vmcall tune restore.\n'
    : `Kept: a host agent with tuning.state = "${state}" reapplies it after a restart of guest, DPDK or host, until vmcall tune restore.\n`;

async function restoreAll(system: HostSystem, options: Options): Promise<void> {
  // First, or a host agent would reapply what is restored.
  forget(options.state);
  const journal = openJournal(system.host, options.state, patience);
  const outcome = await restore(system, journal, options.force === true).finally(() => journal.close());
  const { damaged } = journal;
  if (outcome.refused.length > 0 || damaged.length > 0) process.exitCode = exitCodes.failed;
  if (options.json) {
    printJson({ format: 'vmcall-tune-restore', version: 1, ...outcome, damaged });
    return;
  }
  process.stdout.write(outcome.restored.length > 0 ? restoredLines(outcome.restored) : 'Nothing restored.\n');
  process.stderr.write(refusalLines(outcome.refused));
  if (damaged.length > 0)
    process.stderr.write(`TUNING_RECORD_DAMAGED: lines ${damaged.join(', ')} of the record cannot be read\n`);
}

/** Why and source once a knob: its differences follow one another. */
const differenceLines = (differences: readonly KnobDifference[]) =>
  differences
    .map(({ knob, place, now, wanted, why, source }, at) => {
      const change = `${knob}  ${place}: ${now} -> ${wanted}\n`;
      return differences[at + 1]?.knob === knob ? change : `${change}    ${why}\n    (${source})\n`;
    })
    .join('');

const restoredLines = (changes: readonly Change[]) =>
  changes.map(({ knob, place, before, after }) => `${knob}  ${place}: ${after} -> ${before}\n`).join('');

const refusalLines = (refusals: readonly KnobRefusal[]) =>
  refusals
    .map(({ knob, place, code, what, todo }) => `${code}: ${knob} ${place}: ${what}\n  ${todo}\n`)
    .join('');

function warnUndecided({ undecided }: Target): void {
  for (const { code, what, todo } of undecided) process.stderr.write(`${code}: ${what}\n  ${todo}\n`);
}
