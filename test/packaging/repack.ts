// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Adds to a repository the same packages with another version, as if it were the next release. */
export async function repackAs(version: string, repository: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'vmcall-repack-'));
  try {
    for (const file of await readdir(repository)) {
      const [, name, own] = /^(vmcall-(?:host|guest|common))_(.+)_\w+\.deb$/.exec(file) ?? [];
      if (name === undefined || own === undefined) continue;
      const folder = join(work, name);
      await execa('dpkg-deb', ['--raw-extract', join(repository, file), folder]);
      const control = join(folder, 'DEBIAN', 'control');
      await writeFile(control, (await readFile(control, 'utf8')).replaceAll(own, version));
      const options = ['--root-owner-group', '-Znone', '--build', folder, repository];
      await execa('dpkg-deb', options);
    }
    const { stdout } = await execa('dpkg-scanpackages', ['--multiversion', '.'], { cwd: repository });
    await writeFile(join(repository, 'Packages'), `${stdout}\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
