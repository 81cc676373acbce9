// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { testDevices } from '../../../src/lab/machine.js';
import { caseOf, figure, type Program, type ProgramRun } from './kernel-selftests.js';

const rounds = 5;
const names = ['rounds', 'stalled', 'starved', 'released', 'hard'] as const;

/** For the host with the series, and for the distribution's own. */
export const priorityInversion: Program = {
  program: 'irqfd_priority_test',
  words: ['-d', testDevices.edu, '-r', String(rounds)],
};

/** None came while the vCPU span, their thread was runnable and never ran, each came once the vCPU was below it. */
const stalled = { rounds, stalled: rounds, starved: rounds, released: rounds, hard: 0 };
const inTime = { rounds, stalled: 0, starved: 0, released: 0, hard: 0 };

const spinning = 'a vCPU at FIFO 60 that spins for an interrupt on the CPU of its thread, at FIFO 50';

/** What became of the device's interrupts, while the vCPU they were for spun at a real-time priority. */
function figures(runs: readonly ProgramRun[], testCase: string): Record<string, number> {
  const found = caseOf(runs, testCase);
  return Object.fromEntries(names.map((name) => [name, figure(found, name)]));
}

export function testPriorityInversion(series: () => readonly ProgramRun[]): void {
  describe(spinning, () => {
    test("gets it from the series' handler in hard interrupt context, and not from its thread", () => {
      expect(figures(series(), 'threaded_vcpu_above_stalls')).toEqual(stalled);
      expect(figures(series(), 'threaded_vcpu_below')).toEqual(inTime);
      const hard = figures(series(), 'hard_vcpu_above');
      expect(hard).toEqual({ ...inTime, hard: hard.hard });
      expect(hard.hard).toBeGreaterThanOrEqual(rounds);
    });
  });
}

export function testPriorityInversionOfStock(stock: () => readonly ProgramRun[]): void {
  describe(spinning, () => {
    test("never gets it from Debian's own KVM and VFIO", () => {
      expect(figures(stock(), 'threaded_vcpu_above_stalls')).toEqual(stalled);
      // At FIFO 40: it is the priority that does it.
      expect(figures(stock(), 'threaded_vcpu_below')).toEqual(inTime);
      expect(caseOf(stock(), 'hard_vcpu_above'), 'there is no such handler').toBeUndefined();
    });
  });
}
