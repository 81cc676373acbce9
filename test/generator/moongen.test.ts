// SPDX-License-Identifier: Apache-2.0
// MoonGen's script without MoonGen and its NIC: what it sends by, under LuaJIT as MoonGen has it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../src/support/paths.js';

const generator = join(projectRoot, 'src/generator');
const sources = join(projectRoot, 'test/generator/moongen');
const packets = 2000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-moongen-'));
  const files = [join(sources, 'gaps.c'), join(generator, 'pattern.c')];
  await execa('gcc', ['-O2', '-I', generator, '-o', join(folder, 'gaps'), ...files, '-lm']);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const numbers = (text: string) => text.split('\n').map(Number);

test.each([
  ['constant', '350', '1'],
  ['uniform:100:900', '350', '1'],
  ['uniform:0:60000000', '350', '7'],
  ['poisson:350', '350', '1'],
  ['poisson:350', '350', '123456789'],
])('on %s it sends when vmcall-generator does', async (...pattern) => {
  const gaps = numbers((await execa(join(folder, 'gaps'), [...pattern, String(packets)])).stdout);
  const script = join(generator, 'moongen/vmcall-latency.lua');
  const words = [join(sources, 'sent.lua'), script, ...pattern, String(packets)];
  const sent = numbers((await execa('luajit', words)).stdout);
  expect(sent).toHaveLength(packets);
  const apart = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
  // The script keeps time in seconds, as MoonGen does: a double's rounding of some thousand seconds.
  const off = apart.map((gap, index) => Math.abs(gap - (gaps[index] ?? 0)));
  expect(Math.max(...off)).toBeLessThan(10_000);
  expect(off.reduce((a, b) => a + b) / off.length).toBeLessThan(1_000);
});

test('refuses a pattern that it does not have', async () => {
  const script = join(generator, 'moongen/vmcall-latency.lua');
  const words = [join(sources, 'sent.lua'), script, 'burst:3:5', '350', '1', '5'];
  await expect(execa('luajit', words)).rejects.toThrow('wanted constant, uniform:LOW:HIGH or poisson:MEAN');
});
