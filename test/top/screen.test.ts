// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { LiveDomain } from '../../src/protocol/live.js';
import { summaryLine } from '../../src/top/screen.js';

const on = (actual: LiveDomain['actual']): LiveDomain => ({
  uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f',
  name: actual,
  state: 'running',
  desired: 'vmcall',
  actual,
  phase: 'reached',
  reason: null,
  session: true,
  interval: null,
});
const line = (...domains: LiveDomain[]) => summaryLine({ domains, libvirt: true, left_out: 0 }, '12:00:00');

test('the line about all counts the domains on the PV kick where there are some', () => {
  expect(line(on('pv-kick'), on('vmcall'))).toContain(', 1 on the VM call, 1 on the PV kick, 0 blocked');
  expect(line(on('vmcall'))).toContain(', 1 on the VM call, 0 blocked');
});
