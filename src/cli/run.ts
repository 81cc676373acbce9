// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { FileHost } from '../../host-agent/host/host.js';
import { SystemCommands } from '../../host-agent/host/host-commands.js';
import { qemuVms } from '../../host-agent/host/qemu-process.js';
import type { ControlClient } from '../control/client.js';
import type { DomainStatus } from '../control/schema.js';
import { EnergyMeter } from '../energy/meter.js';
import { runDocument, whyNone } from '../measurement/document.js';
import { type MeasuredRound, measureRound } from '../measurement/round.js';
import { runText } from '../measurement/text.js';
import { desiredPathSchema, type Path } from '../protocol/fields.js';
import type { Energy } from '../results/energy.js';
import { saveResult } from '../results/save.js';
import type { Partial, Result } from '../results/schema.js';
import { describeError, exitCodes, VmcallError } from '../support/errors.js';
import { resultsRoot } from '../support/paths.js';
import { type Progress, stderrProgress } from '../support/progress.js';
import { type AgentOptions, connectOption, findDomain, openAgent, socketOption } from './domains.js';
import { jsonOption } from './json-output.js';
import { waitFor } from './reached.js';
import { exitCodeOf, stopBySignal } from './stop-by-signal.js';
import { whole } from './whole.js';

interface Options extends AgentOptions {
  paths?: Measurable[];
  seconds: number;
  rounds: number;
  output: string;
  json?: true;
}

const intervalMs = 1000;
/** Polling wakes nobody. */
const measurable = desiredPathSchema.extract(['injected', 'pv-kick', 'vmcall']);
type Measurable = z.infer<typeof measurable>;

function pathList(text: string): Measurable[] {
  const paths = text.split(',').map((word) => measurable.safeParse(word).data);
  const known = paths.filter((path) => path !== undefined);
  if (known.length < paths.length || new Set(known).size < known.length)
    throw new InvalidArgumentError('wanted injected, pv-kick, vmcall, or some of them with commas.');
  return known;
}

/** `vmcall run`: a domain's wake latency through the live host agent, on its path or on several in turn. */
export function runCommand(): Command {
  return new Command('run')
    .argument('<domain>', 'name, id or UUID')
    .option(
      '--paths <list>',
      'injected, pv-kick, vmcall, or some with commas: switched in turn, and back at the end',
      pathList,
    )
    .option('--seconds <number>', 'each measurement lasts so long, 1 to 86400', whole(1, 86_400), 10)
    .option(
      '--rounds <number>',
      'each path is measured so often, 1 to 1000; below 10 compare judges nothing',
      whole(1, 1000),
      10,
    )
    .option('--output <folder>', 'where the folder of the result is made', resultsRoot)
    .addOption(jsonOption())
    .addOption(socketOption())
    .addOption(connectOption())
    .addHelpText(
      'after',
      '\nWithout --paths nothing is switched. Ctrl-C ends it and keeps what was measured.',
    )
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const progress = stderrProgress();
  const { client, status } = await openAgent(options);
  const domain = findDomain(status, name);
  const stop = stopBySignal(progress);
  const made = new Date().toISOString();
  const { energy, ...measured } = await measureAll(client, domain, options, stop, progress);
  const { rounds, why, done, notPutBack } = measured;
  if (notPutBack) process.stderr.write(`${describeError(notPutBack)}\n`);
  const paths: Path[] = options.paths ?? [...new Set(rounds.map(({ path }) => path))];
  const partial = partialOf(rounds, paths, why, done);
  const ended = why !== undefined && stop.by();
  if (ended && rounds.length === 0)
    throw new VmcallError(
      'INTERRUPTED',
      `ended by ${ended} before anything was measured`,
      `Nothing of ${domain.name} was kept`,
      exitCodeOf(ended),
    );
  if (rounds.length === 0)
    throw new VmcallError(
      'MEASUREMENT_FAILED',
      `${domain.name}: nothing was measured: ${partial?.why ?? 'no report came'}`,
      'See vmcall status, and the log of the host agent and the guest agent',
    );
  const health = domain.guest?.health;
  const result = runDocument(rounds, {
    made,
    clock: clockOfHost(),
    paths,
    idleThresholdUs: health?.idle_threshold_us ?? null,
    energy,
    ...(partial && { partial }),
    platform: {
      domain: domain.name,
      uuid: domain.uuid,
      libvirt: status.libvirt.uri,
      hostKernel: release(),
      hostCpu: cpus()[0]?.model ?? 'unknown',
      guestAgent: domain.guest?.agent ?? 'unknown',
      dataplane: health?.version ?? 'unknown',
    },
    repeat: `vmcall run ${domain.uuid} --paths ${paths.join(',')} --seconds ${options.seconds} --rounds ${options.rounds}`,
  });
  const document = `${JSON.stringify(result, null, 2)}\n`;
  const folder = join(options.output, `${made.replaceAll(/[:.]/g, '-')}-${process.pid}`);
  const file = join(folder, 'result.json');
  await saveResult(file, document, (text) => process.stdout.write(text));
  process.stdout.write(options.json ? document : `${runText(result)}\nThe result document: ${file}\n`);
  if (partial) process.exitCode = ended ? exitCodeOf(ended) : exitCodes.failed;
  else if (notPutBack) process.exitCode = exitCodes.failed;
}

