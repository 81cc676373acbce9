// SPDX-License-Identifier: Apache-2.0
import { readdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached } from '../support/cache.js';
import type { Progress } from '../support/progress.js';
import { timed } from '../support/timed-step.js';
import { here, logged, makeIn, workFolder } from './build.js';
import { bundlePrograms } from './bundle.js';
import { dataplaneFolder, dataplaneSources } from './dataplane-sources.js';
import { buildGuestDriver } from './guest-driver.js';
import { buildInitramfs, type InitramfsContents, moduleName } from './initramfs.js';
import type { KernelPackages } from './kernel-packages.js';
import { type ExtraPatches, patchesOf, patchesOfCode } from './series.js';

/** 9p and the virtio-serial ports; 6.12 has both built in. */
const virtio = [{ name: 'virtio_pci' }, { name: 'virtio_console' }];

/** Everything the lab runs, built: folders under the cache, keyed by what they are made from. */
export interface Artifacts {
  kernel: KernelPackages;
  /** What L1 boots: Debian's kernel, but where one with checks of its own was built. */
  hostKernel: string;
  /** The six modules of the series. */
  modules: string;
  dataplane: string;
  generator: string;
  /** Our own programs, bundled: see bundle.ts. */
  programs: string;
  /** Program that gives the other virtual CPUs their turn while one starts; only for kernels that need it. */
  turns: string | undefined;
  /** The modules are without the series. */
  stock?: boolean;
  /** The kernel selftests of the series, where they are wanted. */
  selftests?: string;
  /** The program that measures KVM's paths, where it is wanted. */
  costs?: string;
  hostInitramfs: string;
  guestInitramfs: string;
}

