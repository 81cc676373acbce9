// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Progress } from '../../support/progress.js';
import { timed } from '../../support/timed-step.js';
import { mirroredSources } from '../archive.js';
import { logged } from '../build.js';
import { ensureDebianPackages } from '../debian-packages.js';
import type { SupportedDistribution } from '../supported.js';

/** What a bare machine has before `npm start`. */
export const bareMachine: RootContents = {
  packages: ['ca-certificates', 'nodejs', 'npm'],
  text: 'with Node.js (500 MB)',
};

/** What a root folder has beside the release's essential packages. */
export interface RootContents {
  packages: readonly string[];
  /** For the progress. */
  text: string;
}
const localAuthorities = '/usr/local/share/ca-certificates';

/**
 * Makes a root folder of a Debian release with some packages in it, from the mirrors that this machine uses, if it is not
 * there yet. Its certificate authorities and proxies are this machine's too, or a company's mirror would not answer.
 * @throws VmcallError SETUP_SOURCES_UNKNOWN, SETUP_ROOT_FAILED
 */
export async function makeRoot(
  root: string,
  wanted: SupportedDistribution,
  progress: Progress,
  { packages, text: contents }: RootContents = bareMachine,
): Promise<void> {
  if (existsSync(root)) return;
  await ensureDebianPackages(progress, true, 'roots');
  const lines = await mirroredSources(wanted);
  await mkdir(join(root, '..'), { recursive: true });
  const aside = await mkdtemp(`${root}.making-`);
  try {
    const sources = join(aside, 'sources.list');
    await writeFile(sources, `${lines.join('\n')}\n`);
    const text = `making a root folder of Debian ${wanted.version} ${contents}`;
    const known = { key: `debian-root-${wanted.version}-${packages.length}`, text, usual: 120 };
    await timed(progress, known, async () => {
      await logged('mmdebstrap', [
        ...['--variant=minbase', `--include=${packages.join(',')}`, '--dpkgopt=force-unsafe-io'],
        ...(await networkSettings()).map((setting) => `--aptopt=${setting}`),
        ...[wanted.codename, join(aside, 'root'), sources],
      ]);
      await trustLocalAuthorities(join(aside, 'root'));
    });
    await rename(join(aside, 'root'), root);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Proxies and the like, as options of apt. */
async function networkSettings(): Promise<string[]> {
  const { stdout } = await execa('apt-config', ['dump', 'Acquire']);
  return stdout.split('\n').filter((line) => /^Acquire::https?::.*(?:Proxy|CaInfo|CAInfo|Verify)/.test(line));
}

async function trustLocalAuthorities(root: string): Promise<void> {
  const names = await readdir(localAuthorities).catch(() => []);
  if (!names.some((name) => name.endsWith('.crt'))) return;
  await cp(localAuthorities, join(root, localAuthorities), { recursive: true });
  await logged('chroot', [root, 'update-ca-certificates']);
}
