// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { makeIn } from '../setup/build.js';
import { dataplaneFolder, dataplaneSources } from '../setup/dataplane-sources.js';
import { cached } from '../support/cache.js';
import { exitCodes, VmcallError } from '../support/errors.js';

/** Instructions that counting costs the dataplane. */
export interface RecordCost {
  /** One wait with its latency. */
  wake: number;
  /** All that is counted from one packet to the next, where the program sleeps before each. */
  packet: number;
}

/** What counting may cost for a packet, instructions. */
export const recordCostMost = 30;

const packets = 100_000;

/** The program that only counts (guest-agent/dataplane/record_cost.c), built by the dataplane's own flags. */
export async function recordCostProgram(): Promise<string> {
  const files = [...dataplaneSources];
  const folder = await cached('record-cost', { files, values: [] }, async (target) => {
    await makeIn(dataplaneFolder, target, ['record-cost']);
  });
  return join(folder, 'record-cost');
}

/** Counted by valgrind, so the same on each run of the same program. Error: `BENCH_NO_VALGRIND`. */
export async function measureRecordCost(): Promise<RecordCost> {
  const program = await recordCostProgram();
  const nothing = await instructions(program, 'nothing');
  const each = async (what: string) => (await instructions(program, what)) / packets - nothing / packets;
  const round = (value: number) => Math.round(value * 100) / 100;
  return { wake: round(await each('wake')), packet: round(await each('packet')) };
}

async function instructions(program: string, what: string): Promise<number> {
  const words = ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, what, String(packets)];
  const { stderr, code } = await execa('valgrind', words, { reject: false });
  const collected = /Collected : (\d+)/.exec(stderr)?.[1];
  if (collected !== undefined) return Number(collected);
  throw new VmcallError(
    'BENCH_NO_VALGRIND',
    code === 'ENOENT' ? 'there is no valgrind' : `valgrind: ${stderr.slice(-500)}`,
    'Install it: apt-get install valgrind',
    exitCodes.unsupported,
  );
}
