// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { saysAbsent } from '../../../host-agent/host/host.js';

test('a file of debugfs that a locked-down kernel opens for nobody is not there; no other is', () => {
  expect(saysAbsent('/sys/kernel/debug/sched/fair_server/cpu6/runtime', 'EPERM')).toBe(true);
  // An ordinary user is told to be root.
  expect(saysAbsent('/sys/kernel/debug/sched/fair_server/cpu6/runtime', 'EACCES')).toBe(false);
  expect(saysAbsent('/proc/sys/kernel/sched_rt_runtime_us', 'EPERM')).toBe(false);
  expect(saysAbsent('/proc/1/stat', 'ESRCH')).toBe(true);
});
