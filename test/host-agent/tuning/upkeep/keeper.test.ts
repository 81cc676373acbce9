// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readThread } from '../../../../host-agent/host/thread.js';
import { TuningKeeper } from '../../../../host-agent/tuning/upkeep/keeper.js';
import { tuneCommand } from '../../../../src/cli/tune.js';
import { changed, recordedHost, systemAt, unpack } from '../recorded-host.js';
import { snapshot } from '../snapshot.js';

const uuid = 'b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e10';
const nic = '/sys/bus/pci/devices/0000:81:00.0/msi_irqs';

let folder: string;
let root: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmcall-kept-'));
  root = join(folder, 'host');
  state = join(folder, 'state');
  unpack(recordedHost('xeon-rt'), root);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = undefined;
});

const host = () => systemAt(root).host;
const keeperOf = () =>
  new TuningKeeper({ host: host(), state, intervalMs: 1000, log: pino({ level: 'silent' }) });

async function tune(...words: string[]): Promise<void> {
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(() => true),
  );
  try {
    await tuneCommand(() => systemAt(root)).parseAsync([...words, '--state', state], { from: 'user' });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), `${text}\n`);
}

/** The guest's driver gives its interrupts back and asks for others, which go where the kernel likes. */
function restartDpdk(...irqs: number[]): void {
  rmSync(join(root, nic), { recursive: true });
  for (const [vector, irq] of irqs.entries()) {
    put(`${nic}/${irq}`, 'msix');
    put(`/proc/irq/${irq}/smp_affinity_list`, '0-7');
    put(`/sys/kernel/irq/${irq}/actions`, `vfio-msix[${vector}](0000:81:00.0)`);
  }
}

const affinity = (irq: number) => host().read(`/proc/irq/${irq}/smp_affinity_list`);

