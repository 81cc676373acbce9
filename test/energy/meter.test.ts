// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { EnergyMeter } from '../../src/energy/meter.js';
import type { Files } from '../../src/energy/powercap.js';
import { energyLines, energySchema } from '../../src/results/energy.js';

const folder = '/sys/class/powercap';
const range = 262_143_328_850;

/** A host of two packages and their memory, whose counters and clock the test moves. */
class FakeHost implements Files {
  at = 1000;
  readonly files: Record<string, string> = {
    ...zone('intel-rapl:0', 'package-0', 5_000_000),
    ...zone('intel-rapl:0:0', 'core', 1_000_000),
    ...zone('intel-rapl:0:1', 'dram', 2_000_000),
    ...zone('intel-rapl:1', 'package-1', range - 1_000_000),
    ...zone('intel-rapl:2', 'psys', 9_000_000),
    ...zone('intel-rapl-mmio:0', 'package-0', 5_000_000),
  };
  #cpu = { user: 100, idle: 1000, vm: 50 };

  constructor() {
    this.#write();
  }

  read(path: string): string | null {
    return this.files[path] ?? null;
  }

  names(path: string): string[] {
    const below = Object.keys(this.files).filter((file) => file.startsWith(`${path}/`));
    return [...new Set(below.map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))];
  }

  now = () => this.at;

  /** So many J in each counter that is added up, CPU time in s. */
  pass(seconds: number, joules: Record<string, number>, busy = 0, vm = 0, cpus = 2): void {
    this.at += seconds * 1000;
    for (const [name, amount] of Object.entries(joules)) {
      const file = `${folder}/${name}/energy_uj`;
      this.files[file] = String((Number(this.files[file]) + amount * 1e6) % range);
    }
    this.#cpu.user += busy * 100;
    this.#cpu.idle += (seconds * cpus - busy) * 100;
    this.#cpu.vm += vm * 100;
    this.#write();
  }

  #write(): void {
    const { user, idle, vm } = this.#cpu;
    this.files['/proc/stat'] = `cpu  ${user} 0 0 ${idle} 0 0 0 0 7 0\ncpu0 1 2 3`;
    this.files['/proc/2000/stat'] = `2000 (qemu) (x) S ${Array(10).fill(0).join(' ')} ${vm} 0 0`;
  }
}

const zone = (entry: string, name: string, energy: number) => ({
  [`${folder}/${entry}/name`]: `${name}\n`,
  [`${folder}/${entry}/energy_uj`]: `${energy}\n`,
  [`${folder}/${entry}/max_energy_range_uj`]: `${range}\n`,
});

function open(host: FakeHost, pid: number | null = 2000): EnergyMeter {
  const opened = EnergyMeter.open(host, pid, host);
  if ('absent' in opened) throw new Error(opened.absent);
  return opened.meter;
}

describe('what a host takes', () => {
  test('is its packages and their memory, each once, a counter that begins again included', async () => {
    const host = new FakeHost();
    const meter = open(host);
    await meter.during(
      async () =>
        host.pass(
          10,
          { 'intel-rapl:0': 200, 'intel-rapl:0:0': 90, 'intel-rapl:0:1': 20, 'intel-rapl:1': 180 },
          4,
          1,
        ),
      () => ({ of: 'vmcall', packets: 1000 }),
    );
    const { zones, during } = energySchema.parse(meter.energy);
    expect(zones).toEqual(['package-0', 'dram of package-0', 'package-1']);
    expect(during[0]).toMatchObject({ of: 'vmcall', seconds: 10, packets: 1000 });
    expect(during[0]?.joules).toBeCloseTo(400, 6);
    expect(during[0]?.watt_hours_per_hour).toBeCloseTo(40, 6);
    expect(during[0]?.joules_per_packet).toBeCloseTo(0.4, 6);
    // 20 s of CPU time, 4 busy, 1 the VM's: of the 400 J a fifth was not idling, and of that a quarter the VM's.
    expect(during[0]?.vm).toMatchObject({ cpu_seconds: 1, of_busy: 0.25 });
    expect(during[0]?.vm?.joules).toBeCloseTo(20, 6);
  });

  test('is reported before, during and after, rounds of a path added up', async () => {
    const host = new FakeHost();
    const meter = open(host);
    const passing = setInterval(() => host.pass(1, { 'intel-rapl:0': 10 }), 1);
    await meter.before(20);
    clearInterval(passing);
    for (const of of ['injected', 'vmcall', 'injected'])
      await meter.during(
        async () => host.pass(5, { 'intel-rapl:0': of === 'vmcall' ? 50 : 100 }, 2, 1),
        () => ({ of, packets: 10 }),
      );
    const { before, after, during } = meter.energy;
    expect(before?.watt_hours_per_hour).toBeCloseTo(10, 6);
    expect(after).toBeNull();
    expect(during.map(({ of, seconds, packets }) => [of, seconds, packets])).toEqual([
      ['injected', 10, 20],
      ['vmcall', 5, 10],
    ]);
    expect(during[0]?.vm).toMatchObject({ cpu_seconds: 2, of_busy: 0.5 });
    const lines = energyLines(meter.energy).join('\n');
    expect(lines).toContain('before: 10.0 W (10.0 Wh an hour)');
    expect(lines).toContain(
      'vmcall: 10.0 W (10.0 Wh an hour), 5000000.0 uJ a packet; Kepler would give the VM',
    );
    expect(lines).not.toContain('after');
  });

  test('has no share of a VM whose process is not known, and no figure a packet where none was counted', async () => {
    const host = new FakeHost();
    const meter = open(host, null);
    await meter.during(
      async () => host.pass(1, { 'intel-rapl:0': 1 }),
      () => ({ of: 'x', packets: null }),
    );
    expect(meter.energy.during).toMatchObject([{ vm: null, joules_per_packet: null }]);
    expect(energyLines(meter.energy).join()).not.toMatch(/packet|Kepler/);
  });

  test('is not reported where a counter went away meanwhile', async () => {
    const host = new FakeHost();
    const meter = open(host);
    await meter.during(
      async () => {
        host.pass(1, { 'intel-rapl:0': 1 });
        delete host.files[`${folder}/intel-rapl:1/energy_uj`];
      },
      () => ({ of: 'x', packets: 1 }),
    );
    expect(meter.energy.during).toEqual([]);
  });

  test.each([
    ['no RAPL', /^\/sys\/class\/powercap\//, 'there is no RAPL package'],
    ['counters that are root’s alone', /energy_uj$/, 'cannot be read'],
  ])('%s: said, and nothing measured', (_what, gone, words) => {
    const host = new FakeHost();
    for (const path of Object.keys(host.files)) if (gone.test(path)) delete host.files[path];
    expect(EnergyMeter.open(host, 2000)).toEqual({ absent: expect.stringContaining(words) });
  });
});
