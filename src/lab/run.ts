// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Artifacts } from '../setup/artifacts.js';
import { cpuTimeOf } from '../support/cpu-time.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { cacheRoot } from '../support/paths.js';
import type { Progress } from '../support/progress.js';
import { TimedStep } from '../support/timed-step.js';
import { type LabEvent, labEventSchema } from './events.js';
import { kernelDefect, unexpectedLines } from './kernel-log.js';
import { type Clock, instructionClockTscKhz, machineArguments } from './machine.js';
import { type Plan, smallGuest } from './plan.js';
import { tscKhz } from './tsc.js';
import { Watchdog } from './watchdog.js';

/** Memory of L1 beside huge pages, and huge pages of 2 MiB: for one guest and the native program, or many guests. */
const roomMiB = 3176;
const hugePagesOfOne = 460;
const hugePagesEach = (smallGuest.memoryMiB + 8) / 2;
const maximumRetries = 2;
/** How much longer a host takes that checks itself: see withDebugKernel. */
const debugKernelPatience = 5;
const observeEvery = 500;
/** See host/pulse.ts, ms. */
const pulseEvery = 1000;

/** An attempt that did not reach its end, and where its consoles are. */
export interface FailedAttempt {
  why: string;
  folder: string;
}

export interface LabRun {
  clock: Clock;
  events: LabEvent[];
  /** Share of its steps that were done when it ended: 1 unless it was ended by the request's signal. */
  done: number;
  /** L0's own words for QEMU, so that the run can be repeated. */
  qemu: string[];
  failures: FailedAttempt[];
}

/** What a plan has from the builds and the run itself, not from who asks for a scenario. */
type LabParts = Pick<
  Plan,
  | 'run'
  | 'kernel'
  | 'programs'
  | 'guestInitramfs'
  | 'dataplane'
  | 'generator'
  | 'tscKhz'
  | 'turns'
  | 'stock'
  | 'selftests'
  | 'costs'
>;

export interface LabRequest {
  artifacts: Artifacts;
  clock: Clock;
  /** Where consoles, events and the plan are kept, one folder an attempt. */
  folder: string;
  scenario: Omit<Plan, keyof LabParts>;
  /** See `machine.ts`; true unless said. */
  tickless?: boolean;
  progress: Progress;
  /** Gets each event as it comes, also those of an attempt that fails later. */
  onEvent?: (event: LabEvent) => void;
  /** How often a failed attempt is made again; twice unless said. */
  retries?: number;
  /** Ends the run, which then has what was measured until then. */
  signal?: AbortSignal;
}

/** Runs a scenario in a fresh L1; starts again, at most twice unless said otherwise, and says so, if the emulation dies under it. */
export async function runLab(request: LabRequest): Promise<LabRun> {
  const failures: FailedAttempt[] = [];
  for (;;) {
    const folder = join(request.folder, `attempt-${failures.length + 1}`);
    try {
      const { events, done, qemu } = await attempt(request, folder);
      return { clock: request.clock, events, done, qemu, failures };
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error;
      failures.push({ why: error.message, folder });
      request.progress.step(`attempt ${failures.length} failed: ${error.message}`);
      if (failures.length > (request.retries ?? maximumRetries))
        throw new VmcallError(
          'LAB_FAILED',
          `the lab failed ${failures.length} times; the last time: ${error.message}`,
          `The consoles are in ${request.folder}`,
          exitCodes.failed,
        );
    }
  }
}

class AttemptFailed extends Error {}

type Observed = Pick<LabRun, 'events' | 'done'>;

