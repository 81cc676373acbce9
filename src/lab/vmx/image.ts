// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packFolder } from '../../setup/initramfs.js';
import { kernelWords } from './machine.js';
import { planText, type VmxStep } from './plan.js';

/** Debian's packages isolinux and syslinux-common. */
const loader = ['/usr/lib/ISOLINUX/isolinux.bin', '/usr/lib/syslinux/modules/bios/ldlinux.c32'];

export interface VmxImage {
  kernel: string;
  /** Archives of which the initramfs is put together. */
  initramfs: readonly string[];
  steps: readonly VmxStep[];
}

/** Writes a CD that boots the kernel with the initramfs, in which `/plan` is what to run. */
export async function writeImage({ kernel, initramfs, steps }: VmxImage, output: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'vmcall-vmx-image-'));
  try {
    const [disc, plan] = [join(work, 'disc'), join(work, 'plan')];
    await mkdir(disc);
    await mkdir(plan);
    await writeFile(join(plan, 'plan'), planText(steps));
    await packFolder(plan, join(disc, 'plan.img'));
    const parts = await Promise.all(
      initramfs.map(async (file, index) => {
        await copyFile(file, join(disc, `part${index}.img`));
        return `/part${index}.img`;
      }),
    );
    await copyFile(kernel, join(disc, 'kernel'));
    for (const file of loader) await copyFile(file, join(disc, file.split('/').at(-1) ?? ''));
    const entry = [
      ...['default vmx', 'prompt 0', 'label vmx', 'kernel /kernel'],
      `initrd ${[...parts, '/plan.img'].join(',')}`,
      `append ${kernelWords}`,
    ];
    await writeFile(join(disc, 'isolinux.cfg'), `${entry.join('\n')}\n`);
    await execa('xorriso', [
      ...['-as', 'mkisofs', '-quiet', '-o', output, '-b', 'isolinux.bin', '-c', 'boot.cat'],
      ...['-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', disc],
    ]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
