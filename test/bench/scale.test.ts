// SPDX-License-Identifier: Apache-2.0
// The benchmark in small, for what does not depend on how fast this machine is.
import { beforeAll, expect, test } from 'vitest';
import { measureAgentOverhead } from '../../src/bench/agent-overhead.js';
import { machineNow } from '../../src/bench/machine.js';
import { runScale } from '../../src/bench/scale.js';
import { scaleDocument, scaleTargets } from '../../src/bench/scale-document.js';
import { buildTimeout, builtAddon } from '../host-agent/native/children.js';

beforeAll(() => builtAddon(), buildTimeout);

const quiet = { step: () => {}, advance: () => {}, overrun: () => {} };

test('50 guests at a histogram a second are all connected, all switched, and nothing of theirs is lost', {
  timeout: 120_000,
}, async () => {
  const run = await runScale({ guests: 50, seconds: 6 }, quiet);
  const document = scaleDocument(run, machineNow());
  expect(document).toMatchObject({ guests: 50, switched: 50, reports_missing: 0, sessions_lost: 0 });
  expect(document.problems).toEqual([]);
  // Each sends one at the end beside those of the seconds.
  expect(document.reports).toBeGreaterThanOrEqual(50 * 6);
  expect(document.switch_s).not.toBeNull();
  expect(document.resident_peak_bytes).toBeLessThan(scaleTargets.residentBytes);
});

test('the standing measurement of 10 guests is counted while nobody looks', {
  timeout: 120_000,
}, async () => {
  const seconds = 6;
  const { guests, reports, cpuShare } = await measureAgentOverhead(10, seconds, quiet);
  // A machine with other work may let a guest's timer wait; one of each guest may fall on an end of the window.
  expect(reports).toBeGreaterThanOrEqual(guests * 2);
  expect(reports).toBeLessThanOrEqual(guests * (seconds + 1));
  expect(cpuShare).toBeGreaterThan(0);
});
