// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { VmcallError } from '../../src/support/errors.js';
import { createLog } from '../../src/support/log.js';
import { projectRoot } from '../../src/support/paths.js';

test('a log line is JSON and holds no secret', () => {
  const written: string[] = [];
  createLog('test', { write: (line) => written.push(line) }).info(
    { secret: 'abc', host: { secret: 'abc' } },
    'text',
  );
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ level: 'info', agent: 'test', message: 'text' });
  expect(written[0]).not.toContain('abc');
});

test('a mistake is told by code, message and cure; a defect by its place, too', () => {
  const written: string[] = [];
  const log = createLog('test', { write: (line) => written.push(line) });
  log.error({ err: new VmcallError('X_FAILED', 'x', 'do y', 3, { cause: new Error('z') }) }, 'text');
  log.error({ err: new TypeError('no') }, 'text');
  const [mistake, defect] = written.map((line) => JSON.parse(line).err);
  expect(mistake).toEqual({ code: 'X_FAILED', message: 'x', cure: 'do y' });
  expect(defect).toMatchObject({ type: 'TypeError', stack: expect.stringContaining('log.test') });
});

test.each(['process.exit(3)', 'throw new Error()'])(
  'every line is written before %s ends it',
  async (end) => {
    const file = join(projectRoot, 'dist', 'src', 'support', 'log.js');
    const program = `import { createLog } from '${file}';
    const log = createLog('test'); log.info('one'); log.error('two'); ${end};`;
    const words = ['--input-type=module', '--eval', program];
    const { stderr } = await execa(process.execPath, words, {
      reject: false,
      env: { JOURNAL_STREAM: '8:1' },
    });
    const lines = stderr.split('\n').filter((line) => line.startsWith('<'));
    expect(lines).toEqual([
      expect.stringMatching(/^<6>\{.*"message":"one"\}$/),
      expect.stringMatching(/^<3>\{.*"message":"two"\}$/),
    ]);
  },
);