/** The series of the kernel, or none, built against Debian's headers, with folders of patches on top. */
export async function buildModules(
  { series, ...kernel }: KernelPackages,
  extra: readonly ExtraPatches[],
  progress: Progress,
  { withSeries = true } = {},
): Promise<string> {
  const script = here('kernel-patches', 'build-modules.sh');
  // On a shelf of their own: they change when the lab's patches do, which is hardly ever.
  const shelf = withSeries ? 'modules' : 'modules-unpatched';
  const patches = withSeries ? await patchesOfCode(series) : [];
  for (const name of extra) patches.push(...(await patchesOf(series, name)));
  return cached(shelf, { files: [...patches, script], values: [kernel.release] }, async (folder) => {
    const work = await workFolder('modules');
    try {
      const known = { key: `modules-${series}`, text: 'building the six kernel modules', usual: 120 };
      await timed(progress, known, () =>
        logged(script, [
          ...['--headers-root', kernel.root, '--source', kernel.source],
          ...patches.flatMap((patch) => ['--patch', patch]),
          ...['--work', work, '--output', folder, '--jobs', String(availableParallelism())],
        ]),
      );
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

/** The KVM selftests that the series adds, or the kernel's own, for L1: this machine's own libc runs them there. */
export async function buildSelftests(
  kernel: KernelPackages,
  progress: Progress,
  { ofSeries = true } = {},
): Promise<string> {
  const script = here('kernel-patches', 'build-selftests.sh');
  const shelf = ofSeries ? 'selftests' : 'selftests-upstream';
  const patches = ofSeries ? await patchesOf(kernel.series) : [];
  return cached(shelf, { files: [...patches, script], values: [kernel.release] }, async (folder) => {
    const work = await workFolder('selftests');
    try {
      const known = { key: `${shelf}-${kernel.series}`, text: 'building the kernel selftests', usual: 60 };
      await timed(progress, known, () =>
        logged(script, [
          ...['--source', kernel.source],
          ...(ofSeries ? ['--series', here('kernel-patches', kernel.series)] : []),
          ...['--work', work, '--output', folder, '--jobs', String(availableParallelism())],
        ]),
      );
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

/** Builds of the dataplane that lose wake-ups on purpose. */
const faults = ['no-repoll', 'no-look', 'no-repoll-no-look'];

async function buildDataplane(progress: Progress): Promise<string> {
  const { stdout: version } = await execa('pkg-config', ['--modversion', 'libdpdk']);
  return cached('dataplane', { files: [...dataplaneSources], values: [version] }, async (folder) => {
    const known = { key: 'dataplane', text: `building the dataplane against DPDK ${version}`, usual: 20 };
    await timed(progress, known, async () => {
      await makeIn(dataplaneFolder, folder, ['STATIC=1', 'all', 'l3fwd-power']);
      for (const fault of faults) await makeIn(dataplaneFolder, folder, ['STATIC=1', `FAULT=${fault}`]);
    });
  });
}

export async function buildGenerator(progress: Progress): Promise<string> {
  return cached(
    'generator',
    { files: [here('src', 'generator'), here('guest-agent', 'library', 'measure')], values: [] },
    async (folder) => {
      progress.step('building the packet generator');
      await makeIn(here('src', 'generator'), folder);
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
  const files = [contents.init, here('src', 'setup', 'initramfs.ts'), ...ingredients];
  const values = [release, JSON.stringify(contents.insert)];
  const folder = await cached(name, { files, values }, async (target) => {
    const staging = await workFolder('initramfs');
    try {
      await buildInitramfs(contents, staging, join(target, 'initramfs'));
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
  return join(folder, 'initramfs');
}

/** `modules` are folders of own builds, which stand in for those of the kernel. */
async function buildHostInitramfs(
  kernel: Pick<KernelPackages, 'release' | 'modules'>,
  modules: readonly string[],
  turns: string | undefined,
): Promise<string> {
  const files = await Promise.all(
    modules.map(async (folder) => (await readdir(folder)).map((file) => join(folder, file))),
  );
  const ours = files.flat().filter((file) => file.endsWith('.ko'));
  return image(
    'host-initramfs',
    {
      init: here('src', 'lab', 'host', 'init.sh'),
      modules: kernel.modules,
      // The sender's NIC must not throttle its own interrupts: it is the measure.
      insert: [
        ...[...virtio, { name: '9p' }, { name: '9pnet_virtio' }],
        { name: 'e1000e', parameters: 'InterruptThrottleRate=0,0' },
        { name: 'e1000', parameters: 'InterruptThrottleRate=0' },
        ...[{ name: 'vfio_iommu_type1' }, { name: 'vfio_pci' }],
        // The host's end of the guest's ordinary NIC.
        { name: 'tun' },
        { name: 'kvm', parameters: 'halt_poll_ns=0' },
        ...[{ name: 'kvm_amd' }, { name: 'kvm_intel' }],
      ],
      replacements: new Map(ours.map((file) => [moduleName(file), file])),
      files: new Map(turns ? [['bin/turns', turns]] : []),
    },
    [...(modules.length > 0 ? modules : [kernel.modules]), ...(turns ? [turns] : [])],
    kernel.release,
  );
}

/** Builds what is not in the cache yet, and says what it builds. */
export async function buildArtifacts(kernel: KernelPackages, progress: Progress): Promise<Artifacts> {
  const modules = await buildModules(kernel, ['lab'], progress);
  const dataplane = await buildDataplane(progress);
  const generator = await buildGenerator(progress);
  const turns = await buildTurns(kernel);
  const hostInitramfs = await buildHostInitramfs(kernel, [modules], turns);
  const driver = await buildGuestDriver(kernel, progress);
  const inGuest = [
    ...['', ...faults.map((fault) => `-${fault}`)].map((fault) => `vmcall-dataplane${fault}`),
    ...['vmcall-telemetry', 'l3fwd-power'],
  ];
  const guestInitramfs = await image(
    'guest-initramfs',
    {
      init: here('src', 'lab', 'guest', 'init.sh'),
      modules: kernel.modules,
      // The guest's own IOMMU has no interrupt remapping, so that its MSI-X entries are plain.
      insert: [
        // For the guest agent: its NIC, and the host's root.
        ...[...virtio, { name: 'virtio_net' }, { name: '9p' }, { name: '9pnet_virtio' }],
        { name: 'vfio_iommu_type1', parameters: 'allow_unsafe_interrupts=1' },
        { name: 'vfio_pci' },
        { name: 'msr' },
      ],
      own: [driver.vmcall],
      replacements: new Map(),
      files: new Map([
        ...inGuest.map((name) => [`bin/${name}`, join(dataplane, name)] as const),
        ['modules/vmcall_contend.ko', driver.contend],
        ...Object.entries(driver.programs).map(([name, file]) => [`bin/vmcall-${name}`, file] as const),
      ]),
    },
    [dataplane, driver.vmcall, driver.contend, ...Object.values(driver.programs)],
    kernel.release,
  );
  const programs = await bundlePrograms();
  const hostKernel = kernel.vmlinuz;
  return {
    kernel,
    hostKernel,
    modules,
    dataplane,
    generator,
    programs,
    turns,
    hostInitramfs,
    guestInitramfs,
  };
}

/** Adds the kernel selftests of the series. */
export async function withSelftests(artifacts: Artifacts, progress: Progress): Promise<Artifacts> {
  return { ...artifacts, selftests: await buildSelftests(artifacts.kernel, progress) };
}

/** Adds the kernel's own KVM selftests, from its unpatched source. */
export async function withUpstreamSelftests(artifacts: Artifacts, progress: Progress): Promise<Artifacts> {
  const selftests = await buildSelftests(artifacts.kernel, progress, { ofSeries: false });
  return { ...artifacts, selftests };
}

/** The same lab, its host on a kernel that looks for faults of its own: kernel-patches/debug/debug.config. */
export async function withDebugKernel(artifacts: Artifacts, progress: Progress): Promise<Artifacts> {
  const { kernel, turns } = artifacts;
  const patches = [...(await patchesOfCode(kernel.series)), ...(await patchesOf(kernel.series, 'lab'))];
  const files = [
    ...patches,
    here('kernel-patches', 'debug'),
    here('kernel-patches', 'build-debug-kernel.sh'),
  ];
  const built = await cached('debug-kernel', { files, values: [kernel.release] }, async (folder) => {
    const work = await workFolder('debug-kernel');
    const words = [
      ...['--source', kernel.source],
      ...patches.flatMap((patch) => ['--patch', patch]),
      ...['--work', work, '--output', folder, '--jobs', String(availableParallelism())],
    ];
    const known = { key: 'debug-kernel', text: 'building a kernel with checks of its own', usual: 900 };
    try {
      await timed(progress, known, () => logged(here('kernel-patches', 'build-debug-kernel.sh'), words));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  const [release = ''] = await readdir(join(built, 'lib', 'modules'));
  const modules = join(built, 'lib', 'modules', release);
  const hostInitramfs = await buildHostInitramfs({ ...kernel, release, modules }, [], turns);
  return { ...artifacts, hostKernel: join(built, 'boot', 'vmlinuz'), hostInitramfs };
}

/** The same lab, with a KVM that loses wake-ups: a test for them that passes there is none. */
export async function buildNegativeControl(artifacts: Artifacts, progress: Progress): Promise<Artifacts> {
  const { kernel, turns } = artifacts;
  const modules = await buildModules(kernel, ['lab', 'negative'], progress);
  return { ...artifacts, modules, hostInitramfs: await buildHostInitramfs(kernel, [modules], turns) };
}

/** Adds the program that measures KVM's paths. */
export async function withCosts(artifacts: Artifacts, progress: Progress): Promise<Artifacts> {
  const source = here('src', 'lab', 'costs');
  const probe = here('host-agent', 'probe');
  const costs = await cached(
    'costs',
    { files: [source, probe, here('guest-agent', 'library', 'measure')], values: [] },
    async (folder) => {
      progress.step("building the program that measures KVM's paths");
      await makeIn(source, folder);
      await makeIn(probe, folder);
    },
  );
  return { ...artifacts, costs };
}

/** The same lab with KVM and VFIO as Debian has them, but for the patches that the lab itself needs. */
export async function buildUnpatched(artifacts: Artifacts, progress: Progress): Promise<Artifacts> {
  const { kernel, turns } = artifacts;
  const modules = await buildModules(kernel, ['lab'], progress, { withSeries: false });
  return {
    ...artifacts,
    stock: true,
    modules,
    hostInitramfs: await buildHostInitramfs(kernel, [modules], turns),
  };
}
