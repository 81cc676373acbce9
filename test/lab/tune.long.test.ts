// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TuneRestart, TuneSteps } from '../../src/lab/events.js';
import { runLab } from '../../src/lab/run.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

/** Settings of a guest that nobody tuned, which the host can change while it runs. */
const changed = [
  ...['emulator-pin', 'vcpu-pin', 'irq-affinity', 'halt-poll', 'vfio-hardirq', 'vcpu-scheduler'],
  'rt-throttling',
];

describe('vmcall tune, on a domain of libvirt that is pinned nowhere', () => {
  let cycles: TuneSteps[];
  let restarted: TuneRestart;

  beforeAll(async () => {
    const progress = stderrProgress();
    const { events } = await runLab({
      artifacts: await prepareLab(progress, true),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-tune-')),
      scenario: { scenario: 'tune', packets: 1, rounds: 1, interval: 350, idleThreshold: 300, seed: 1 },
      progress,
    });
    cycles = events.filter((event) => event.type === 'tune');
    const [restart] = events.filter((event) => event.type === 'tune-restart');
    if (!restart) throw new Error('the lab reported no restart');
    restarted = restart;
    for (const { before, tuned } of cycles) console.log({ before, tuned });
  }, 1_200_000);

  test('plans, sets and records each setting, and finds nothing to do after', () => {
    expect(cycles).toHaveLength(2);
    for (const { planned, applied, plannedAgain } of cycles) {
      const { differences } = planned as { differences: { knob: string }[] };
      expect([...new Set(differences.map(({ knob }) => knob))]).toEqual(changed);
      expect(applied).toMatchObject({ changed: differences, failed: [] });
      expect(plannedAgain).toMatchObject({ differences: [] });
    }
  });

  test('pins, as libvirt says too, and gives the vCPU real-time priority', () => {
    for (const { tuned } of cycles)
      expect(tuned).toMatchObject({
        'vcpu-pin dpdk/vcpu/1': '1',
        'libvirt vcpu': '1',
        'libvirt emulator': '0',
        'halt-poll /sys/module/kvm/parameters/halt_poll_ns': '0',
        'rt-throttling /proc/sys/kernel/sched_rt_runtime_us': '-1',
      });
    expect(cycles.flatMap(({ tuned }) => emulator(tuned))).toEqual(['0', '0']);
  });

  /** Its place names the threads that are left where they are, where there are some. */
  const emulator = (settings: Record<string, string>) =>
    Object.entries(settings).flatMap(([place, cpus]) =>
      /^emulator-pin dpdk\/emulator(\/not:[\d+]+)?$/.test(place) ? [cpus] : [],
    );

  test('what is kept is reapplied when DPDK in the guest has restarted', () => {
    const { applied, lost, kept, status } = restarted;
    console.log({ applied, lost, kept, status });
    expect(Object.values(applied)).not.toEqual([]);
    expect(new Set(Object.values(applied))).toEqual(new Set(['1']));
    // Else there is nothing to be kept.
    expect(new Set(Object.values(lost))).not.toEqual(new Set(['1']));
    expect(Object.values(kept)).not.toEqual([]);
    expect(new Set(Object.values(kept))).toEqual(new Set(['1']));
    expect(status).toMatchObject({ problem: null });
  });

  test('and when the guest has been started again: every setting, each by its own process', () => {
    const { guestBegun, guestKept, guestPlanned } = restarted;
    console.log({ guestBegun, guestKept });
    // Of a guest that has just begun nobody set anything.
    expect(guestBegun).toMatchObject({ 'vcpu-scheduler dpdk/vcpu/1': 'other' });
    expect(guestKept).toMatchObject({
      'vcpu-pin dpdk/vcpu/1': '1',
      'vcpu-scheduler dpdk/vcpu/1': 'fifo:10',
    });
    expect(emulator(guestKept)).toEqual(['0']);
    const affinities = Object.entries(guestKept).filter(([place]) => place.startsWith('irq-affinity '));
    expect(affinities.length).toBeGreaterThan(0);
    for (const [, cpus] of affinities) expect(cpus).toBe('1');
    expect(guestPlanned).toMatchObject({ differences: [] });
  });

  test('restores every value, twice', () => {
    for (const { before, after, restored } of cycles) {
      expect(restored).toMatchObject({ refused: [], damaged: [] });
      expect(after).toEqual(before);
    }
  });
});
