// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostRoot } from '../setup/host-root.js';
import { programPath } from '../setup/program-path.js';
import { contentKey } from '../support/cache.js';
import { cacheRoot } from '../support/paths.js';
import { TimedStep } from '../support/timed-step.js';
import { Emulator } from './emulator.js';
import type { LabEvent, Stage } from './events.js';
import { copyRecords, dropImage, findImage, type Image, keepImage } from './images.js';
import { judgeKernelLog } from './kernel-verdict.js';
import { backendArguments, instructionClockTscKhz, machineArguments } from './machine.js';
import { AttemptFailed, type Observed, observe } from './observe.js';
import { clockTime, type Order, startOrder } from './orders.js';
import { beginsStanding, type Parts, type Plan, smallGuest } from './plan.js';
import type { LabRequest, LabRun } from './request.js';
import { tscKhz } from './tsc.js';
import { Watchdog } from './watchdog.js';

/** Memory of L1 beside huge pages, and huge pages of 2 MiB: for one guest and the native program, or many guests. */
const roomMiB = 3176;
const hugePagesOfOne = 460;
const hugePagesEach = (smallGuest.memoryMiB + 8) / 2;
/** How much longer a host takes that checks itself: see withDebugKernel. */
const debugKernelPatience = 5;

/** What each stage that this run passes leads to. */
type Orders = Partial<Record<Stage, () => string>>;

