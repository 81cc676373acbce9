// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../../src/support/paths.js';

const names = z.record(z.string(), z.string()).default({});
const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ dependencies: names, optionalDependencies: names })),
});
const lockText = readFileSync(join(projectRoot, 'package-lock.json'), 'utf8');
const lock = lockSchema.parse(JSON.parse(lockText));

/** Where Node.js would look for a package from another's folder. */
function found(from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder}${folder && '/'}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

// `npm ci` refuses a lock that lacks one, be it for another kind of machine; `npm install` does not mind.
test('the lock has every package that another asks for, for whichever machine', () => {
  const missing = Object.entries(lock.packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !found(from, name)),
  );
  expect(missing).toEqual([]);
});

describe('npm ci', () => {
  /** What it would do with a lock, by that alone: without network, cache or any folder of packages. */
  const npmCi = (lockText: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'vmcall-npm-ci-'));
    try {
      for (const name of ['package.json', '.npmrc'])
        if (existsSync(join(projectRoot, name))) copyFileSync(join(projectRoot, name), join(folder, name));
      writeFileSync(join(folder, 'package-lock.json'), lockText);
      const words = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--cache', join(folder, 'cache')];
      return spawnSync('npm', words, { cwd: folder, encoding: 'utf8', env: environment });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  /** As a shell has it: `npm test` tells its own settings to what it runs. */
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
  );

  test('takes the lock as it is', () => {
    const { status, stderr } = npmCi(lockText);
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });

  test('says what is wrong with one that it does not take', () => {
    const { status, stderr } = npmCi(lockText.replace('"node_modules/ws"', '"node_modules/ws-of-old"'));
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/\bws\b/);
  });
});
