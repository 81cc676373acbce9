// SPDX-License-Identifier: Apache-2.0
import { availableParallelism, loadavg } from 'node:os';
import { roundTo } from './judge.js';

/** What a benchmark's figures depend on. */
export interface Machine {
  cpus: number;
  /** Of the last minute. */
  load: number;
  node: string;
}

/** Before a run: what else the machine does. */
export const machineNow = (): Machine => ({
  cpus: availableParallelism(),
  load: roundTo(loadavg()[0] ?? 0),
  node: process.version,
});