/** One run of a scenario: in an L1 that boots, or in one taken up from an image of the last stage that there is one of. */
export async function attempt(
  request: LabRequest,
  run: string,
  mayUseImages: boolean,
): Promise<Observed & Pick<LabRun, 'qemu' | 'began'>> {
  await mkdir(run, { recursive: true });
  const { artifacts, clock, progress, signal } = request;
  const { series } = artifacts.kernel;
  const plan = planOf(request);
  const script = startScript(artifacts.programs);
  const start = join(run, 'start.sh');
  await writeFile(join(run, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
  await writeFile(start, script);
  const root = beginsStanding(plan) ? await hostRoot(artifacts) : undefined;
  const orders = ordersOf(plan, root, start);
  const machine = machineOf(request, plan);
  const keys = mayUseImages
    ? await keysOf(request, machine, [script, String(root), orders.begun?.() ?? ''])
    : {};
  const image = await newest(keys);
  const past = image ? await copyRecords(image, run) : 0;
  const words = [...machine, ...backendArguments(run, clock)];
  let timed = image
    ? undefined
    : await TimedStep.begin(progress, {
        key: `boot-${series}`,
        text: 'booting the emulated host',
        usual: 15,
      });
  const emulator = await Emulator.start(run, words, clock, image?.memory);

  const reach = async (stage: Stage) => {
    await timed?.end();
    timed = undefined;
    const key = keys[stage];
    if (key !== undefined && stage !== image?.stage) {
      const why = await keepImage(key, run, (file) => emulator.save(file));
      if (why !== undefined) progress.step(`no image is kept of this host: ${why}`);
    }
    if (stage === 'begun' && root !== undefined)
      timed = await TimedStep.begin(progress, {
        key: `standing-${series}`,
        text: 'booting its guest, and an agent on each side',
        usual: 40,
      });
    const order = orders[stage]?.();
    if (order === undefined) throw new AttemptFailed(`the host waits at a stage of no use: ${stage}`);
    emulator.order(order);
    if (stage === (root === undefined ? 'begun' : 'standing')) progress.step('measuring');
  };
  let seen = 0;
  const heed = async (event: LabEvent) => {
    request.onEvent?.(event);
    if (++seen <= past) return;
    if (event.type === 'waiting') await reach(event.stage);
    else if (event.type === 'step' && !timed) progress.advance(event.fraction, event.text);
    else if (event.type === 'kernel-log') judgeKernelLog(event.lines, run, progress);
    else if (event.type === 'done') progress.advance(1, 'measured');
  };
  try {
    if (image) {
      progress.step(
        `taking up the emulated host${image.stage === 'standing' ? ' and its guest' : ''} as saved`,
      );
      await emulator.takeUp().catch((error: Error) => {
        throw new AttemptFailed(error.message);
      });
      await reach(image.stage);
    }
    const patience = artifacts.hostKernel === artifacts.kernel.vmlinuz ? 1 : debugKernelPatience;
    const observed = await observe(emulator, run, new Watchdog(patience), heed, signal);
    return { ...observed, qemu: words, began: describe(image) };
  } catch (error) {
    // Whatever ails it, it shall not ail the next.
    if (image && error instanceof AttemptFailed) await dropImage(image);
    throw error;
  } finally {
    timed?.cancel();
    await emulator.end();
  }
}

function describe(image: (Image & { stage: Stage }) | undefined): string {
  if (!image) return 'booted';
  return `${image.stage === 'standing' ? 'host and guest' : 'host'} saved ${image.made.toISOString()}`;
}

function planOf({ artifacts, clock, scenario }: LabRequest): Plan {
  const { kernel, guestInitramfs, dataplane, generator, programs, turns, stock, selftests, costs } =
    artifacts;
  return {
    ...scenario,
    kernel: kernel.vmlinuz,
    guestInitramfs,
    dataplane,
    generator,
    programs,
    turns,
    stock,
    selftests,
    costs,
    tscKhz: clock === 'instruction' ? instructionClockTscKhz : tscKhz(),
  };
}

function partsOf(plan: Plan): Parts {
  const { kernel, guestInitramfs, dataplane, generator, programs, turns, stock } = plan;
  const { tscKhz, idleThreshold } = plan;
  return { kernel, guestInitramfs, dataplane, generator, programs, turns, stock, tscKhz, idleThreshold };
}

function ordersOf(plan: Plan, root: string | undefined, start: string): Orders {
  const text = (order: Order) => JSON.stringify(order);
  const run = () => text({ order: 'run', plan, now: clockTime() });
  const booted = () => startOrder(clockTime(), root, start);
  if (root === undefined) return { booted, begun: run };
  return { booted, begun: () => text({ order: 'stand-up', parts: partsOf(plan) }), standing: run };
}

function machineOf(request: LabRequest, { tscKhz }: Plan): string[] {
  const { artifacts, clock, tickless = true, scenario } = request;
  const { scenario: name, guests } = scenario;
  const dpdkNics = Math.max(1, ...(guests ?? []));
  const hugePages = guests ? hugePagesEach * dpdkNics : hugePagesOfOne;
  const closePackets = name === 'density' || name === 'before-after';
  return [
    'qemu-system-x86_64',
    ...machineArguments({
      clock,
      tickless,
      tscKhz,
      dpdkNics,
      hugePages,
      kernel: artifacts.hostKernel,
      initramfs: artifacts.hostInitramfs,
      startOneCpu: artifacts.turns !== undefined,
      senderNic: closePackets ? 'e1000,mitigation=off' : 'e1000e',
      testDevice: name === 'selftests',
      memoryMiB: roomMiB + 2 * hugePages,
    }),
  ];
}

/** Of the stages of which an image may be kept: everything that went into each. */
async function keysOf(
  { artifacts, scenario }: LabRequest,
  machine: readonly string[],
  further: readonly string[],
): Promise<Partial<Record<Stage, string>>> {
  // QEMU cannot save its "rocker" device.
  if (scenario.scenario === 'selftests') return {};
  const files = [programPath('qemu-system-x86_64'), artifacts.hostKernel, artifacts.hostInitramfs];
  const booted = await contentKey({ files, values: machine });
  if (!beginsStanding(scenario)) return { booted };
  return { booted, standing: await contentKey({ files: [], values: [booted, ...further] }) };
}

/** The image of the latest stage, if there is one. */
async function newest(keys: Partial<Record<Stage, string>>): Promise<(Image & { stage: Stage }) | undefined> {
  for (const stage of ['standing', 'booted'] as const) {
    const image = keys[stage] === undefined ? undefined : await findImage(keys[stage]);
    if (image) return { ...image, stage };
  }
  return undefined;
}

/** What L1 runs once it has a root: the same whatever the run, since it is in images. */
function startScript(programs: string): string {
  return [
    '# Written by the lab: what L1 runs once its root is mounted.',
    'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/lab TMPDIR=/run/lab',
    // The libvirt addon is there.
    `export XDG_CACHE_HOME='${dirname(cacheRoot)}'`,
    `'${process.execPath}' '${join(programs, 'lab-host.js')}'`,
    'busybox cat /run/lab/*.log',
    'busybox poweroff -f',
    '',
  ].join('\n');
}
