// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';

/** More than any x86 kernel is built for (linux: arch/x86/Kconfig, NR_CPUS up to 8192). */
const cpusMax = 8192;

/**
 * The CPUs of a kernel CPU list such as `0-3,8` (linux: Documentation/admin-guide/kernel-parameters.rst, "cpu lists"),
 * ascending. Strides (`0-10:1/2`) are read too. Throws `CPU_LIST` for anything else.
 */
export function parseCpus(list: string): number[] {
  const cpus = new Set<number>();
  for (const part of list.trim().split(',')) {
    if (part === '') continue;
    const match = /^(\d{1,5})(?:-(\d{1,5})(?::(\d{1,5})\/(\d{1,5}))?)?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    const used = Number(match?.[3] ?? 1);
    const group = Number(match?.[4] ?? 1);
    if (!match || last < first || last >= cpusMax || used < 1 || group < used)
      throw new VmcallError('CPU_LIST', `"${list}" is not a list of CPUs`, 'Write it as in 2,4-7.', 2);
    for (let cpu = first; cpu <= last; cpu++) if ((cpu - first) % group < used) cpus.add(cpu);
  }
  return [...cpus].sort((a, b) => a - b);
}

/** The kernel's own way of writing a CPU list (`%*pbl`): runs joined, ascending. */
export function formatCpus(cpus: readonly number[]): string {
  const sorted = [...new Set(cpus)].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const cpu of sorted) {
    const run = runs.at(-1);
    if (run && cpu === run[1] + 1) run[1] = cpu;
    else runs.push([cpu, cpu]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

export const without = (cpus: readonly number[], others: readonly number[]) =>
  cpus.filter((cpu) => !others.includes(cpu));

export const contains = (cpus: readonly number[], others: readonly number[]) =>
  others.every((cpu) => cpus.includes(cpu));