describe('what tune apply did', () => {
  test('holds over a restart of DPDK in the guest, whatever the numbers of its interrupts', async () => {
    await tune('apply', 'dpdk0');
    const keeper = keeperOf();
    await keeper.look();
    expect(keeper.status(uuid)).toMatchObject({ set_again: 0, last_set: null, problem: null });
    restartDpdk(47, 48);
    await keeper.look();
    expect([47, 48].map(affinity)).toEqual(['6', '6']);
    expect(keeper.status(uuid)?.set_again).toBe(2);
    restartDpdk(47, 48);
    await keeper.look();
    expect([47, 48].map(affinity)).toEqual(['6', '6']);
    await keeper.look();
    expect(keeper.status(uuid)?.set_again).toBe(4);
  });

  test('each vector of each function has its CPU again', async () => {
    const threads = { '2000/task/2015': ['CPU 2/KVM', 'fifo:10', '7'] } as const;
    rmSync(root, { recursive: true });
    unpack(
      changed('xeon-rt', { threads, files: { '/sys/kernel/debug/kvm/2000-14/vcpu2/pid': '2015' } }),
      root,
    );
    await tune('apply', 'dpdk0', '--nic', '0000:81:00.0=6,7');
    const keeper = keeperOf();
    await keeper.look();
    restartDpdk(50, 51, 52);
    await keeper.look();
    expect([50, 51, 52].map(affinity)).toEqual(['6', '6', '7']);
  });

  test('holds over a restart of the guest, which is another process then', async () => {
    await tune('apply', 'dpdk0');
    const keeper = keeperOf();
    await keeper.look();
    for (const gone of ['proc/2000', 'sys/kernel/debug/kvm/2000-14', 'sys/kernel/kvm/2000-14'])
      rmSync(join(root, gone), { recursive: true });
    keeper.kick(uuid);
    await keeper.look();
    expect(keeper.status(uuid)?.problem).toBeNull();
    const begun = changed('xeon-rt', {});
    const moved = (entries: Record<string, unknown>) =>
      Object.fromEntries(
        Object.entries(entries)
          .filter(([path]) => /^(\/proc\/2000|2000|\/sys\/kernel\/(debug\/)?kvm\/2000)/.test(path))
          .map(([path, value]) => [path.replace('2000', '5000'), value]),
      );
    unpack(
      {
        ...begun,
        files: moved(begun.files),
        links: moved(begun.links),
        threads: moved(begun.threads),
      } as never,
      root,
    );
    put('/proc/5000/task/5000/comm', 'qemu-system-x86');
    restartDpdk(45, 46);
    // Nobody tells of it: it is looked for.
    await keeper.look();
    expect(readThread(host(), '/proc/5000/task/2011')?.scheduling).toEqual({ policy: 'fifo', priority: 10 });
    expect(readThread(host(), '/proc/5000')?.cpus).toBe('0-1,4-5');
    expect(host().read('/sys/kernel/kvm/5000-14/irqfd_hardirq')).toBe('1');
    expect([45, 46].map(affinity)).toEqual(['6', '6']);
    expect(keeper.status(uuid)?.problem).toBeNull();
  });

  test('holds over a restart of the host, and is restored to what that boot had', async () => {
    await tune('apply', 'dpdk0');
    rmSync(root, { recursive: true });
    unpack(recordedHost('xeon-rt'), root);
    writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), 'another\n');
    const before = snapshot(root);
    const keeper = keeperOf();
    await keeper.look();
    expect(host().read('/sys/module/kvm/parameters/halt_poll_ns')).toBe('0');
    expect(affinity(45)).toBe('6');
    await tune('restore');
    expect(snapshot(root)).toEqual(before);
    await keeper.look();
    expect(snapshot(root)).toEqual(before);
    expect(keeper.status(uuid)).toBeUndefined();
  });

  test('is not kept where it is not to be, or where a question was open', async () => {
    await tune('apply', 'dpdk0', '--no-keep');
    const keeper = keeperOf();
    await keeper.look();
    expect(keeper.status(uuid)).toBeUndefined();
    await tune('apply', 'dpdk0', '--pin', '1=7');
    await keeper.look();
    expect(keeper.status(uuid)).toBeUndefined();
  });

  test('is not set while a question is open, and that is reported', async () => {
    await tune('apply', 'dpdk0');
    const keeper = keeperOf();
    await keeper.look();
    rmSync(join(root, 'proc/2000/fd/20'));
    restartDpdk(45);
    const before = snapshot(root);
    keeper.kick(uuid);
    await keeper.look();
    expect(keeper.status(uuid)?.problem?.code).toBe('no-nic');
    expect(snapshot(root)).toEqual(before);
  });

  test('is left to a program that sets it otherwise again and again', async () => {
    await tune('apply', 'dpdk0');
    const keeper = keeperOf();
    for (let time = 0; time < 25; time++) {
      host().write('/proc/irq/45/smp_affinity_list', '4');
      await keeper.look();
    }
    expect(affinity(45)).toBe('4');
    expect(affinity(46)).toBe('6');
    const { problem, set_again } = keeper.status(uuid) ?? {};
    expect(problem).toMatchObject({ code: 'TUNING_CONTESTED' });
    expect(problem?.message).toContain('0000:81:00.0/irq/45');
    expect(set_again).toBe(20);
  });

  test('costs its record no more with each restart', async () => {
    await tune('apply', 'dpdk0');
    const keeper = keeperOf();
    const pending = () => {
      const lines = readFileSync(join(state, 'tuning.jsonl'), 'utf8').trim().split('\n');
      const types = lines.map((line) => JSON.parse(line).type);
      return (
        types.filter((type) => type === 'change').length - types.filter((type) => type === 'undone').length
      );
    };
    const first = pending();
    for (let time = 0; time < 4; time++) {
      restartDpdk(60 + 2 * time, 61 + 2 * time);
      await keeper.look();
    }
    expect(pending()).toBe(first);
  });

  test('a damaged request is reported, and the others are kept', async () => {
    await tune('apply', 'dpdk0');
    writeFileSync(join(state, 'kept', 'bad.json'), '{');
    const keeper = keeperOf();
    restartDpdk(49);
    await keeper.look();
    expect(affinity(49)).toBe('6');
  });
});

test('the non-threaded handler that tune switched on is known as its', async () => {
  const keeper = keeperOf();
  expect(keeper.keepsHardirq(uuid)).toBe(false);
  await tune('apply', 'dpdk0');
  expect(keeper.keepsHardirq(uuid)).toBe(true);
  renameSync(join(state, 'kept'), join(state, 'gone'));
  expect(keeper.keepsHardirq(uuid)).toBe(false);
});
