// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { here, logged } from '../../src/setup/build.js';
import { needsNode, type SupportedDistribution } from '../../src/setup/supported.js';
import { cached } from '../../src/support/cache.js';
import type { Progress } from '../../src/support/progress.js';
import { timed } from '../../src/support/timed-step.js';
import { rootWith } from './roots.js';
import { stageSource } from './stage.js';

/** What the packages are made from. */
const ingredients = [
  ...[
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'packaging',
    'kernel-patches',
    'docs',
    'README.md',
  ],
  ...['src', 'host-agent', 'guest-agent'],
];

const sourcesFor = ({ codename }: SupportedDistribution) => ({
  files: ingredients.map((name) => here(name)),
  values: [codename],
});

/**
 * The Debian packages for one release, built in a root folder that has their build dependencies and no network, and
 * passed by lintian; not built again from the same sources.
 * @returns a folder with the packages, and `Packages`, so that apt takes it as a repository
 */
export async function buildPackages(
  distribution: SupportedDistribution,
  progress: Progress,
): Promise<string> {
  const root = await rootWith('build', distribution, await buildContents(), progress);
  return cached('packages', sourcesFor(distribution), async (folder) => {
    const text = `building the packages for Debian ${distribution.version}`;
    await timed(progress, { key: `packages-${distribution.version}`, text, usual: 120 }, () =>
      buildIn(root, distribution, folder),
    );
  });
}

/** Build dependencies as debian/control has them, and what checks packages. */
export async function buildContents() {
  const control = await readFile(here('packaging', 'debian', 'control'), 'utf8');
  const list = /^Build-Depends:\n((?: .+\n)+)/m.exec(control)?.[1] ?? '';
  const names = [...list.matchAll(/^ ([a-z0-9.+-]+)/gm)].map(([, name = '']) => name);
  const packages = [
    ...names.filter((name) => name !== 'debhelper-compat'),
    ...['debhelper', 'build-essential'],
  ];
  return {
    packages: [...packages, 'lintian', 'fakeroot', 'apt-utils'].sort(),
    text: 'to build packages in (900 MB)',
  };
}

async function buildIn(root: string, distribution: SupportedDistribution, folder: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'vmcall-packages-'));
  try {
    const source = join(work, 'vmcall');
    await mkdir(source);
    await stageSource(source);
    const profiles = needsNode(distribution) ? 'pkg.vmcall.node' : '';
    await logged('unshare', [
      ...['--mount', '--pid', '--fork', '--net', here('packaging', 'build', 'build-in-root.sh')],
      ...[root, work, here('node_modules'), profiles],
    ]);
    for (const file of await readdir(work)) {
      if (!/\.(?:deb|buildinfo|changes)$/.test(file)) continue;
      await cp(join(work, file), join(folder, file));
    }
    await cp(join(work, 'Packages'), join(folder, 'Packages'));
    await writeFile(join(folder, 'distribution'), `${distribution.codename}\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
