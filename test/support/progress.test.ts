// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { stderrProgress } from '../../src/support/progress.js';
import { TimedStep } from '../../src/support/timed-step.js';

let said = '';
let now = 0;
beforeEach(() => {
  said = '';
  now = 1_000;
});

function progress(isTTY: boolean, columns = 80) {
  const write = (text: string | Uint8Array) => {
    said += String(text);
    return true;
  };
  return stderrProgress({ write, isTTY, columns } as NodeJS.WriteStream, () => now);
}

describe('progress on a terminal', () => {
  test('is one line, rewritten, with a bar and the time left at the pace so far', () => {
    const bar = progress(true);
    bar.step('measuring');
    for (const fraction of [0, 0.25, 0.5]) {
      bar.advance(fraction, 'injected, round 1 of 2');
      now += 30_000;
    }
    bar.advance(1, 'measured');
    const [first = '', ...lines] = said.split('\n');
    expect(first).toMatch(/^\d\d:\d\d:\d\d measuring$/);
    expect(lines).toEqual([expect.any(String), '']);
    expect(lines[0]?.split('\r\x1b[K')).toEqual([
      '',
      '[........................] injected, round 1 of 2',
      '[######..................] injected, round 1 of 2, about 1:30 left',
      '[############............] injected, round 1 of 2, about 1:00 left',
      '[########################] measured',
    ]);
  });

  test('never wraps its line', () => {
    const bar = progress(true, 40);
    bar.advance(0, 'x'.repeat(100));
    now += 10_000;
    bar.advance(0.5, 'x'.repeat(100));
    for (const line of said.split('\r\x1b[K')) expect(line.length).toBeLessThan(40);
    expect(said).toMatch(/about 0:10 left$/);
  });

  test('ends the bar before the next step', () => {
    const bar = progress(true);
    bar.advance(0.5, 'half');
    bar.step('next');
    expect(said).toMatch(/half\n\d\d:\d\d:\d\d next\n$/);
  });
});

describe('progress in a log', () => {
  test('is a line for each tenth part', () => {
    const log = progress(false);
    log.step('measuring');
    for (let percent = 0; percent <= 100; percent++) {
      log.advance(percent / 100, 'round');
      now += 1_000;
    }
    const lines = said.trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    expect(lines[3]).toMatch(/^\d\d:\d\d:\d\d {3}20 % round, about 1:20 left$/);
    expect(said).not.toContain('\r');
  });
});

describe('a step that takes longer than was said', () => {
  test('says so on its line, with the time it has taken', () => {
    const bar = progress(true);
    bar.step('building');
    bar.overrun('building', 100, 60);
    bar.overrun('building', 101, 60);
    bar.step('next');
    expect(said.split('\n')[1]?.split('\r\x1b[K')).toEqual([
      '',
      '[#######################.] building, 1:40 by now, usually 1:00',
      '[#######################.] building, 1:41 by now, usually 1:00',
    ]);
  });

  test('says so in a log at once, and again each half of its time', () => {
    const log = progress(false);
    log.step('building');
    for (let seconds = 61; seconds <= 150; seconds++) log.overrun('building', seconds, 60);
    log.step('next');
    log.overrun('next', 21, 1);
    expect(
      said
        .replaceAll(/^[\d:]+ +/gm, '')
        .trimEnd()
        .split('\n'),
    ).toEqual([
      'building',
      ...['1:01', '1:31', '2:01'].map((time) => `building, ${time} by now, usually 1:00`),
      'next',
      'next, 0:21 by now, usually 0:01',
    ]);
  });
});

describe('a step that says nothing of its course', () => {
  const known = { key: 'modules', text: 'building', usual: 90 };

  test('goes by how long it took before, and remembers how long it took now', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'vmcall-progress-')), 'durations.json');
    const first = await TimedStep.begin(progress(false), known, file);
    expect(said).toContain('building (about 1:30)');
    await first.end();
    expect(said).toMatch(/100 % building\n$/);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ modules: expect.any(Number) });

    await writeFile(file, '{"modules":30,"other":5}');
    const second = await TimedStep.begin(progress(false), known, file);
    expect(said).toContain('building (about 0:30)');
    await second.end();
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ other: 5 });
  });

  test('says that it takes longer than it did before', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'vmcall-progress-')), 'durations.json');
    await writeFile(file, '{"modules":0.01}');
    const step = await TimedStep.begin(progress(true), known, file);
    await vi.waitFor(() => expect(said).toContain('building, 0:01 by now, usually 0:00'), 20_000);
    step.cancel();
  });

  test('that was not done is not remembered, and a file that is none is no harm', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'vmcall-progress-')), 'durations.json');
    await writeFile(file, 'nonsense');
    (await TimedStep.begin(progress(false), known, file)).cancel();
    expect(await readFile(file, 'utf8')).toBe('nonsense');
  });
});
