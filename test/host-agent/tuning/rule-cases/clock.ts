// SPDX-License-Identifier: Apache-2.0
import type { RuleCase } from './trees.js';

export const clockCases: RuleCase[] = [
  [
    'tsc-flags',
    'fail',
    { files: { '/proc/cpuinfo': 'flags\t\t: fpu tsc vmx' } },
    { files: { '/proc/cpuinfo': 'flags\t\t: fpu tsc constant_tsc nonstop_tsc vmx' } },
    /invariant/,
  ],
  [
    'tsc-unstable',
    'fail',
    { log: '[ 9.0] tsc: Marking TSC unstable due to clocksource watchdog\n' },
    { log: '[ 1.0] tsc: Detected 2300 MHz TSC' },
    /firmware/,
  ],
  [
    'tsc-unstable',
    'fail',
    { files: { '/proc/cmdline': 'quiet tsc=unstable' } },
    { files: { '/proc/cmdline': 'quiet tsc=nowatchdog' } },
    /without/,
  ],
];
