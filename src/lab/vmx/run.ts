// SPDX-License-Identifier: Apache-2.0

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { cpuTimeOf } from '../../support/cpu-time.js';
import { VmcallError } from '../../support/errors.js';
import type { Progress } from '../../support/progress.js';
import { Watchdog } from '../watchdog.js';
import { writeImage } from './image.js';
import { bochsConfiguration } from './machine.js';
import type { VmxStep } from './plan.js';
import { parseSerial, type SerialLog } from './serial.js';

const observeEvery = 1000;
/** The emulator takes some hundred times as long as a CPU, and a step may say nothing for minutes. */
const patience = 5;
/** Debian's package vgabios. */
const vgaBios = '/usr/share/vgabios/vgabios.bin';

export interface VmxRequest {
  bochs: { program: string; bios: string };
  kernel: string;
  initramfs: readonly string[];
  steps: readonly VmxStep[];
  /** Folder of this run: the CD, the configuration, what the serial port and the emulator wrote. */
  folder: string;
  progress: Progress;
}

/**
 * Boots an emulated Intel machine, which runs the steps and switches itself off. The emulator's exit status says
 * nothing: it is 1 after a clean end.
 * @throws VmcallError VMX_HUNG if it makes no progress, VMX_CRASHED if it ends before its plan does
 */
export async function runVmx(request: VmxRequest): Promise<SerialLog> {
  const { bochs, kernel, initramfs, steps, folder, progress } = request;
  const at = (name: string) => join(folder, name);
  await writeImage({ kernel, initramfs, steps }, at('cd.iso'));
  const [image, serial, log] = [at('cd.iso'), at('serial'), at('bochs.log')];
  await writeFile(serial, '');
  await writeFile(at('bochsrc'), bochsConfiguration({ bios: bochs.bios, vgaBios, image, serial, log }));
  const emulator = execa(bochs.program, ['-q', '-f', at('bochsrc')], {
    cwd: folder,
    stdin: 'ignore',
    stdout: { file: at('output') },
    stderr: { file: at('output') },
    reject: false,
    forceKillAfterDelay: 1000,
  });
  const watchdog = new Watchdog(patience);
  const started = Date.now();
  let ended = false;
  let told = 0;
  let hung: string | undefined;
  void emulator.finally(() => {
    ended = true;
  });
  while (!ended) {
    await Promise.race([delay(observeEvery), emulator]);
    const text = await readFile(serial, 'utf8');
    const begun = parseSerial(text).steps;
    for (const { name } of begun.slice(told)) progress.step(`on the emulated Intel CPU: ${name}`);
    told = begun.length;
    hung = watchdog.judge({
      cpuSeconds: ended || emulator.pid === undefined ? 0 : cpuTimeOf(emulator.pid),
      realSeconds: (Date.now() - started) / 1000,
      output: text.length,
      console: '',
    });
    if (hung !== undefined) break;
  }
  if (!ended) emulator.kill();
  await emulator;
  const found = parseSerial(await readFile(serial, 'utf8'));
  if (found.done) return found;
  throw new VmcallError(
    hung === undefined ? 'VMX_CRASHED' : 'VMX_HUNG',
    `the emulated Intel machine did not get through its plan${hung === undefined ? '' : `: ${hung}`}`,
    `Its last step was ${found.steps.at(-1)?.name ?? 'none'}; what it wrote is in ${folder}`,
  );
}
