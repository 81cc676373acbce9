// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached } from '../../support/cache.js';
import { exitCodes, VmcallError } from '../../support/errors.js';
import type { Progress } from '../../support/progress.js';
import { timed } from '../../support/timed-step.js';
import { type Archive, archiveOf, downloadPackages, downloadSources, refreshLists } from '../archive.js';
import { here, logged, workFolder } from '../build.js';
import { supported } from '../supported.js';

/** An emulator of Intel CPUs that has VMX, and what it boots with. */
export interface Bochs {
  program: string;
  /** Its own BIOS, of the release that has it: older ones leave IA32_FEATURE_CONTROL unset, and KVM then refuses. */
  bios: string;
}

/** Debian 13's; the later 3.1 dies while these kernels boot, and 2.7 of Debian 12 was not tried. */
const upstream = {
  file: /^bochs_3\.0\+dfsg\.orig\.tar\.xz$/,
  sha256: '78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b',
  release: '13',
};
const patch = here('src', 'setup', 'vmx', 'bochs-3.0.patch');
/** No window, no plug-ins; two CPUs, VMX with all that it has, and what the CPU model that is emulated has. */
const configuration = [
  ...['--with-nogui', '--disable-plugins', '--disable-docbook', '--enable-cdrom', '--enable-pci'],
  ...['--enable-x86-64', '--enable-cpu-level=6', '--enable-smp', '--enable-vmx=2'],
  ...['--enable-all-optimizations', '--enable-handlers-chaining', '--disable-show-ips'],
  ...['avx', 'evex', 'memtype', 'monitor-mwait', 'perfmon', 'protection-keys', 'cet', 'uintr', 'amx'].map(
    (feature) => `--enable-${feature}`,
  ),
];

/**
 * Bochs, built from Debian's source with what mends its VMX: some two minutes of CPU, once. Nothing is installed.
 * @throws VmcallError SETUP_BOCHS_FAILED, SETUP_BUILD_FAILED, SETUP_SOURCES_UNKNOWN
 */
export async function buildBochs(progress: Progress): Promise<Bochs> {
  const folder = await cached('bochs', { files: [patch], values: configuration }, async (target) => {
    const work = await workFolder('bochs');
    try {
      await downloadBochs(work, progress);
      const known = { key: 'bochs', text: 'building Bochs with VMX', usual: 120 };
      await timed(progress, known, () => build(join(work, 'source'), target));
      await copyFile(join(work, 'bios', 'usr', 'share', 'bochs', 'BIOS-bochs-latest'), join(target, 'bios'));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return { program: join(folder, 'bochs'), bios: join(folder, 'bios') };
}

/** Source into `source`, firmware into `bios`. */
async function downloadBochs(work: string, progress: Progress): Promise<void> {
  progress.step("downloading Bochs' source and firmware from Debian");
  const release = supported.distributions.find(({ version }) => version === upstream.release);
  if (!release) throw failed(`Debian ${upstream.release} is not among the supported releases`);
  const archive = await archiveOf(release);
  const files = join(work, 'files');
  await mkdir(files);
  await chmod(work, 0o755);
  if ((await fetchBoth(files, archive)) !== undefined) {
    await refreshLists(archive);
    const failure = await fetchBoth(files, archive);
    if (failure !== undefined) throw failed(failure);
  }
  const names = await readdir(files);
  const source = join(files, names.find((name) => upstream.file.test(name)) ?? '');
  const bios = names.find((name) => /^bochsbios_.*\.deb$/.test(name)) ?? '';
  if (source === files) throw failed(`Debian's source of Bochs is not 3.0: ${names.join(', ')}`);
  const found = createHash('sha256')
    .update(await readFile(source))
    .digest('hex');
  if (found !== upstream.sha256)
    throw failed(`Debian's source of it has SHA-256 ${found}, not ${upstream.sha256}`);
  await mkdir(join(work, 'source'));
  await execa('tar', ['-xf', source, '-C', join(work, 'source'), '--strip-components=1']);
  await execa('dpkg', ['-x', join(files, bios), join(work, 'bios')]);
}

async function fetchBoth(files: string, archive: Archive): Promise<string | undefined> {
  return (
    (await downloadSources(files, ['bochs'], archive)) ??
    (await downloadPackages(files, ['bochsbios'], archive))
  );
}

async function build(source: string, target: string): Promise<void> {
  await logged('patch', ['--strip=1', '--forward', '--directory', source, '--input', patch]);
  await logged('sh', ['-c', 'cd "$1" && shift && ./configure "$@"', 'sh', source, ...configuration]);
  await logged('make', ['-C', source, `-j${availableParallelism()}`, 'bochs']);
  await copyFile(join(source, 'bochs'), join(target, 'bochs'));
  await chmod(join(target, 'bochs'), 0o755);
}

const failed = (why: string) =>
  new VmcallError(
    'SETUP_BOCHS_FAILED',
    `Bochs could not be had: ${why}`,
    'Check the network and the apt sources (apt-get update shows what does not answer), then run the same command again',
    exitCodes.unsupported,
  );
