// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseResult } from '../../src/results/migrate.js';
import { renderResult } from '../../src/results/table.js';
import { projectRoot } from '../../src/support/paths.js';
import { filesOf, processesOf, until } from './support.js';

const minutes = 60_000;

describe('a lab ended by Ctrl-C', () => {
  test('saves what was measured until then, marked partial, and leaves nothing running', {
    timeout: 15 * minutes,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vmcall-interrupt-'));
    const words = ['start', '--', '--yes', '--json', '--packets', '100', '--rounds', '1', '--output', folder];
    // A process group of its own, as a terminal's foreground job has: npm, its shell, vmcall, QEMU.
    const npm = spawn('npm', words, {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let stdout = '';
    npm.stdout.on('data', (text: Buffer) => {
      stdout += text;
    });
    if (npm.pid === undefined) throw new Error('npm did not start');
    const ended = once(npm, 'exit');
    const polled = () => filesOf(folder, 'events.jsonl').some((text) => text.includes('injected, round 1'));
    await until('round', polled, 10 * minutes);
    process.kill(-npm.pid, 'SIGINT');
    await ended;
    await until('end of all its processes', () => processesOf(folder).length === 0, minutes);

    const [file = ''] = filesOf(folder, 'result.json');
    const result = parseResult(JSON.parse(file), 'its result');
    expect(result.partial).toEqual({ why: 'ended by SIGINT', done: expect.any(Number) });
    expect(result.partial?.done).toBeGreaterThan(0);
    expect(result.partial?.done).toBeLessThan(1);
    const names = result.paths.map(({ name }) => name);
    expect(names).toContain('poll');
    expect(names).not.toContain('vmcall');
    expect(result.failed_attempts).toEqual([]);
    expect(renderResult(result)).toMatch(/^PARTIAL: ended by SIGINT when \d+ % of its steps were done\./);
    // --json: npm's own banner, then the same document.
    expect(JSON.parse(stdout.slice(stdout.indexOf('{\n')))).toEqual(JSON.parse(file));
    expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(folder);
    await rm(folder, { recursive: true });
  });
});
