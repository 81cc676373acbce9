// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../support/cache.js';
import type { Progress } from '../support/progress.js';
import { here, logged, workFolder } from './build.js';
import type { KernelPackages } from './kernel-packages.js';

/**
 * The guest's driver (guest-agent/driver), and beside it the lab's own build of it, which gets in its way (`contend/`),
 * and programs: its other user (`claim.c`), and one that boots another kernel (`kexec.c`).
 */
export interface GuestDriver {
  vmcall: string;
  contend: string;
  /** By name, vmcall-NAME in the guest. */
  programs: Readonly<Record<(typeof programs)[number], string>>;
}

const programs = ['claim', 'kexec'] as const;

/** Built against the headers of the kernel that the lab's guest runs. */
export async function buildGuestDriver(kernel: KernelPackages, progress: Progress): Promise<GuestDriver> {
  const driver = here('guest-agent', 'driver');
  const contend = here('src', 'lab', 'guest', 'contend', 'contend.c');
  const sources = programs.map((name) => here('src', 'lab', 'guest', `${name}.c`));
  const files = [driver, contend, ...sources, here('kernel-patches', 'abi')];
  const folder = await cached('guest-driver', { files, values: [kernel.release] }, async (target) => {
    progress.step(`building the guest's driver for ${kernel.release}`);
    const work = await workFolder('guest-driver');
    try {
      const headers = await unpackedHeaders(kernel, work);
      await logged('make', ['-s', '-C', driver, `KDIR=${headers}`, `O=${join(work, 'driver')}`]);
      await copyFile(join(work, 'driver', 'vmcall.ko'), join(target, 'vmcall.ko'));
      await copyFile(contend, join(work, 'driver', 'contend.c'));
      const external = [`M=${join(work, 'driver')}`, 'CONFIG_DEBUG_INFO_BTF_MODULES=', 'VMCALL_CONTEND=y'];
      await logged('make', ['-s', '-C', headers, ...external, 'modules']);
      await copyFile(join(work, 'driver', 'vmcall.ko'), join(target, 'vmcall_contend.ko'));
      const flags = ['-O2', '-static', '-s', '-pthread', '-D_GNU_SOURCE', `-I${join(driver, 'uapi')}`];
      for (const [index, source] of sources.entries())
        await logged('gcc', [...flags, '-o', join(target, `vmcall-${programs[index]}`), source]);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return {
    vmcall: join(folder, 'vmcall.ko'),
    contend: join(folder, 'vmcall_contend.ko'),
    programs: {
      claim: join(folder, 'vmcall-claim'),
      kexec: join(folder, 'vmcall-kexec'),
    },
  };
}

/**
 * Headers that can be built against where they are unpacked: the package's own name others by the place it would be
 * installed at. kbuild takes no white space in paths, and resolves links: from such a cache folder all are copied.
 */
async function unpackedHeaders({ root, release }: KernelPackages, work: string): Promise<string> {
  const [common, kbuild] = [
    // From 7.2 on all flavours have their common headers in one package.
    await entryOf(root, 'usr/src', (name) => /-common(?:-rt)?$/.test(name)),
    await entryOf(root, 'usr/lib', (name) => name.startsWith('linux-kbuild-')),
  ];
  let base = root;
  if (/\s/.test(root)) {
    base = join(work, 'root');
    for (const path of [common, kbuild]) await cp(join(root, path), join(base, path), asTheyAre);
  }
  const headers = join(work, 'headers');
  await cp(join(root, 'usr', 'src', `linux-headers-${release}`), headers, asTheyAre);
  // From 7.2 on they name themselves by it, too.
  const own = (await readFile(join(headers, 'Makefile'), 'utf8')).includes('KBUILD_OUTPUT=');
  const output = own ? `KBUILD_OUTPUT=${headers}\n` : '';
  await writeFile(join(headers, 'Makefile'), `${output}include ${join(base, common)}/Makefile\n`);
  for (const name of ['scripts', 'tools']) {
    await rm(join(headers, name), { recursive: true, force: true });
    await symlink(join(base, kbuild, name), join(headers, name));
  }
  return headers;
}

const asTheyAre = { recursive: true, verbatimSymlinks: true };

async function entryOf(root: string, folder: string, isIt: (name: string) => boolean): Promise<string> {
  return join(folder, (await readdir(join(root, folder))).find(isIt) ?? '');
}
