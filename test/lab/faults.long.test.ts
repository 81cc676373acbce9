// SPDX-License-Identifier: Apache-2.0
// Those on whom the VM call depends, killed outright in a real libvirt's domain while packets flow.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Fault, Window } from '../../src/lab/events.js';
import { type SwitchStage, switchStages, type Victim, victims } from '../../src/lab/plan.js';
import { runLab } from '../../src/lab/run.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

const interval = 350;
/** Packets that may come while the counters of one moment are read. */
const between = 6;
/** Without these there is nobody, or nothing, to return a packet. */
const needed: readonly Victim[] = ['dataplane', 'qemu'];
const others = victims.filter((victim) => !needed.includes(victim));

/** What `vmcall status` says while each is away. */
const codes: Readonly<Record<Victim, string>> = {
  'guest-agent': 'GUEST_ABSENT',
  'host-agent': 'HOST_AGENT_ABSENT',
  dataplane: 'DATAPLANE_OFF',
  libvirtd: 'LIBVIRT_LOST',
  qemu: 'DOMAIN_OFF',
};

/** The guest's other interrupts are injected on both paths. */
const byVmcall = ({ nicInterrupts, hardIrqTaken, doorbellRings }: Window): boolean =>
  [hardIrqTaken, doorbellRings].every((count) => Math.abs(nicInterrupts - count) <= between);
const byInjection = ({ nicInterrupts, doorbellRings, injections }: Window): boolean =>
  doorbellRings === 0 && injections >= nicInterrupts - between;

describe('a process killed outright, with a packet each 350 us', () => {
  let faults: Fault[];
  const of = (victim: Victim, stage: SwitchStage): Fault => {
    const found = faults.find((fault) => fault.victim === victim && fault.stage === stage);
    if (!found) throw new Error(`${victim} was not killed ${stage} a switch`);
    return found;
  };
  const each = (of: readonly Victim[]) =>
    of.flatMap((victim) => switchStages.map((stage) => [victim, stage] as const));

  beforeAll(async () => {
    const progress = stderrProgress();
    const { events } = await runLab({
      artifacts: await prepareLab(progress, true),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-faults-')),
      scenario: {
        scenario: 'faults',
        packets: 1000,
        rounds: 1,
        interval,
        idleThreshold: 300,
        seed: 1,
        faults: victims.flatMap((victim) => switchStages.map((stage) => ({ victim, stage }))),
      },
      progress,
    });
    faults = events.filter((event) => event.type === 'fault');
    for (const { victim, stage, took, generator, told } of faults) {
      const { sent, lost, rtt_ns: rtt } = generator;
      const said = told.map(
        ({ after, actual, phase, code }) => `${Math.round(after)} ms: ${actual} ${phase} ${code ?? ''}`,
      );
      console.log(
        `${victim}, ${stage}: ${lost} of ${sent} packets lost, latest ${rtt?.max} ns, back after ${took} ms`,
      );
      console.log(`  ${said.join('; ')}`);
    }
  }, 3_600_000);

  test.each(each(victims))('%s, %s a switch: was killed at that stage', (victim, stage) => {
    expect(of(victim, stage).found).toEqual(
      {
        before: { vcpuYield: false, path: 'injected' },
        middle: { vcpuYield: true, path: 'injected' },
        after: { vcpuYield: true, path: 'vmcall' },
      }[stage],
    );
  });

  test.each(each(victims))(
    '%s, %s a switch: packets are back on the VM call by themselves',
    (victim, stage) => {
      const { back } = of(victim, stage);
      expect(back.nicInterrupts).toBeGreaterThan(50);
      expect(byVmcall(back), JSON.stringify(back)).toBe(true);
    },
  );

  test.each(each(victims))(
    '%s, %s a switch: vmcall status says what is missing meanwhile',
    (victim, stage) => {
      const { told } = of(victim, stage);
      // A domain that is off, and is to be on the injected path, lacks nothing.
      if (victim === 'qemu') expect(told.map(({ actual }) => actual)).toContain('off');
      if (victim !== 'qemu' || stage !== 'before')
        expect(told.map(({ code }) => code)).toContain(codes[victim]);
      expect(told.at(-1)).toMatchObject({
        desired: 'vmcall',
        actual: 'vmcall',
        phase: 'reached',
        code: null,
      });
    },
  );

  test.each(each(others))('%s, %s a switch: no packet is lost', (victim, stage) => {
    const { sent, received, lost, duplicate, reordered } = of(victim, stage).generator;
    expect({ received, lost, duplicate, reordered }).toEqual({
      received: sent,
      lost: 0,
      duplicate: 0,
      reordered: 0,
    });
  });

  test.each(others)('%s away: packets stay on the path they were on', (victim) => {
    const [before, after] = [of(victim, 'before').away, of(victim, 'after').away];
    expect(before && byInjection(before), JSON.stringify(before)).toBe(true);
    expect(after && byVmcall(after), JSON.stringify(after)).toBe(true);
  });

  test('a guest agent that dies in the middle leaves packets on the injected path', () => {
    const { away } = of('guest-agent', 'middle');
    expect(away && byInjection(away), JSON.stringify(away)).toBe(true);
  });

  test.each(switchStages)('qemu, %s a switch: no packet is lost once it has booted again', (stage) => {
    expect(of('qemu', stage).afterBoot).toMatchObject({ lost: 0, duplicate: 0, reordered: 0 });
  });

  // The emulator keeps packets for a NIC that is off, and delivers them after the next one: late, and reordered.
  test.each(each(needed))(
    '%s, %s a switch: packets are lost while it is away, none doubled',
    (victim, stage) => {
      const { generator } = of(victim, stage);
      const { sent, received, lost, duplicate } = generator;
      expect(received).toBeGreaterThan(0);
      expect({ received, duplicate }).toEqual({ received: sent - lost, duplicate: 0 });
    },
  );
});
