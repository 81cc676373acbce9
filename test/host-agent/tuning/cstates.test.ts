// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Host } from '../../../host-agent/host/host.js';
import { idleStates, resumeLatencyFile, resumeLatencyLimit } from '../../../host-agent/tuning/cpuidle.js';
import { measureCStates } from '../../../host-agent/tuning/cstates.js';
import type { Journal } from '../../../host-agent/tuning/journal.js';
import type { HostSystem } from '../../../host-agent/tuning/knob.js';
import { openJournal } from '../../../host-agent/tuning/tune.js';
import { renderCStates } from '../../../src/cli/cstates-table.js';
import { recordedHost, systemAt, unpack } from './recorded-host.js';
import { snapshot } from './snapshot.js';

const cpu = 6;
const file = resumeLatencyFile(cpu);

let folder: string;
let root: string;
let journal: Journal | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmcall-cstates-'));
  root = join(folder, 'host');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function host(name: string): HostSystem {
  unpack(recordedHost(name), root);
  return systemAt(root);
}

/**
 * A CPU with a clock of its own: it obeys a new limit from its next idle period on, which comes some time after,
 * and its packets take 14 us and the exit latency of the deepest state that it may enter.
 */
class FakeCpu {
  #clock = 0;
  #obeyed = Number.POSITIVE_INFINITY;
  readonly #period = 50;

  constructor(private readonly host: Host) {}

  async sleep(milliseconds: number): Promise<void> {
    this.#clock += milliseconds;
    if (milliseconds >= this.#period) this.#obeyed = resumeLatencyLimit(this.host.read(file) ?? '0');
  }

  async measure() {
    const states = idleStates(this.host, cpu).filter(({ exitLatency }) => exitLatency <= this.#obeyed);
    const deepest = states.at(-1);
    const usage = `/sys/devices/system/cpu/cpu${cpu}/cpuidle/state${deepest?.index}/usage`;
    this.host.write(usage, String((deepest?.usage ?? 0) + 100));
    const avg = 14_000 + (deepest?.exitLatency ?? 0) * 1000;
    return { min: avg - 1000, avg, max: avg + this.#clock };
  }
}

function measure(system: HostSystem, fake = new FakeCpu(system.host)) {
  journal = openJournal(system.host, join(folder, 'state'));
  const opened = journal;
  return measureCStates({
    system,
    journal: opened,
    cpu,
    sleep: (ms) => fake.sleep(ms),
    measure: () => fake.measure(),
  }).finally(() => opened.close());
}

const withoutUsage = (tree: Record<string, string>) =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !path.endsWith('/usage')));

describe('the C-state table', () => {
  test('limits to each state in turn, measures it settled, and restores the limit', async () => {
    const system = host('xeon-rt');
    system.host.write(file, '500');
    const before = withoutUsage(snapshot(root));
    const table = await measure(system);
    expect(
      table.rows.map((row) => [row.state, row.exit_latency_us, row.latency_ns.avg, row.entered]),
    ).toEqual([
      ['C0', 0, 14_000, 'POLL'],
      ['C1', 2, 16_000, 'C1'],
      ['C1E', 10, 24_000, 'C1E'],
      ['C3', 33, 47_000, 'C3'],
      ['C6', 133, 147_000, 'C6'],
    ]);
    expect(withoutUsage(snapshot(root))).toEqual(before);
    expect(existsSync(join(folder, 'state', 'tuning.jsonl'))).toBe(false);
  });

  test("is printed in the deck's shape, the deck's own figures apart", async () => {
    const lines = renderCStates(await measure(host('xeon-rt'))).split('\n');
    expect(lines[0]).toMatch(/^Max C-state +C0 +C1 +C1E +C3 +C6$/);
    expect(lines[1]).toMatch(/^Latency, average, us +14\.0 +16\.0 +24\.0 +47\.0 +147\.0$/);
    expect(lines[4]).toMatch(/^C-state exit latency, us \* +0 +2 +10 +33 +133$/);
    expect(lines[6]).toMatch(/^The KVM4NFV talk's average, us \*\* +14 +14\.9 +- +60\.9 +87\.7$/);
    expect(lines[7]).toContain('Intel(R) Xeon(R) CPU E5-2699 v3');
  });

  test('leaves disabled states out', async () => {
    const system = host('xeon-rt');
    system.host.write(`/sys/devices/system/cpu/cpu${cpu}/cpuidle/state4/disable`, '1');
    expect((await measure(system)).rows.map(({ state }) => state)).toEqual(['C0', 'C1', 'C1E', 'C3']);
  });

  test('restores the limit when measuring fails', async () => {
    const system = host('xeon-rt');
    const before = snapshot(root);
    const fake = new FakeCpu(system.host);
    fake.measure = () => Promise.reject(new Error('no packets'));
    await expect(measure(system, fake)).rejects.toThrow('no packets');
    expect(snapshot(root)).toEqual(before);
  });

  test('says that a host has none, and exits 4', async () => {
    await expect(measure(host('vm'))).rejects.toMatchObject({ code: 'NO_C_STATES', exitCode: 4 });
  });

  test('says that a host-wide limit hides some', async () => {
    const system = host('xeon-rt');
    const limit = Buffer.alloc(4);
    limit.writeInt32LE(20);
    writeFileSync(join(root, 'dev/cpu_dma_latency'), limit);
    await expect(measure(system)).rejects.toMatchObject({ code: 'LATENCY_HELD' });
  });
});
