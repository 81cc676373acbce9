// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/support/paths.js';

const run = promisify(execFile);

/** `npm run NAME -- --json WORDS`, as a user runs it; its document. */
export async function runTable(name: string, ...words: string[]): Promise<unknown> {
  const output = await mkdtemp(join(tmpdir(), `vmcall-${name}-`));
  const all = ['run', '--silent', name, '--', '--json', '--yes', '--output', output, ...words];
  const { stdout } = await run('npm', all, { cwd: projectRoot, maxBuffer: 64 << 20 });
  return JSON.parse(stdout);
}
