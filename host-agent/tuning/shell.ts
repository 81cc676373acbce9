// SPDX-License-Identifier: Apache-2.0
import type { Interrupt } from '../host/interrupts.js';
import type { Thread } from '../host/thread.js';

/** A shell's words that write a value to a file of each CPU, `{}` in its path being the CPU's number. */
export const writeEach = (cpus: readonly number[], path: string, value: string) =>
  `for n in ${cpus.join(' ')}; do echo ${value} > ${path.replace('{}', '$n')}; done`;

/** A shell's words that write each interrupt's affinity. */
export function writeAffinities(
  interrupts: readonly Interrupt[],
  to: (interrupt: Interrupt) => string,
): string {
  const byList = new Map<string, number[]>();
  for (const one of interrupts) byList.set(to(one), [...(byList.get(to(one)) ?? []), one.irq]);
  return [...byList]
    .map(
      ([list, irqs]) => `for n in ${irqs.join(' ')}; do echo ${list} > /proc/irq/$n/smp_affinity_list; done`,
    )
    .join('; ');
}

/** A shell's words that give a thread this scheduling; a deadline has more to it than they can say. */
export const setScheduling = ({ id, scheduling: { policy, priority } }: Pick<Thread, 'id' | 'scheduling'>) =>
  `chrt --${policy} --pid ${priority} ${id}`;