interface Outcome {
  rounds: MeasuredRound[];
  why: string | undefined;
  done: number;
  notPutBack: VmcallError | undefined;
  energy: Energy | { absent: string };
}

/** How long the host is watched before and after, at most. s */
const idleS = 5;

/** What the dataplane received in a round. */
function packetsOf({ round }: { round: MeasuredRound | undefined }) {
  return round ? { of: round.path, packets: round.measured.counters.rx ?? null } : null;
}

/** MeasuredRound by round, path by path. @returns what was measured, and why it is not all if it is not */
async function measureAll(
  client: ControlClient,
  { uuid, name }: DomainStatus,
  { paths, seconds, rounds: count }: Options,
  stop: ReturnType<typeof stopBySignal>,
  progress: Progress,
): Promise<Outcome> {
  const { signal } = stop;
  const host = new FileHost('/', new SystemCommands());
  const pid = qemuVms(host).find((vm) => vm.uuid === uuid)?.pid ?? null;
  const power = EnergyMeter.open(host, pid);
  const meter = 'meter' in power ? power.meter : undefined;
  const idleMs = Math.min(idleS, seconds) * 1000;
  // Before anything is touched: two that switched or measured at once would each distort the other's figures.
  const lease = await client.lease([uuid], 'run');
  const rounds: MeasuredRound[] = [];
  const turns = Array.from({ length: count }, () => paths ?? [undefined]).flat();
  let why: string | undefined;
  let done = 0;
  if (meter) progress.step(`what the host consumes before, for ${idleMs / 1000} s`);
  await meter?.before(idleMs, signal);
  try {
    for (const [turn, path] of turns.entries()) {
      if (why !== undefined) break;
      if (signal.aborted) why = 'it was interrupted';
      else {
        progress.step(`${name}${path ? ` on ${path}` : ''}: measuring for ${seconds} s`);
        if (path) {
          await client.desire(uuid, path, lease);
          await waitFor(client, uuid, path);
        }
        const order = { domains: [uuid], lease, seconds, interval_ms: intervalMs };
        const take = () =>
          measureRound(client, order, signal, ({ atS, lengthS, p50, max }) => {
            const left = `p50 ${p50 / 1000} us, max ${max / 1000} us in this second`;
            done = (turn + Math.min(1, (atS + lengthS) / seconds)) / turns.length;
            progress.advance(done, left);
          });
        const measured = await (meter?.during(take, packetsOf) ?? take());
        if (measured.round) rounds.push(measured.round);
        why = measured.why;
        if (why === undefined) done = (turn + 1) / turns.length;
      }
    }
  } catch (error) {
    why = (error as Error).message;
  }
  const by = stop.by();
  const notPutBack = await putBack();
  if (!signal.aborted) await meter?.after(idleMs, signal);
  const energy = 'meter' in power ? power.meter.energy : power;
  return { rounds, why: why && by ? `ended by ${by}` : why, done, notPutBack, energy };

  /** The agent does it, as it would if this process were killed. */
  async function putBack(): Promise<VmcallError | undefined> {
    try {
      await client.release(lease);
      return undefined;
    } catch (error) {
      if (!(error instanceof VmcallError)) throw error;
      // Without --paths there is nothing to restore.
      if (!paths || error.code === 'NOT_PUT_BACK') return paths && error;
      return new VmcallError(
        'NOT_PUT_BACK',
        `${name} is as this run left it: ${error.message}`,
        'The host agent restores it when it runs again: systemctl start vmcall-host-agent',
      );
    }
  }
}

/** Why it is not whole, if it is not: it ended before, or there is nothing in it. */
function partialOf(
  rounds: readonly MeasuredRound[],
  paths: readonly Path[],
  why: string | undefined,
  done: number,
): Partial | undefined {
  if (why !== undefined) return { why: why.slice(0, 1000), done };
  const [path] = paths;
  if (path === undefined || rounds.some(({ measured }) => measured.total.count > 0)) return undefined;
  return { why: `no wake was timed on ${paths.join(', ')}: ${whyNone(rounds, path)}`.slice(0, 1000), done };
}

/** A hypervisor announces itself in CPUID (linux: X86_FEATURE_HYPERVISOR). */
function clockOfHost(): Result['clock'] {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return flags.split(' ').includes('hypervisor') ? 'nested-hardware' : 'bare-metal';
  } catch {
    return 'unknown';
  }
}
