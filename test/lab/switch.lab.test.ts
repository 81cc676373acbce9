// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { statusSchema } from '../../src/control/schema.js';
import type { CommandLineSwitch, Observed, SwitchEvent, SwitchTraffic } from '../../src/lab/events.js';
import { runLab } from '../../src/lab/run.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';
import { expectObserved } from './observed.js';

const minutes = 60_000;
/** As the lab's host throws it: each path to each other. */
const cycle = ['vmcall', 'injected', 'pv-kick', 'vmcall', 'pv-kick', 'injected'];
const idleThreshold = 300;
/** Packets that may come while the counters of one moment are read. */
const between = 6;

/** `npm run test:switches` throws the switch a hundred times, which takes some minutes more. */
const count = Number(process.env.VMCALL_SWITCHES ?? 20);
const isLong = count >= 100;

describe(`${count} switches by the host agent, in a domain of libvirt, with a packet each 350 us`, () => {
  let switches: SwitchEvent[];
  let commands: CommandLineSwitch[];
  let observed: Observed | undefined;
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
        packets: 1000,
        rounds: 1,
        interval: 350,
        idleThreshold,
        seed: 1,
        switches: count,
        watch: isLong,
      },
      progress,
    });
    switches = events.filter((event) => event.type === 'switch');
    commands = events.filter((event) => event.type === 'command-line-switch');
    observed = events.find((event) => event.type === 'observed');
    const traffic = (among: number) => {
      const found = events.find((event) => event.type === 'switch-traffic' && event.switches === among);
      if (found?.type !== 'switch-traffic') throw new Error(`no traffic under ${among} switches`);
      return found;
    };
    quiet = traffic(0);
    switched = traffic(count);
  }, 20 * minutes);

  test('lose no packet', () => {
    for (const { generator } of [quiet, switched]) {
      const { sent, received, lost, duplicate, reordered } = generator;
      expect({ received, lost, duplicate, reordered }).toEqual({
        received: sent,
        lost: 0,
        duplicate: 0,
        reordered: 0,
      });
    }
    expect(switched.generator.sent).toBeGreaterThan(switches.length * 40);
  });

  // Of few switches the latest packet says little.
  test.runIf(isLong)(
    "delay none beyond the injected path's own maximum by more than an idle threshold",
    () => {
      const [own, most] = [quiet.generator.rtt_ns?.max ?? Number.NaN, switched.generator.rtt_ns?.max];
      expect(most).toBeLessThanOrEqual(own + idleThreshold * 1000);
    },
  );

  test("change the path each time, by KVM's and the host kernel's counters", () => {
    expect(switches.map(({ path }) => path)).toEqual(
      Array.from({ length: count }, (_, index) => cycle[index % cycle.length]),
    );
    for (const { index, path, window } of switches) {
      const { nicInterrupts, hardIrqTaken, yields, doorbellRings, injections } = window;
      const what = `switch ${index} to ${path}: ${JSON.stringify(window)}`;
      expect(nicInterrupts, what).toBeGreaterThan(20);
      // The counters are read one after the other while packets flow: a packet or two may fall between.
      if (path === 'vmcall') {
        expect(Math.abs(nicInterrupts - doorbellRings), what).toBeLessThanOrEqual(between);
        expect(Math.abs(nicInterrupts - hardIrqTaken), what).toBeLessThanOrEqual(between);
        expect(Math.abs(yields - doorbellRings), what).toBeLessThanOrEqual(between);
        expect(injections, what).toBeLessThan(nicInterrupts / 2);
      } else if (path === 'pv-kick') {
        expect({ yields, doorbellRings }, what).toEqual({ yields: 0, doorbellRings: 0 });
        expect(Math.abs(nicInterrupts - hardIrqTaken), what).toBeLessThanOrEqual(between);
        expect(injections, what).toBeLessThan(nicInterrupts / 2);
      } else {
        expect({ hardIrqTaken, yields, doorbellRings }, what).toEqual({
          hardIrqTaken: 0,
          yields: 0,
          doorbellRings: 0,
        });
        expect(injections, what).toBeGreaterThanOrEqual(nicInterrupts - between);
      }
    }
  });

  test('are done by the dataplane each, with no fallback', () => {
    expect(switched.dataplane).toMatchObject({ policy_switches: count, fallbacks: 0 });
  });

  test('work by vmcall enable and disable, too, and vmcall status tells', () => {
    const paths = { enable: 'vmcall', disable: 'injected' } as const;
    expect(commands.map(({ verb }) => verb)).toEqual(['enable', 'disable']);
    for (const { verb, printed, status } of commands) {
      const path = paths[verb];
      expect(printed).toBe(`dpdk: ${path}\n`);
      expect(statusSchema.parse(status).domains).toMatchObject([
        {
          name: 'dpdk',
          domain: 'running',
          desired: path,
          desired_from: 'metadata',
          actual: path,
          phase: 'reached',
          reason: null,
          kvm: { support: 'present', vcpu_yield: path === 'vmcall', irqfd_hardirq: path === 'vmcall' },
          guest: { health: { dataplane: 'running', path, upheld: true, restarts: 0 } },
        },
      ]);
    }
  });

  test.runIf(isLong)('are seen by /metrics and vmcall top as KVM counts them', () => {
    if (!observed) throw new Error('nobody observed it');
    expectObserved(observed);
  });
});
