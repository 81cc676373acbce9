// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';

/** More than any x86 kernel is built for (linux: arch/x86/Kconfig, NR_CPUS up to 8192). */
const cpusMax = 8192;

const range = /^(?:(all)|(\d{1,5}|N)(?:-(\d{1,5}|N))?)(?::(\d{1,5})\/(\d{1,5}))?$/i;

/**
 * The CPUs of a kernel CPU list, ascending: `0-3,8`, strides (`0-10:1/2`), `N` for the last CPU and `all` (linux:
 * Documentation/admin-guide/kernel-parameters.rst, "cpu lists"; lib/bitmap-str.c). systemd's lists, with spaces, too.
 * @param last the highest CPU that the kernel may ever have; without it `N` and `all` are refused
 * Throws `CPU_LIST` for anything else.
 */
export function parseCpus(list: string, last?: number): number[] {
  const cpus = new Set<number>();
  for (const part of list.split(/[\s,]+/)) if (part !== '') addRange(cpus, part, list, last);
  return [...cpus].sort((a, b) => a - b);
}

function addRange(cpus: Set<number>, part: string, list: string, last: number | undefined): void {
  const match = range.exec(part);
  const value = (text: string | undefined) => (text === 'N' ? (last ?? Number.NaN) : Number(text));
  const all = match?.[1] !== undefined;
  const first = all ? 0 : value(match?.[2]);
  const end = all ? (last ?? Number.NaN) : value(match?.[3] ?? match?.[2]);
  const used = Number(match?.[4] ?? 1);
  const group = Number(match?.[5] ?? 1);
  const strides = match?.[4] !== undefined;
  if (
    !(first <= end && end < cpusMax && group >= 1 && used <= group) ||
    (strides && !all && match?.[3] === undefined)
  )
    throw new VmcallError('CPU_LIST', `"${list}" is not a list of CPUs`, 'Write it as in 2,4-7.', 2);
  for (let cpu = first; cpu <= end; cpu++) if ((cpu - first) % group < used) cpus.add(cpu);
}

/** The CPUs of a mask in hex, as in `00000003` or `ff,00000000`: tuned's and the kernel's other way. Throws `CPU_LIST`. */
export function parseCpuMask(mask: string): number[] {
  const digits = mask.trim().replace(/^0x/, '').replaceAll(',', '');
  if (!/^[0-9a-f]{1,2048}$/i.test(digits))
    throw new VmcallError('CPU_LIST', `"${mask}" is not a mask of CPUs`, 'Write it as in 00000003.', 2);
  const bits = BigInt(`0x${digits}`);
  return Array.from({ length: digits.length * 4 }, (_, cpu) => cpu).filter(
    (cpu) => (bits >> BigInt(cpu)) & 1n,
  );
}

/** The inverse: 32 bits a group, as the kernel writes masks. */
export function formatCpuMask(cpus: readonly number[]): string {
  const digits = cpus.reduce((mask, cpu) => mask | (1n << BigInt(cpu)), 0n).toString(16);
  return digits.replace(/\B(?=(?:[0-9a-f]{8})+$)/g, ',');
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

export const overlap = (cpus: readonly number[], others: readonly number[]) =>
  cpus.filter((cpu) => others.includes(cpu));
