// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';

/** The shared libraries of programs, and the loader, at the paths at which the programs look for them. */
export async function librariesOf(programs: readonly string[]): Promise<string[]> {
  const told = await Promise.all(programs.map(async (program) => (await execa('ldd', [program])).stdout));
  return [...new Set(told.flatMap(parseLdd))];
}

/** Paths in what ldd(1) prints; the kernel's own vDSO has none. */
export function parseLdd(text: string): string[] {
  return text.split('\n').flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
