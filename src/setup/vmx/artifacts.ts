// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../../support/cache.js';
import type { Progress } from '../../support/progress.js';
import { buildModules, buildSelftests } from '../artifacts.js';
import { here, logged, workFolder } from '../build.js';
import { buildGuestDriver } from '../guest-driver.js';
import { buildInitramfs, moduleName, packFolder, place, placeModules } from '../initramfs.js';
import type { KernelPackages } from '../kernel-packages.js';
import { librariesOf } from './libraries.js';

/**
 * Builds of KVM's modules in the initramfs: with the series, the same without a latch, the same with posting as VT-d
 * would, and Debian's own.
 */
export const moduleSets = ['series', 'no-latch', 'posting', 'stock'] as const;
export type ModuleSet = (typeof moduleSets)[number];

/** Archives that the initramfs of an emulated Intel machine is put together of, and programs in them. */
export interface VmxArtifacts {
  kernel: KernelPackages;
  /** busybox, `/init`, KVM's modules, the series' selftests. */
  base: string;
  /** The kernel's own KVM selftests. */
  upstream: string;
  upstreamPrograms: string[];
  /** QEMU and a Linux guest. */
  guest: string;
}

/** Where the guest is in the initramfs, and the script that boots it. */
const guestFolder = '/guest';
export const guestCommand = [`${guestFolder}/run.sh`];

export async function buildVmxArtifacts(kernel: KernelPackages, progress: Progress): Promise<VmxArtifacts> {
  const sets: Record<ModuleSet, string | undefined> = {
    // With the lab's patches, as the lab on AMD has them: on this CPU they change nothing.
    series: await buildModules(kernel, ['lab'], progress),
    'no-latch': await buildModules(kernel, ['lab', 'negative'], progress),
    posting: await buildModules(kernel, ['lab', 'vmx'], progress),
    stock: undefined,
  };
  const selftests = await buildSelftests(kernel, progress);
  const upstream = await buildSelftests(kernel, progress, { ofSeries: false });
  return {
    kernel,
    base: await baseArchive(kernel, sets, selftests),
    upstream: await programArchive('vmx-upstream', upstream),
    upstreamPrograms: await readdir(upstream),
    guest: await guestArchive(kernel, progress),
  };
}

async function baseArchive(
  kernel: KernelPackages,
  sets: Record<ModuleSet, string | undefined>,
  selftests: string,
): Promise<string> {
  const init = here('src', 'lab', 'vmx', 'init.sh');
  const built = Object.values(sets).filter((folder) => folder !== undefined);
  const files = [init, selftests, ...built];
  return archive('vmx-base', { files, values: [kernel.release] }, async (staging, output) => {
    for (const set of moduleSets) {
      const folder = sets[set];
      const ours = folder === undefined ? [] : (await readdir(folder)).map((file) => join(folder, file));
      await mkdir(join(staging, 'sets', set), { recursive: true });
      await placeModules(
        {
          modules: kernel.modules,
          insert: [{ name: 'kvm_intel' }],
          replacements: new Map(
            ours.filter((file) => file.endsWith('.ko')).map((file) => [moduleName(file), file]),
          ),
        },
        join(staging, 'sets', set),
      );
    }
    await placePrograms(selftests, staging);
    const bare = { init, modules: kernel.modules, insert: [], replacements: new Map(), files: new Map() };
    await buildInitramfs(bare, staging, output);
  });
}

const programArchive = (name: string, folder: string) =>
  archive(name, { files: [folder], values: [] }, async (staging, output) => {
    await placePrograms(folder, staging);
    await packFolder(staging, output);
  });

/** Programs into `/programs`, with their libraries. */
async function placePrograms(folder: string, staging: string): Promise<void> {
  const programs = (await readdir(folder)).map((name) => join(folder, name));
  for (const program of programs)
    await place(program, join(staging, 'programs', program.slice(folder.length)));
  for (const library of await librariesOf(programs)) await place(library, join(staging, library));
}

/** This machine's QEMU, and a guest of the same kernel that yields from user space. */
async function guestArchive(kernel: KernelPackages, progress: Progress): Promise<string> {
  const sources = here('src', 'lab', 'vmx', 'guest');
  const driver = await buildGuestDriver(kernel, progress);
  const qemu = '/usr/bin/qemu-system-x86_64';
  const firmware = ['bios-microvm.bin', 'linuxboot_dma.bin'].map((name) => ({
    name,
    folder: '/usr/share/qemu',
  }));
  const ingredients = {
    files: [sources, driver.vmcall, here('kernel-patches', 'abi')],
    values: [kernel.release],
  };
  return archive('vmx-guest', ingredients, async (staging, output) => {
    const work = await workFolder('vmx-guest');
    try {
      const yields = join(work, 'yields');
      const include = [here('kernel-patches', 'abi'), here('guest-agent', 'driver', 'uapi')].map(
        (path) => `-I${path}`,
      );
      await logged('gcc', [
        '-O2',
        '-Wall',
        '-static',
        '-s',
        ...include,
        '-o',
        yields,
        join(sources, 'yields.c'),
      ]);
      await mkdir(join(work, 'guest'));
      await mkdir(join(staging, guestFolder), { recursive: true });
      await buildInitramfs(
        {
          init: join(sources, 'init.sh'),
          modules: kernel.modules,
          insert: [{ name: 'msr' }],
          own: [driver.vmcall],
          replacements: new Map(),
          files: new Map([['bin/yields', yields]]),
        },
        join(work, 'guest'),
        join(staging, guestFolder, 'initramfs'),
      );
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    await place(join(sources, 'run.sh'), join(staging, guestFolder, 'run.sh'));
    await place(kernel.vmlinuz, join(staging, guestFolder, 'vmlinuz'));
    for (const { name, folder } of firmware) await place(join(folder, name), join(staging, folder, name));
    await place(qemu, join(staging, 'programs', 'qemu-system-x86_64'));
    for (const library of await librariesOf([qemu])) await place(library, join(staging, library));
    await packFolder(staging, output);
  });
}

async function archive(
  name: string,
  ingredients: { files: string[]; values: string[] },
  make: (staging: string, output: string) => Promise<void>,
): Promise<string> {
  const files = [here('src', 'setup', 'vmx', 'artifacts.ts'), ...ingredients.files];
  const folder = await cached(name, { ...ingredients, files }, async (target) => {
    const staging = await workFolder(name);
    try {
      await make(staging, join(target, 'archive'));
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
  return join(folder, 'archive');
}
