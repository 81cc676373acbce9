// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** This machine's TSC rate in kHz, for an L1 on the real-time clock. */
export function tscKhz(): number {
  // The kernel prints the rate it uses; where the log is not readable, the CPU's present rate is the best guess.
  const mhz = Number(/^cpu MHz\s*:\s*([\d.]+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '1000');
  return Math.round(mhz * 1000);
}
