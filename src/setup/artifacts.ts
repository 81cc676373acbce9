// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { buildInitramfs, type InitramfsContents, moduleName } from '../lab/initramfs.js';
import { cached } from '../support/cache.js';
import type { Progress } from '../support/progress.js';
import { here, logged } from './build.js';
import type { KernelPackages } from './kernel-packages.js';

/** 9p and the virtio-serial ports; 6.12 has both built in. */
const virtio = [{ name: 'virtio_pci' }, { name: 'virtio_console' }];

/** Everything the lab runs, built: folders under the cache, keyed by what they are made from. */
export interface Artifacts {
  kernel: KernelPackages;
  /** The six modules of the series. */
  modules: string;
  dataplane: string;
  generator: string;
  /** Program that gives the other virtual CPUs their turn while one starts; only for kernels that need it. */
  turns: string | undefined;
  hostInitramfs: string;
  guestInitramfs: string;
}

/** The series of `kernel-patches/SERIES` built against Debian's headers, with the lab's own patches on top. */
async function buildModules(kernel: KernelPackages, progress: Progress): Promise<string> {
  const patches = here('kernel-patches', kernel.series);
  const script = here('kernel-patches', 'build-modules.sh');
  return cached('modules', { files: [patches, script], values: [kernel.release] }, async (folder) => {
    progress.step('building the six kernel modules (about two minutes on two cores)');
    const work = await mkdtemp(join(tmpdir(), 'vmcall-modules-'));
    const labPatches = (await readdir(join(patches, 'lab'))).sort().map((file) => join(patches, 'lab', file));
    try {
      await logged(script, [
        ...['--headers-root', kernel.root, '--source', kernel.source, '--series', patches],
        ...labPatches.flatMap((patch) => ['--patch', patch]),
        ...['--work', work, '--output', folder, '--jobs', String(availableParallelism())],
      ]);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

async function buildDataplane(progress: Progress): Promise<string> {
  const { stdout: version } = await execa('pkg-config', ['--modversion', 'libdpdk']);
  const files = [here('guest-agent', 'dataplane'), here('kernel-patches', 'abi')];
  return cached('dataplane', { files, values: [version] }, async (folder) => {
    progress.step(`building the dataplane against DPDK ${version}`);
    const make = [
      '-C',
      here('guest-agent', 'dataplane'),
      `O=${folder}`,
      'STATIC=1',
      `-j${availableParallelism()}`,
    ];
    await logged('make', [...make, 'all', 'l3fwd-power']);
    await logged('make', [...make, 'FAULT=no-repoll']);
  });
}

async function buildGenerator(progress: Progress): Promise<string> {
  return cached(
    'generator',
    { files: [here('src', 'generator'), here('guest-agent', 'dataplane')], values: [] },
    async (folder) => {
      progress.step('building the packet generator');
      await logged('make', ['-C', here('src', 'generator'), `O=${folder}`]);
    },
  );
}

/** Linux before 6.5 waits for a starting CPU in a way that starves it in the lab: see turns.c. */
async function buildTurns(kernel: KernelPackages): Promise<string | undefined> {
  if (kernel.series !== '6.1') return undefined;
  const source = here('src', 'lab', 'turns.c');
  const folder = await cached('turns', { files: [source], values: [] }, async (target) => {
    await logged('gcc', ['-O2', '-static', '-s', '-o', join(target, 'turns'), source]);
  });
  return join(folder, 'turns');
}

async function image(
  name: string,
  contents: InitramfsContents,
  ingredients: string[],
  release: string,
): Promise<string> {
  const files = [contents.init, here('src', 'lab', 'initramfs.ts'), ...ingredients];
  const values = [release, JSON.stringify(contents.insert)];
  const folder = await cached(name, { files, values }, async (target) => {
    const staging = await mkdtemp(join(tmpdir(), 'vmcall-initramfs-'));
    try {
      await buildInitramfs(contents, staging, join(target, 'initramfs'));
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
  return join(folder, 'initramfs');
}

/** Builds what is not in the cache yet, and says what it builds. */
export async function buildArtifacts(kernel: KernelPackages, progress: Progress): Promise<Artifacts> {
  const modules = await buildModules(kernel, progress);
  const dataplane = await buildDataplane(progress);
  const generator = await buildGenerator(progress);
  const turns = await buildTurns(kernel);
  const ours = (await readdir(modules)).filter((file) => file.endsWith('.ko'));
  const hostInitramfs = await image(
    'host-initramfs',
    {
      init: here('src', 'lab', 'host', 'init.sh'),
      modules: kernel.modules,
      // The sender's NIC must not throttle its own interrupts: it is the measure.
      insert: [
        ...[...virtio, { name: '9p' }, { name: '9pnet_virtio' }],
        { name: 'e1000e', parameters: 'InterruptThrottleRate=0,0' },
        ...[{ name: 'vfio_iommu_type1' }, { name: 'vfio_pci' }],
        { name: 'kvm', parameters: 'halt_poll_ns=0' },
        ...[{ name: 'kvm_amd' }, { name: 'kvm_intel' }],
      ],
      replacements: new Map(ours.map((file) => [moduleName(file), join(modules, file)])),
      files: new Map(turns ? [['bin/turns', turns]] : []),
    },
    [modules, ...(turns ? [turns] : [])],
    kernel.release,
  );
  const programs = ['vmcall-dataplane', 'vmcall-dataplane-no-repoll', 'vmcall-telemetry', 'l3fwd-power'];
  const guestInitramfs = await image(
    'guest-initramfs',
    {
      init: here('src', 'lab', 'guest', 'init.sh'),
      modules: kernel.modules,
      // The guest's own IOMMU has no interrupt remapping, so that its MSI-X entries are plain.
      insert: [
        ...virtio,
        { name: 'vfio_iommu_type1', parameters: 'allow_unsafe_interrupts=1' },
        { name: 'vfio_pci' },
        { name: 'msr' },
      ],
      replacements: new Map(),
      files: new Map(programs.map((name) => [`bin/${name}`, join(dataplane, name)])),
    },
    [dataplane],
    kernel.release,
  );
  return { kernel, modules, dataplane, generator, turns, hostInitramfs, guestInitramfs };
}
