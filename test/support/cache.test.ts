// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

let folder: string;
let source: string;
let cached: typeof import('../../src/support/cache.js').cached;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-cache-'));
  source = join(folder, 'source.c');
  vi.stubEnv('XDG_CACHE_HOME', folder);
  ({ cached } = await import('../../src/support/cache.js'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const build = (built: string[]) => async (target: string) => {
  built.push(target);
  await writeFile(join(target, 'out'), 'x');
};

describe('content-keyed cache', () => {
  test('builds once for the same ingredients, again for others', async () => {
    const built: string[] = [];
    await writeFile(source, 'one');
    const first = await cached('thing', { files: [source], values: ['v'] }, build(built));
    expect(await cached('thing', { files: [source], values: ['v'] }, build(built))).toBe(first);
    expect(built).toHaveLength(1);
    expect(await cached('thing', { files: [source], values: ['w'] }, build(built))).not.toBe(first);
    await writeFile(source, 'two');
    expect(await cached('thing', { files: [source], values: ['v'] }, build(built))).not.toBe(first);
    expect(built).toHaveLength(3);
  });

  test('keeps nothing of a build that failed', async () => {
    const failing = cached('broken', { files: [], values: ['x'] }, async () => {
      throw new Error('no compiler');
    });
    await expect(failing).rejects.toThrow('no compiler');
    expect(await readdir(join(folder, 'vmcall', 'broken'))).toEqual([]);
  });

  test('two builds at once give one artifact', async () => {
    const built: string[] = [];
    const [a, b] = await Promise.all([
      cached('twice', { files: [], values: [] }, build(built)),
      cached('twice', { files: [], values: [] }, build(built)),
    ]);
    expect(a).toBe(b);
    expect(await readdir(join(folder, 'vmcall', 'twice'))).toHaveLength(1);
  });

  test('keeps so many versions, and of the others those that were used lately', async () => {
    const make = (value: string, others: number) =>
      cached('many', { files: [], values: [value] }, build([]), { versions: 2, others });
    const [first, second] = [await make('1', 0), await make('2', 0)];
    const hourAgo = new Date(Date.now() - 3_600_000);
    for (const path of [first, second]) await utimes(path, hourAgo, hourAgo);
    await make('3', 7_200_000);
    expect(await readdir(join(folder, 'vmcall', 'many'))).toHaveLength(3);
    await make('2', 0);
    const fourth = await make('4', 1_800_000);
    const left = (await readdir(join(folder, 'vmcall', 'many'))).map((name) =>
      join(folder, 'vmcall', 'many', name),
    );
    expect(left).not.toContain(first);
    expect(left).toEqual(expect.arrayContaining([second, fourth]));
  });
});
