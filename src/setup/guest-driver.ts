// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached } from '../support/cache.js';
import type { Progress } from '../support/progress.js';
import { here, logged } from './build.js';
import type { KernelPackages } from './kernel-packages.js';

/**
 * The guest's driver (guest-agent/driver), and beside it the lab's own build of it, which gets in its way (`contend/`),
 * and the program that is its other user (`claim.c`).
 */
export interface GuestDriver {
  vmcall: string;
  contend: string;
  claim: string;
}

/** Built against the headers of the kernel that the lab's guest runs. */
export async function buildGuestDriver(kernel: KernelPackages, progress: Progress): Promise<GuestDriver> {
  const driver = here('guest-agent', 'driver');
  const contend = here('src', 'lab', 'guest', 'contend', 'contend.c');
  const claim = here('src', 'lab', 'guest', 'claim.c');
  const files = [driver, contend, claim, here('kernel-patches', 'abi')];
  const folder = await cached('guest-driver', { files, values: [kernel.release] }, async (target) => {
    progress.step(`building the guest's driver for ${kernel.release}`);
    const work = await mkdtemp(join(tmpdir(), 'vmcall-guest-driver-'));
    try {
      const headers = await unpackedHeaders(kernel, join(work, 'headers'));
      await logged('make', ['-s', '-C', driver, `KDIR=${headers}`, `O=${join(work, 'driver')}`]);
      await copyFile(join(work, 'driver', 'vmcall.ko'), join(target, 'vmcall.ko'));
      await copyFile(contend, join(work, 'driver', 'contend.c'));
      const external = [`M=${join(work, 'driver')}`, 'CONFIG_DEBUG_INFO_BTF_MODULES=', 'VMCALL_CONTEND=y'];
      await logged('make', ['-s', '-C', headers, ...external, 'modules']);
      await copyFile(join(work, 'driver', 'vmcall.ko'), join(target, 'vmcall_contend.ko'));
      const flags = ['-O2', '-static', '-s', '-D_GNU_SOURCE', `-I${join(driver, 'uapi')}`];
      await logged('gcc', [...flags, '-o', join(target, 'vmcall-claim'), claim]);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return {
    vmcall: join(folder, 'vmcall.ko'),
    contend: join(folder, 'vmcall_contend.ko'),
    claim: join(folder, 'vmcall-claim'),
  };
}

/**
 * Headers that can be built against where they are unpacked: the package's own name others by the place it would be
 * installed at.
 */
async function unpackedHeaders({ root, release }: KernelPackages, target: string): Promise<string> {
  const [sources, tools] = [join(root, 'usr', 'src'), join(root, 'usr', 'lib')];
  const common = (await readdir(sources)).find((name) => name.endsWith('-common-rt')) ?? '';
  const kbuild = (await readdir(tools)).find((name) => name.startsWith('linux-kbuild-')) ?? '';
  await cp(join(sources, `linux-headers-${release}`), target, { recursive: true, verbatimSymlinks: true });
  await writeFile(join(target, 'Makefile'), `include ${join(sources, common)}/Makefile\n`);
  for (const name of ['scripts', 'tools']) {
    await rm(join(target, name), { recursive: true, force: true });
    await symlink(join(tools, kbuild, name), join(target, name));
  }
  return target;
}
