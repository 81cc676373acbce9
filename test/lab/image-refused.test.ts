// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { LabRequest } from '../../src/lab/request.js';
import type { Artifacts } from '../../src/setup/artifacts.js';
import type { Progress } from '../../src/support/progress.js';

let folder: string;
let lab: typeof import('../../src/lab/run.js');
let keysOf: typeof import('../../src/lab/image-keys.js');
let machine: typeof import('../../src/lab/machine.js');
let artifacts: Artifacts;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-image-refused-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.resetModules();
  lab = await import('../../src/lab/run.js');
  keysOf = await import('../../src/lab/image-keys.js');
  machine = await import('../../src/lab/machine.js');
  const hostKernel = join(folder, 'kernel');
  const hostInitramfs = join(folder, 'initramfs');
  await writeFile(hostKernel, kernelHeader());
  await writeFile(hostInitramfs, 'of no use');
  const kernel = { series: '6.12', vmlinuz: hostKernel };
  artifacts = { kernel, hostKernel, hostInitramfs, programs: folder } as unknown as Artifacts;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** As much of a kernel as QEMU asks for (linux: Documentation/arch/x86/boot.rst). */
function kernelHeader(): Buffer {
  const image = Buffer.alloc(8192);
  image.writeUInt8(1, 0x1f1);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x0206, 0x206);
  image.writeUInt8(1, 0x211);
  // The highest address of the initramfs.
  image.writeUInt32LE(0x7fffffff, 0x22c);
  return image;
}

/** A run by the real QEMU, ended as soon as it says that it boots. */
async function boot(name: string) {
  const steps: string[] = [];
  const stop = new AbortController();
  const step = (text: string) => {
    steps.push(text);
    if (text.startsWith('booting the emulated host')) stop.abort();
  };
  const progress = { step, advance: () => {}, overrun: () => {} } as unknown as Progress;
  const request: LabRequest = {
    artifacts,
    clock: 'instruction',
    folder: join(folder, name),
    scenario: { scenario: 'lost-wakeups', packets: 1, rounds: 1, interval: 350, idleThreshold: 50, seed: 1 },
    progress,
    signal: stop.signal,
    retries: 0,
  };
  return { run: await lab.runLab(request), steps };
}

/** Where a run looks for the image of its host. */
async function imageOf(words: readonly string[]): Promise<string> {
  const backend = machine.backendArguments('', 'instruction').length;
  const { hostKernel: kernel, hostInitramfs: initramfs } = artifacts;
  const keys = await keysOf.imageKeys({
    machine: words.slice(0, -backend),
    kernel,
    initramfs,
    standing: undefined,
  });
  return join(folder, 'vmcall', 'machine-images', keys.booted ?? '');
}

const records = ['host-console.log', 'guest-console.log', 'events.jsonl'];

test.each([
  {
    what: 'is none of a machine',
    memory: Buffer.from('damaged'.repeat(1000)),
    records,
    says: /^the machine's image cannot be restored: .*not a migration stream.*: booting the host instead$/ims,
  },
  {
    what: 'ends too early',
    // QEMU's magic and the version of its format.
    memory: Buffer.from([0x51, 0x45, 0x56, 0x4d, 0, 0, 0, 3]),
    records,
    says: /^the machine's image cannot be restored: .*load of migration failed.*: booting the host instead$/ims,
  },
  {
    what: 'is without its consoles',
    memory: Buffer.from('whole'),
    records: [],
    says: /^the machine's image is not whole: .*host-console\.log.*: booting the host instead$/m,
  },
])('an image that $what is removed, and its host booted', async ({ what, memory, records, says }) => {
  const image = await imageOf((await boot(`first, ${what}`)).run.qemu);
  await mkdir(image, { recursive: true });
  await writeFile(join(image, 'memory'), memory);
  for (const name of records) await writeFile(join(image, name), '{"type":"waiting","stage":"booted"}\n');
  const { run, steps } = await boot(`second, ${what}`);
  expect(steps.join('\n')).toMatch(says);
  expect(run.began).toBe('booted');
  expect(run.failures).toEqual([]);
  // Nothing of the image is in the run's records.
  expect(run.events).toEqual([]);
  expect(await readdir(join(folder, 'vmcall', 'machine-images'))).toEqual([]);
});
