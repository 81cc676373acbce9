// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../../src/support/paths.js';

const script = join(projectRoot, 'kernel-patches', 'check-kernel.sh');
let scratch: string;
let tarball: string;
let series: string;

/** As `git format-patch` has it: one line of a file is changed to another, between two that must be as they are. */
const patch = (above: string, from: string, to: string) =>
  `--- a/virt/kvm.c\n+++ b/virt/kvm.c\n@@ -1,3 +1,3 @@\n ${above}\n-${from}\n+${to}\n below\n`;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'vmcall-kernel-'));
  const top = join(scratch, 'linux-source-9.8');
  mkdirSync(join(top, 'virt'), { recursive: true });
  writeFileSync(join(top, 'Makefile'), '# SPDX\nVERSION = 9\nPATCHLEVEL = 8\nSUBLEVEL = 7\nEXTRAVERSION =\n');
  writeFileSync(join(top, 'virt/kvm.c'), 'above\none\nbelow\n');
  tarball = join(scratch, 'linux-source-9.8.tar.xz');
  execFileSync('tar', ['--create', '--xz', '--file', tarball, '--directory', scratch, 'linux-source-9.8']);
  series = join(scratch, 'series');
  mkdirSync(series);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const check = (...words: string[]) => spawnSync(script, words, { encoding: 'utf8' });

describe('check-kernel.sh', () => {
  test('says patch by patch that a series applies', () => {
    writeFileSync(join(series, '0001-one.patch'), patch('above', 'one', 'two'));
    writeFileSync(join(series, '0002-two.patch'), patch('above', 'two', 'three'));
    const { status, stdout } = check('--source', tarball, '--series', series);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: '9.8.7: 0001-one.patch: applies\n9.8.7: 0002-two.patch: applies\n',
    });
  });

  test('says which patch does not, though it would with fuzz', () => {
    writeFileSync(join(series, '0001-one.patch'), patch('another', 'one', 'two'));
    const { status, stdout, stderr } = check('--source', tarball, '--series', series);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '9.8.7: 0001-one.patch: does not apply\n' });
    expect(stderr).toContain('Hunk #1 FAILED');
  });

  test('says that there is no series for a kernel: exit code 4', () => {
    const { status, stdout, stderr } = check('--source', tarball);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '9.8.7: no series\n' });
    expect(stderr).toContain('--series');
  });

  test.each([[], ['--source', '/nowhere.tar.xz'], ['--what']])('refuses %j: exit code 2', (...words) => {
    expect(check(...words).status).toBe(2);
  });
});
