// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Wakeups } from '../../src/lab/events.js';
import { runLab } from '../../src/lab/run.js';
import { buildUnpatched } from '../../src/setup/artifacts.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

const minutes = 60_000;
/** The kernel says so of a raw write to an MSR (linux: Documentation/admin-guide/tainted-kernels.rst). */
const taintedByMsr = 1 << 2;

describe("the guest driver on a host with Debian's own KVM and VFIO", () => {
  let wakeups: Wakeups[];
  let facts: Record<string, string>;

  beforeAll(async () => {
    const progress = stderrProgress();
    const { events } = await runLab({
      artifacts: await buildUnpatched(await prepareLab(progress, true), progress),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-driver-')),
      scenario: { scenario: 'driver', packets: 600, rounds: 1, interval: 350, idleThreshold: 300, seed: 1 },
      progress,
    });
    wakeups = events.filter((event) => event.type === 'wakeups');
    facts = Object.assign({}, ...events.map((event) => (event.type === 'driver' ? event.facts : {})));
  }, 20 * minutes);

  const of = (program: string, isContended: boolean) => {
    const found = wakeups.find((each) => each.program === program && (each.lockWaits !== 0) === isContended);
    if (!found) throw new Error(`no run of ${program} in ${JSON.stringify(wakeups)}`);
    return found;
  };

  test('loses no wake-up around the idle threshold, where a program without poll and look does', () => {
    const right = of('vmcall-dataplane', false);
    expect(right.received).toBe(right.sent);
    expect(right.late).toBe(0);
    expect(right.foundAfterArming).toBeGreaterThan(0);
    expect(of('vmcall-dataplane-no-repoll-no-look', false).late).toBeGreaterThan(0);
  });

  test('loses none to PV spinlocks that are contended before the HLT, where a program without the look does', () => {
    const right = of('vmcall-dataplane', true);
    expect(right.received).toBe(right.sent);
    expect(right.late).toBe(0);
    expect(right.lockWaits).toBeGreaterThan(10);
    expect(of('vmcall-dataplane-no-look', true).late).toBeGreaterThan(0);
  });

  test('gives a vCPU to one program, and revokes it however that ends', () => {
    expect(facts).toMatchObject({
      vcpuBy: 'driver',
      second: 'refused EBUSY 3',
      afterKill: 'taken',
      whileHalting: 'refused EBUSY 3',
      afterKillOfHalting: 'taken',
      haltingOnceOffline: expect.stringContaining('ended ENXIO'),
      onceOnline: 'taken',
    });
  });

  test("has the host's halt polling off meanwhile", () => {
    expect(facts).toMatchObject({
      pollingBefore: '0x1',
      pollingHeld: '0x0',
      pollingAfterKill: '0x1',
      pollingOnceOnline: '0x1',
    });
  });

  test('is for its group, taints nothing by an MSR, and works under lockdown', () => {
    expect(facts.memberOfGroup).toBe('taken');
    expect(facts.notOfGroup).toBe('refused EACCES 0');
    expect(Number(facts.tainted) & taintedByMsr).toBe(0);
    expect(facts.lockdown).toContain('[integrity]');
    expect(facts.policy).toBe('pv-kick');
    expect(facts.packets).toMatch(/^(\d+) \1 0$/);
  });
});
