// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { z } from 'zod';
import { makeIn } from '../../../src/setup/build.js';
import { dataplaneSources, libraryFolder } from '../../../src/setup/dataplane-sources.js';
import { cached } from '../../../src/support/cache.js';
import type { DpdkProgram } from './dpdk-program.js';

/** The library with the policy that stands in for the VM call where there is none: a futex. */
export async function simulatedLibrary(
  ...words: string[]
): Promise<{ folder: string; plugin: string; basicfwd: string }> {
  const { stdout: version } = await execa('pkg-config', ['--modversion', 'libdpdk']);
  const folder = await cached(
    'library-simulation',
    { files: [...dataplaneSources], values: [version, ...words] },
    async (target) => {
      await makeIn(libraryFolder, target, ['SIMULATION=1', ...words, 'all', 'basicfwd']);
    },
  );
  return { folder, plugin: join(folder, 'vmcall-plugin.so'), basicfwd: join(folder, 'basicfwd') };
}

const lcoreSchema = z.looseObject({
  queues: z.number(),
  policy: z.string(),
  polls: z.number(),
  packets: z.number(),
  arms: z.number(),
  packets_after_arm: z.number(),
  packets_after_limit: z.number(),
  sleeps: z.number(),
  wakes_packet: z.number(),
  wakes_limit: z.number(),
  code: z.string(),
  error: z.string(),
});
export type Lcore = z.infer<typeof lcoreSchema>;

/** The lcore that polls queues of ours; undefined while none does. */
export async function pollingLcore(program: DpdkProgram): Promise<Lcore | undefined> {
  const lcores = z.record(z.string(), lcoreSchema).parse(await program.ask('/vmcall/lcores'));
  return Object.values(lcores).find(({ queues }) => queues > 0);
}

/** CPU time of a program within `ms`, in clock ticks. */
export async function ticksWithin(program: DpdkProgram, ms: number): Promise<number> {
  const ticks = async () => {
    const text = await readFile(`/proc/${program.child.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = await ticks();
  await delay(ms);
  return (await ticks()) - before;
}
