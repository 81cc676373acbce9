// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureDebianPackages } from '../../src/setup/debian-packages.js';
import {
  defaultKernelSeries,
  type KernelPackages,
  type KernelSeries,
  kernelPackages,
  kernelSeriesHere,
} from '../../src/setup/kernel-packages.js';
import { projectRoot } from '../../src/support/paths.js';
import { stderrProgress } from '../../src/support/progress.js';

const minutes = 60_000;
const patches = join(projectRoot, 'kernel-patches');
const patchFiles = (series: string) =>
  readdirSync(join(patches, series))
    .filter((name) => name.endsWith('.patch'))
    .sort();
const read = (series: string, name: string) => readFileSync(join(patches, series, name), 'utf8');

/** The series of one kernel, checked as it is or after a change. */
function checker(series: KernelSeries) {
  let kernel: KernelPackages;
  let scratch: string;
  beforeAll(async () => {
    await ensureDebianPackages(stderrProgress(), true);
    kernel = await kernelPackages(series, stderrProgress());
    scratch = mkdtempSync(join(tmpdir(), 'vmcall-series-'));
  }, 20 * minutes);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  return (name?: string, from = '', to = '') => {
    const folder = mkdtempSync(join(scratch, 'series-'));
    cpSync(join(patches, series), folder, { recursive: true });
    if (name !== undefined) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(text).toContain(from);
      writeFileSync(join(folder, name), text.replace(from, to));
    }
    return spawnSync(join(patches, 'check-series.sh'), [folder, kernel.source], { encoding: 'utf8' });
  };
}

describe.each(kernelSeriesHere)('the series for %s', (series) => {
  const check = checker(series);

  test("applies to Debian's source, and the cover letter answers checkpatch", {
    timeout: 5 * minutes,
  }, () => {
    const { status, stderr } = check();
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });
});

describe('a series', () => {
  const check = checker(defaultKernelSeries);

  test('is refused where its context is not that of the source', { timeout: 5 * minutes }, () => {
    const [first = ''] = patchFiles(defaultKernelSeries);
    // One line of context, which patch(1) would let pass as fuzz.
    const { status, stderr } = check(first, '\n #define IRQBYPASS_H\n', '\n #define IRQBYPASS_K\n');
    expect(status).toBe(1);
    expect(stderr).toContain('does not apply');
  });

  test('is refused with a remark unanswered, or an answer to none', { timeout: 5 * minutes }, () => {
    const { status, stderr } = check('cover-letter.txt', '0006 BIT_MACRO:', '0007 BIT_MACRO:');
    expect(status).toBe(1);
    expect(stderr).toContain('unanswered: 0006 BIT_MACRO');
    expect(stderr).toContain('answered, but not said: 0007 BIT_MACRO');
  });
});

describe('all series', () => {
  /** Also of kernels that no lab runs yet. */
  const all = readdirSync(patches).filter((name) => /^\d+\.\d+$/.test(name));
  const value = (text: string) => text.replace(/^\((.*)\)$/, '$1').replace(/^(0x[0-9a-f]+)U$/, '$1');
  /** What a series adds to the kernel's headers for user space: names and values. */
  const constants = (series: string) => {
    const found = new Map<string, string>();
    for (const name of patchFiles(series))
      for (const part of read(series, name).split(/^diff --git /m))
        if (/^a\/(arch\/x86\/)?include\/uapi\//.test(part))
          for (const [, constant = '', text = ''] of part.matchAll(/^\+#define\s+(\w+)\s+(.+?)\s*$/gm))
            found.set(constant, value(text));
    return found;
  };
  const subjects = (series: string) =>
    patchFiles(series).map((name) =>
      /^Subject: \[PATCH\] (.*(?:\n .*)*)/m.exec(read(series, name))?.[1]?.replaceAll('\n', ''),
    );

  test('have the same patches', () => {
    for (const series of all) expect(subjects(series)).toEqual(subjects(defaultKernelSeries));
  });

  test('have the same numbers, which are those of the stand-alone header', () => {
    const header = new Map(
      [...read('abi', 'vcpu_yield.h').matchAll(/^#define\s+(\w+)\s+(.+?)\s*$/gm)].map(
        ([, constant = '', text = '']) => [constant, value(text)],
      ),
    );
    for (const series of all) {
      const ours = constants(series);
      expect([...ours]).toEqual([...constants(defaultKernelSeries)]);
      expect(ours.get('KVM_CAP_X86_VCPU_YIELD')).toBe('1013');
      expect(ours.get('KVM_CAP_IRQFD_HARDIRQ')).toBe('1014');
      // The header is the guest's: the capabilities are the VMM's.
      for (const [constant, number] of ours)
        if (!/^KVM_CAP_/.test(constant)) expect(header.get(constant), constant).toBe(number);
    }
  });
});
