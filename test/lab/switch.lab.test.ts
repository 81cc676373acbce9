// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { statusSchema } from '../../host-agent/control/schema.js';
import type { SwitchEvent, SwitchTraffic } from '../../src/lab/events.js';
import { runLab } from '../../src/lab/run.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

const minutes = 60_000;
const idleThreshold = 300;

describe('100 switches by the host agent, in a domain of libvirt, with a packet each 350 us', () => {
  let switches: SwitchEvent[];
  let quiet: SwitchTraffic;
  let switched: SwitchTraffic;

  beforeAll(async () => {
    const progress = stderrProgress();
    const { events } = await runLab({
      artifacts: await prepareLab(progress, true),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-switch-')),
      scenario: {
        scenario: 'switch-under-load',
        ...{ packets: 1000, rounds: 1, interval: 350, idleThreshold, seed: 1 },
      },
      progress,
    });
    switches = events.filter((event) => event.type === 'switch');
    const traffic = (count: number) => {
      const found = events.find((event) => event.type === 'switch-traffic' && event.switches === count);
      if (found?.type !== 'switch-traffic') throw new Error(`no traffic under ${count} switches`);
      return found;
    };
    quiet = traffic(0);
    switched = traffic(100);
  }, 20 * minutes);

  test('lose no packet', () => {
    for (const { generator } of [quiet, switched]) {
      const { sent, received, lost, duplicate, reordered } = generator;
      expect({ received, lost, duplicate, reordered }).toEqual({
        ...{ received: sent, lost: 0, duplicate: 0, reordered: 0 },
      });
    }
    expect(switched.generator.sent).toBeGreaterThan(switches.length * 40);
  });

  test("delay none beyond the injected path's own maximum by more than an idle threshold", () => {
    const [own, most] = [quiet.generator.rtt_ns?.max ?? Number.NaN, switched.generator.rtt_ns?.max];
    expect(most).toBeLessThanOrEqual(own + idleThreshold * 1000);
  });

  test("change the path each time, by KVM's and the host kernel's counters", () => {
    expect(switches.map(({ path }) => path)).toEqual(
      Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 'vmcall' : 'injected')),
    );
    for (const { index, path, window } of switches) {
      const { nicInterrupts, hardIrqTaken, yields, doorbellRings, injections } = window;
      const what = `switch ${index} to ${path}: ${JSON.stringify(window)}`;
      expect(nicInterrupts, what).toBeGreaterThan(20);
      // The counters are read one after the other while packets flow: one packet may fall between two.
      if (path === 'vmcall') {
        expect(Math.abs(nicInterrupts - doorbellRings), what).toBeLessThanOrEqual(1);
        expect(Math.abs(nicInterrupts - hardIrqTaken), what).toBeLessThanOrEqual(1);
        expect(yields, what).toBeGreaterThanOrEqual(doorbellRings - 1);
      } else {
        expect({ hardIrqTaken, yields, doorbellRings }, what).toEqual({
          ...{ hardIrqTaken: 0, yields: 0, doorbellRings: 0 },
        });
        expect(injections, what).toBeGreaterThanOrEqual(nicInterrupts - 1);
      }
    }
  });

  test('are done by the dataplane each, and leave the domain as desired', () => {
    expect(switched.dataplane).toMatchObject({ policy_switches: 100, fallbacks: 0 });
    const [domain] = statusSchema.parse(switched.status).domains;
    expect(domain).toMatchObject({ desired: 'injected', actual: 'injected', phase: 'reached', reason: null });
    expect(domain?.guest?.health?.restarts).toBe(0);
  });
});
