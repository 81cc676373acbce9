// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../src/support/paths.js';

const bootstrap = join(projectRoot, 'src', 'setup', 'bootstrap.mjs');
const start = (words: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, [bootstrap, ...words], { encoding: 'utf8', env: { ...process.env, ...env } });

describe('npm start', () => {
  test('names a cache folder it cannot use, with its cure, and exits 4 at once', () => {
    const { status, stderr, stdout } = start(['lab'], { XDG_CACHE_HOME: '/etc/passwd' });
    expect(status).toBe(4);
    expect(stderr).toContain('SETUP_CACHE_UNWRITABLE');
    expect(stderr).toContain('XDG_CACHE_HOME');
    expect(stdout).toBe('');
  });

  test('exits 2 on an option that does not exist or a value out of range', () => {
    expect(start(['lab', '--no-such-option']).status).toBe(2);
    const { status, stderr } = start(['lab', '--packets', '0']);
    expect(status).toBe(2);
    expect(stderr).toContain('not a whole number from 1 to 100000');
    expect(start(['lab', '--kernel', '5.10']).status).toBe(2);
  });
});
