// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkCommand } from '../../src/cli/check.js';
import { renderReport } from '../../src/report/report.js';
import { importResult } from '../../src/results/import/import.js';
import { type Judgement, judgementSchema, limitSets, publishedMaxima } from '../../src/results/limits.js';
import { parseResult } from '../../src/results/migrate.js';
import type { Result } from '../../src/results/schema.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmcall-limits-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = undefined;
});

/** A run of cyclictest or oslat with one thread a CPU, each with that maximum in us. */
function imported(tool: 'cyclictest' | 'oslat', ...maxima: number[]): Result {
  const thread = Object.fromEntries(
    maxima.map((max, cpu) => [
      String(cpu),
      { histogram: { '1': 99, [max]: 1 }, cycles: 100, min: 1, avg: (99 + max) / 100, max, cpu },
    ]),
  );
  const text = JSON.stringify({ file_version: 1, 'rt_test_version:': '2.40', thread });
  return importResult(tool, text, { source: `${tool}.json`, clock: 'bare-metal' } as never);
}

function keep(name: string, result: Result): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(result));
  return file;
}

async function judge(
  platform: string,
  ...files: string[]
): Promise<{ judgement: Judgement; exitCode: unknown }> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await checkCommand().parseAsync(['--limits', platform, '--json', ...files], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return { judgement: judgementSchema.parse(JSON.parse(written.join(''))), exitCode: process.exitCode };
}

describe('vmcall check --limits', () => {
  test.each([
    ['rhel-rt', 'cyclictest', 40, 0],
    ['rhel-rt', 'cyclictest', 41, 1],
    ['rhel-rt', 'oslat', 20, 0],
    ['rhel-rt', 'oslat', 21, 1],
    ['kubevirt', 'oslat', 40, 0],
    ['kubevirt', 'oslat', 41, 1],
    ['seapath', 'cyclictest', 100, 0],
    ['seapath', 'cyclictest', 101, 1],
  ] as const)('%s: %s with a maximum of %i us ends with %i', async (platform, tool, max, code) => {
    const { judgement, exitCode } = await judge(platform, keep('a.json', imported(tool, 3, max)));
    expect(exitCode).toBe(code);
    expect(judgement.judged.map(({ max_us, within }) => [max_us, within])).toEqual([
      [3, true],
      [max, code === 0],
    ]);
  });

  test('both tools of a platform, and which of them was not given', async () => {
    const [timers, stolen] = [
      keep('a.json', imported('cyclictest', 12)),
      keep('b.json', imported('oslat', 30)),
    ];
    expect((await judge('rhel-rt', timers)).judgement).toMatchObject({ within: true, not_given: ['oslat'] });
    const { judgement, exitCode } = await judge('rhel-rt', timers, stolen);
    expect(judgement).toMatchObject({ within: false, not_given: [] });
    expect(exitCode).toBe(1);
    expect(judgement.meaning).toContain('Neither is a device’s wake');
  });

  test('a tool for which there is no limit, and a device’s wake, are not judged, and never within', async () => {
    expect((await judge('kubevirt', keep('a.json', imported('cyclictest', 1)))).exitCode).toBe(1);
    const own = parseResult(JSON.parse(readFileSync('test/results/fixtures/run-v2.json', 'utf8')), 'x');
    const { judgement, exitCode } = await judge('seapath', keep('a.json', own));
    expect(judgement).toMatchObject({ judged: [], within: false });
    expect(judgement.objections[0]).toContain('round-trip');
    expect(exitCode).toBe(1);
  });

  test('a thread that is all above the histogram is no reason to call the others within', async () => {
    const text = readFileSync('test/results/imports/cyclictest-one-thread-all-above.json', 'utf8');
    const result = importResult('cyclictest', text, { source: 'x', clock: 'bare-metal' } as never);
    const { judgement } = await judge('seapath', keep('a.json', result));
    expect(judgement.within).toBe(false);
    expect(judgement.objections[0]).toContain('above the histogram');
  });

  test('a run that ended early, or on an emulated machine, is not', async () => {
    const partial = { ...imported('oslat', 2), partial: { why: 'it was interrupted', done: 0.1 } };
    expect((await judge('rhel-rt', keep('a.json', partial))).exitCode).toBe(1);
    const emulated = { ...imported('oslat', 2), clock: 'instruction' as const };
    expect((await judge('rhel-rt', keep('a.json', emulated))).exitCode).toBe(1);
  });

  test('without a result, or with two domains, it is a usage error', async () => {
    await expect(judge('rhel-rt')).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 });
    const command = checkCommand(() => ({}) as never);
    await expect(command.parseAsync(['a', 'b'], { from: 'user' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

test('the documents have the same figures', () => {
  const rows = readFileSync('docs/results.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  for (const [name, limits] of Object.entries(limitSets)) {
    const row = rows.find((cells) => cells.includes(`\`${name}\``));
    const of = (tool: string) => limits.find((limit) => limit.tool === tool)?.us;
    const cell = (us: number | undefined) => (us === undefined ? '' : `${us} us`);
    expect(row?.slice(2, 4)).toEqual([cell(of('cyclictest')), cell(of('oslat'))]);
  }
  const starlingx = rows.find(([, platform]) => platform?.startsWith('StarlingX'))?.[2];
  for (const { us, platform } of publishedMaxima) {
    expect(starlingx).toContain(String(us));
    expect(starlingx).toContain(/kernel ([\d.]+)/.exec(platform)?.[1]);
  }
});

test('the report names each limit as theirs, and says what it measures', () => {
  const page = renderReport([{ source: 'a.json', result: imported('cyclictest', 12) } as never]);
  for (const name of ['RHEL for Real Time', 'KubeVirt', 'SEAPATH', 'StarlingX']) expect(page).toContain(name);
  expect(page).toMatch(/SEAPATH<small>.*?<td>cyclictest<\/td><td>100<\/td><td>12\.00<\/td>/s);
  expect(page).toContain('Neither is a device’s wake');
});
