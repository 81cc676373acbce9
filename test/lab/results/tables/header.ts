// SPDX-License-Identifier: Apache-2.0
import type { Header } from '../../../../src/lab/results/tables/header.js';

export const header: Header = {
  made: '2026-01-01T00:00:00.000Z',
  made_by: { name: 'vmcall', version: '0.1.0' },
  clock: 'instruction',
  retries: 1,
  failed_attempts: [{ why: 'the emulator died', folder: 'attempt-1' }],
  platform: {},
  repeat: 'npm run modes',
  traffic: { packets: 2, interval_us: 350, idle_threshold_us: 300, cpu_idle_threshold_us: 0, seed: 1 },
};
