// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let cache: string;
let run: string;
let images: typeof import('../../src/lab/images.js');

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'vmcall-images-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
  vi.resetModules();
  images = await import('../../src/lab/images.js');
  run = join(cache, 'run');
  await mkdir(run);
  await writeFile(join(run, 'events.jsonl'), '{"type":"waiting","stage":"booted"}\n');
  for (const name of ['host', 'guest']) await writeFile(join(run, `${name}-console.log`), `${name}\n`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

/** As QEMU writes it. */
const save = (content: string) => async (file: string) => {
  await writeFile(file, content);
  return undefined;
};

test('is kept whole, with what came before it, and found by its key', async () => {
  expect(await images.findImage('one')).toBeUndefined();
  expect(await images.keepImage('one', run, save('memory of one'))).toBeUndefined();
  const image = await images.findImage('one');
  if (!image) throw new Error('it is not found');
  expect(await readFile(image.memory, 'utf8')).toBe('memory of one');
  const later = join(cache, 'later');
  await mkdir(later);
  expect(await images.copyRecords(image, later)).toBe(1);
  expect((await readdir(later)).sort()).toEqual(['events.jsonl', 'guest-console.log', 'host-console.log']);
  await images.dropImage(image);
  expect(await images.findImage('one')).toBeUndefined();
});

test('that QEMU cannot save leaves nothing, and says why', async () => {
  expect(await images.keepImage('two', run, async () => 'no room')).toBe('no room');
  expect(await readdir(join(cache, 'vmcall', 'machine-images'))).toEqual([]);
});

test('of the same key made at once, the first stays', async () => {
  expect(await images.keepImage('three', run, save('first'))).toBeUndefined();
  expect(await images.keepImage('three', run, save('second'))).toBeUndefined();
  const image = await images.findImage('three');
  expect(image && (await readFile(image.memory, 'utf8'))).toBe('first');
  expect(await readdir(join(cache, 'vmcall', 'machine-images'))).toEqual(['three']);
});

test('is forgotten when a dozen were used after it', async () => {
  for (let nth = 0; nth < 12; nth++) await images.keepImage(`later-${nth}`, run, save(`${nth}`));
  expect(await images.findImage('three')).toBeUndefined();
  expect(await images.findImage('later-11')).toBeDefined();
});
