// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostRoot } from '../setup/host-root.js';
import { TimedStep } from '../support/timed-step.js';
import { Emulator } from './emulator.js';
import type { LabEvent, LabStage } from './events.js';
import { AttemptFailed, type Followed, followRun } from './follow-run.js';
import { imageKeys, newestImage, type StageImage } from './image-keys.js';
import { copyRecords, dropImage, type Image, keepImage } from './images.js';
import { judgeKernelLog } from './kernel-verdict.js';
import { backendArguments, machineArguments } from './machine.js';
import { beginsStanding, type Plan, smallGuest } from './plan.js';
import type { LabRequest, LabRun } from './request.js';
import { ordersOf, planOf, startScript } from './request-orders.js';
import { Watchdog } from './watchdog.js';

/** Memory of L1 beside huge pages, and huge pages of 2 MiB: for one guest and the native program, or many guests. */
const roomMiB = 3176;
const hugePagesOfOne = 460;
const hugePagesEach = (smallGuest.memoryMiB + 8) / 2;
/** How much longer a host takes that checks itself: see withDebugKernel. */
const debugKernelPatience = 5;

/** An image that this run was to go on with cannot be restored, and is removed: nothing of the run has started. */
export class ImageRefused extends AttemptFailed {}

/**
 * One run of a scenario: in an L1 that boots, or in one restored from the image of the last stage that has one.
 * @throws ImageRefused
 */
export async function attempt(
  request: LabRequest,
  run: string,
  mayUseImages: boolean,
): Promise<Followed & Pick<LabRun, 'qemu' | 'began'>> {
  // What an image that was refused left there.
  await rm(run, { recursive: true, force: true });
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
  const standing = root === undefined ? undefined : { script, root, order: orders.begun() };
  const { hostKernel: kernel, hostInitramfs: initramfs } = artifacts;
  // On the machine's own clock L1's TSC rate may be another each time; and QEMU cannot save its "rocker" device.
  const mayBeSaved = mayUseImages && clock === 'instruction' && plan.scenario !== 'selftests';
  const keys = mayBeSaved ? await imageKeys({ machine, kernel, initramfs, standing }) : {};
  const image = await newestImage(keys);
  const past = image ? await recordsOf(image, run) : 0;
  const words = [...machine, ...backendArguments(run, clock)];
  let timed = image
    ? undefined
    : await TimedStep.begin(progress, {
        key: `boot-${series}`,
        text: 'booting the emulated host',
        usual: 15,
      });
  const emulator = await Emulator.start(run, words, clock, image?.memory);

  const reach = async (stage: LabStage) => {
    await timed?.end();
    timed = undefined;
    const key = keys[stage];
    if (key !== undefined && stage !== image?.stage) {
      const why = await keepImage(key, run, (file) => emulator.save(file)).catch(messageOf);
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
        `restoring the emulated host${image.stage === 'standing' ? ' and its guest' : ''} as saved`,
      );
      await emulator.takeUp().catch((error: unknown) => {
        throw new ImageRefused(messageOf(error));
      });
      await reach(image.stage);
    }
    const patience = artifacts.hostKernel === artifacts.kernel.vmlinuz ? 1 : debugKernelPatience;
    const followed = await followRun(emulator, run, new Watchdog(patience), heed, signal);
    return { ...followed, qemu: words, began: describe(image) };
  } catch (error) {
    // Whatever is wrong with it must not affect the next run.
    if (image && error instanceof AttemptFailed && !signal?.aborted) await dropImage(image);
    throw error;
  } finally {
    timed?.cancel();
    await emulator.end();
  }
}

async function recordsOf(image: Image, run: string): Promise<number> {
  try {
    return await copyRecords(image, run);
  } catch (cause) {
    await dropImage(image);
    throw new ImageRefused(`the machine's image is not whole: ${messageOf(cause)}`);
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function describe(image: StageImage | undefined): string {
  if (!image) return 'booted';
  return `${image.stage === 'standing' ? 'host and guest' : 'host'} saved ${image.made.toISOString()}`;
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
