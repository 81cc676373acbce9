// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { boundedLog } from '../../host-agent/bounded-log.js';
import { createLog } from '../../src/support/log.js';

test("a guest's flood of lines is some, and how many were left out", () => {
  const lines: string[] = [];
  let now = 0;
  const log = boundedLog(createLog('test', { write: (line) => lines.push(line) }), () => now);
  for (let i = 0; i < 449; i++) log.warn({ i }, 'said again');
  expect(lines).toHaveLength(30);
  now = 10_000;
  for (let i = 0; i < 449; i++) log.info({ i }, 'and again');
  expect(lines).toHaveLength(35);
  expect(JSON.parse(lines[30] ?? '')).toMatchObject({ message: 'and again', lines_left_out: 419 });
});
