// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { distributionOf } from '../../src/results/histogram.js';
import { parseResult } from '../../src/results/migrate.js';
import { readResult } from '../../src/results/read.js';
import { resultSchema } from '../../src/results/schema.js';

/** A real run's document, as version 1 was written. */
const fixture = join(import.meta.dirname, 'fixtures', 'run-v1.json');
let v1: Record<string, unknown>;
let folder: string;
beforeAll(async () => {
  v1 = JSON.parse(await readFile(fixture, 'utf8'));
  folder = await mkdtemp(join(tmpdir(), 'vmcall-results-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const code = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return undefined;
};

describe('result documents', () => {
  test('of version 1 still read, with every figure they had', async () => {
    const result = await readResult(fixture);
    expect(result).toMatchObject({ version: 3, quantity: 'round-trip', made_by: { name: 'vmcall' } });
    const vmcall = result.paths.find(({ name }) => name === 'vmcall');
    expect(vmcall).toMatchObject({ exits_per_packet: 1.002, cpu_handed_back: 0.971 });
    expect(vmcall?.latency_ns).toMatchObject({ min: 40_774, p50: 46_559, max: 86_159 });
    expect(vmcall?.rounds.map(({ latency_histogram }) => latency_histogram)).toEqual([null, null]);
    expect(() => resultSchema.parse(result)).not.toThrow();
  });

  test('of the present version read back as they were written, also from their folder', async () => {
    const result = await readResult(fixture);
    await writeFile(join(folder, 'result.json'), JSON.stringify(result));
    expect(await readResult(folder)).toEqual(result);
  });

  test('of version 2 still read, stages, references and course included', async () => {
    const result = await readResult(join(import.meta.dirname, 'fixtures', 'run-v2.json'));
    expect(result.paths.find(({ name }) => name === 'vmcall')?.stages).toHaveLength(4);
    expect(result.references.map(({ name }) => name)).toEqual(['native-poll', 'l3fwd-power']);
    expect(result.targets.every(({ reached }) => reached)).toBe(true);
    const { points = [], marks = [] } = result.timeline ?? {};
    expect(new Set(points.map(({ path }) => path))).toEqual(new Set(result.paths.map(({ name }) => name)));
    expect(marks).toHaveLength(2 * result.paths.length);
  });

  test('hold histograms that give their own percentiles again', async () => {
    for (const path of (await readResult(fixture)).paths) {
      const { bins, total } = distributionOf(path.latency_histogram, path.latency_ns);
      expect(total).toBe(path.received);
      expect([bins[0]?.value, bins.at(-1)?.value].every((value) => value !== undefined)).toBe(true);
      expect(bins.at(-1)?.value).toBe(path.latency_ns.max);
    }
  });

  test('of a version to come are refused as such', () => {
    expect(code(() => parseResult({ ...v1, version: 4 }, 'x'))).toBe('RESULT_TOO_NEW');
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['another format', { format: 'vmcall-comparison', version: 1 }],
    ['an unknown field', { extra: 1 }],
    ['a negative count', { retries: -1 }],
    ['paths that are not a list', { paths: {} }],
  ])('%s is refused with what is wrong', (_, change) => {
    const document = change !== null && !Array.isArray(change) ? { ...v1, ...change } : change;
    expect(code(() => parseResult(document, 'x'))).toBe('RESULT_INVALID');
  });

  test('a file that is no JSON, or not there, ends in words', async () => {
    const file = join(folder, 'broken.json');
    await writeFile(file, '{"format": "vmcall-res');
    await expect(readResult(file)).rejects.toMatchObject({ code: 'RESULT_INVALID' });
    await expect(readResult(join(folder, 'absent'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