async function attempt(request: LabRequest, run: string): Promise<Observed & Pick<LabRun, 'qemu'>> {
  const { artifacts, clock, scenario } = request;
  await mkdir(run, { recursive: true });
  const plan: Plan = {
    ...scenario,
    run,
    kernel: artifacts.kernel.vmlinuz,
    guestInitramfs: artifacts.guestInitramfs,
    dataplane: artifacts.dataplane,
    generator: artifacts.generator,
    programs: artifacts.programs,
    tscKhz: clock === 'instruction' ? instructionClockTscKhz : tscKhz(),
    turns: artifacts.turns,
    stock: artifacts.stock,
    selftests: artifacts.selftests,
    costs: artifacts.costs,
  };
  await writeFile(join(run, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
  await writeFile(join(run, 'start.sh'), startScript(run, artifacts.programs));
  const qemu = [
    'qemu-system-x86_64',
    ...machineArguments({
      clock,
      kernel: artifacts.hostKernel,
      initramfs: artifacts.hostInitramfs,
      run,
      start: join(run, 'start.sh'),
      startOneCpu: artifacts.turns !== undefined,
      tickless: request.tickless ?? true,
      tscKhz: plan.tscKhz,
      ...equipment(scenario),
    }),
  ];
  const boot = await TimedStep.begin(request.progress, {
    key: `boot-${artifacts.kernel.series}`,
    text: 'booting the emulated host',
    usual: 30,
  });
  const log = await open(join(run, 'qemu.log'), 'w');
  // The kernel ends QEMU with us, whatever way we end.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...qemu], { stdio: ['pipe', log.fd, log.fd] });
  // QEMU may end, or never read it.
  child.stdin?.on('error', () => {});
  const pulse = clock === 'realtime' ? setInterval(() => child.stdin?.write('\n'), pulseEvery) : undefined;
  try {
    return { ...(await observe(child, run, request, boot)), qemu };
  } finally {
    clearInterval(pulse);
    boot.cancel();
    child.kill('SIGKILL');
    await log.close();
  }
}

/** What L1 must have: for one guest of the usual size, or for many small ones. */
function equipment({ scenario, guests }: LabRequest['scenario']) {
  const dpdkNics = Math.max(1, ...(guests ?? []));
  const hugePages = guests ? hugePagesEach * dpdkNics : hugePagesOfOne;
  const closePackets = scenario === 'density' || scenario === 'before-after';
  const senderNic = closePackets ? ('e1000,mitigation=off' as const) : ('e1000e' as const);
  const testDevice = scenario === 'selftests';
  return { dpdkNics, senderNic, testDevice, hugePages, memoryMiB: roomMiB + 2 * hugePages };
}

function startScript(run: string, programs: string): string {
  return [
    '# Written by the lab: what L1 runs once its root is mounted.',
    'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/lab TMPDIR=/run/lab',
    // The libvirt addon is there.
    `export XDG_CACHE_HOME='${dirname(cacheRoot)}'`,
    `'${process.execPath}' '${join(programs, 'lab-host.js')}' '${join(run, 'plan.json')}'`,
    'busybox cat /run/lab/*.log',
    'busybox poweroff -f',
    '',
  ].join('\n');
}

/** Follows a running L1 to its end: hands out events, feeds the watchdog. */
async function observe(
  child: ChildProcess,
  run: string,
  request: LabRequest,
  boot: TimedStep,
): Promise<Observed> {
  const { kernel, hostKernel } = request.artifacts;
  const watchdog = new Watchdog(hostKernel === kernel.vmlinuz ? 1 : debugKernelPatience);
  const events: LabEvent[] = [];
  const started = Date.now();
  const readEvents = follow(join(run, 'events.jsonl'));
  const consoles = ['host-console.log', 'guest-console.log'].map((name) => follow(join(run, name)));
  let output = 0;
  let partial = '';
  let done = 0;
  let ended = false;
  let spawnError: Error | undefined;
  let isUp = false;
  child.once('error', (error) => {
    spawnError = error;
  });
  child.once('exit', () => {
    ended = true;
  });
  for (;;) {
    const last = ended;
    const fresh = await readEvents();
    const console = (await Promise.all(consoles.map((read) => read()))).join('');
    output += fresh.length + console.length;
    const lines = (partial + fresh).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) {
      const event = labEventSchema.parse(JSON.parse(line));
      events.push(event);
      request.onEvent?.(event);
      if (!isUp) {
        isUp = true;
        await boot.end();
        request.progress.step('measuring');
      }
      if (event.type === 'step') {
        done = event.fraction;
        request.progress.advance(done, event.text);
      }
      if (event.type === 'kernel-log') judgeKernelLog(event.lines, run, request.progress);
      if (event.type === 'failed') throw new AttemptFailed(event.message);
      if (event.type === 'done') {
        request.progress.advance(1, 'measured');
        return { events, done: 1 };
      }
    }
    // Before anything else is held against QEMU: what ends us by the terminal ends it too.
    if (request.signal?.aborted) return { events, done };
    if (spawnError) throw spawnError;
    // What its kernel died of says more than that QEMU ended.
    const cpuSeconds = cpuSecondsOf(child);
    const why = watchdog.judge({ cpuSeconds, realSeconds: (Date.now() - started) / 1000, output, console });
    if (why) throw new AttemptFailed(why);
    if (last)
      throw new AttemptFailed(
        `QEMU ended early: ${(await readFile(join(run, 'qemu.log'), 'utf8')).trim().slice(-300)}`,
      );
    await delay(observeEvery, undefined, request.signal && { signal: request.signal }).catch(() => {});
  }
}

/** What L1's kernel warned of: nothing is measured on one that found itself wrong. */
function judgeKernelLog(lines: readonly string[], run: string, progress: Progress): void {
  const unexpected = unexpectedLines(lines);
  const defect = unexpected.findIndex((line) => kernelDefect.test(line));
  if (defect >= 0)
    throw new VmcallError(
      'LAB_KERNEL_DEFECT',
      `the emulated host's kernel says: ${unexpected.slice(Math.max(0, defect - 1), defect + 2).join(' | ')}`,
      `See all of it in ${join(run, 'events.jsonl')}, at "kernel-log"`,
      exitCodes.failed,
    );
  for (const line of unexpected) progress.step(`the emulated host's kernel warns: ${line}`);
}

/** Reads what was added to a file since the last call. */
function follow(path: string): () => Promise<string> {
  let offset = 0;
  return async () => {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size <= offset) return '';
    const file = await open(path);
    try {
      const buffer = Buffer.alloc(size - offset);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      offset += bytesRead;
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  };
}

/** CPU time of what may have ended, s. */
function cpuSecondsOf({ pid }: ChildProcess): number {
  try {
    return pid === undefined ? 0 : cpuTimeOf(pid);
  } catch {
    return 0;
  }
}
