// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { createLog } from '../../src/support/log.js';

test('a log line is JSON and holds no secret', () => {
  const written: string[] = [];
  createLog('test', { write: (line) => written.push(line) }).info(
    { secret: 'abc', host: { secret: 'abc' } },
    'text',
  );
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ level: 'info', agent: 'test', message: 'text' });
  expect(written[0]).not.toContain('abc');
});
