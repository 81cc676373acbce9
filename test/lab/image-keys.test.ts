// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageKeys, type MachineIngredients } from '../../src/lab/image-keys.js';
import { type MachineOptions, machineArguments } from '../../src/lab/machine.js';

let folder: string;
let options: MachineOptions;
const standing = { script: 'exec node', root: '/cache/host-root/1/root.cpio', order: 'stand up' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-image-keys-'));
  options = {
    clock: 'instruction',
    kernel: await file('kernel', 'of Debian'),
    initramfs: await file('initramfs', 'modules and /init'),
    startOneCpu: false,
    tickless: true,
    tscKhz: 1_000_000,
    memoryMiB: 4096,
    hugePages: 460,
    dpdkNics: 1,
    senderNic: 'e1000e',
    testDevice: false,
  };
});

afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const keys = (machine: Partial<MachineOptions> = {}, more: Partial<MachineIngredients> = {}) => {
  const { kernel, initramfs } = options;
  return imageKeys({
    machine: machineArguments({ ...options, ...machine }),
    kernel,
    initramfs,
    standing,
    ...more,
  });
};

test('are the same for the same machine', async () => {
  expect(await keys()).toEqual(await keys());
});

test.each([
  { clock: 'realtime' },
  { startOneCpu: true },
  { tickless: false },
  { tscKhz: 2_400_000 },
  { memoryMiB: 5120 },
  { hugePages: 461 },
  { dpdkNics: 2 },
  { senderNic: 'e1000,mitigation=off' },
] as const)('are others for a machine with %o', async (change) => {
  const [usual, other] = [await keys(), await keys(change)];
  expect(other.booted).not.toBe(usual.booted);
  expect(other.standing).not.toBe(usual.standing);
});

test.each(['kernel', 'initramfs'])('are others when the content of the %s is', async (name) => {
  const usual = await keys();
  const before = name === 'kernel' ? 'of Debian' : 'modules and /init';
  await file(name, `${before}, built anew`);
  const other = await keys();
  await file(name, before);
  expect(other.booted).not.toBe(usual.booted);
  expect(other.standing).not.toBe(usual.standing);
});

test.each(['script', 'root', 'order'])('of a host that stands are others when its %s is', async (what) => {
  const usual = await keys();
  const other = await keys({}, { standing: { ...standing, [what]: 'another' } });
  expect(other.booted).toBe(usual.booted);
  expect(other.standing).not.toBe(usual.standing);
});

test('are none of a host that stands where none shall', async () => {
  expect(Object.keys(await keys({}, { standing: undefined }))).toEqual(['booted']);
});
