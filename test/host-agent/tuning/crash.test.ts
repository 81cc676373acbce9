// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openJournal, restore } from '../../../host-agent/tuning/tune.js';
import { projectRoot } from '../../../src/support/paths.js';
import { recordedHost, systemAt, unpack } from './recorded-host.js';
import { snapshot } from './snapshot.js';

const child = join(projectRoot, 'dist/test/host-agent/tuning/crash-child.js');

let folder: string;
let root: string;
let state: string;
let pristine: Record<string, string>;
beforeAll(() => {
  // The child is a process of its own, so it runs what the compiler made.
  execFileSync(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  folder = mkdtempSync(join(tmpdir(), 'vmcall-crash-'));
  root = join(folder, 'host');
  state = join(folder, 'state');
  unpack(recordedHost('xeon-rt'), root);
  pristine = snapshot(root);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

/** Runs the child; true where it was killed on its way. */
function run(work: 'apply' | 'restore', when = 'never', number = 0): boolean {
  const words = [child, work, root, state, when, String(number)];
  const { status, signal, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (signal !== 'SIGKILL' && status !== 0) throw new Error(`the child failed: ${stderr}`);
  return signal === 'SIGKILL';
}

async function expectRestored() {
  const system = systemAt(root);
  const journal = openJournal(system.host, state);
  const { refused } = await restore(system, journal, false).finally(() => journal.close());
  expect(refused).toEqual([]);
  expect(snapshot(root)).toEqual(pristine);
  expect(existsSync(join(state, 'tuning.jsonl'))).toBe(false);
}

/** xeon-rt differs in eight places. */
const changes = 8;

describe.each(['before', 'after'])('killed %s a change', (when) => {
  test('of apply, at each step: restore brings back every byte', async () => {
    let step = 1;
    for (; run('apply', when, step); step++) {
      if (when === 'after' || step > 1) expect(snapshot(root)).not.toEqual(pristine);
      await expectRestored();
    }
    expect(step).toBeGreaterThan(changes);
    await expectRestored();
  }, 240_000);

  test('of restore, at each step: the next restore brings back every byte', async () => {
    let step = 1;
    for (let killed = true; killed; step++) {
      expect(run('apply')).toBe(false);
      killed = run('restore', when, step);
      await expectRestored();
    }
    expect(step).toBeGreaterThan(changes);
  }, 240_000);
});
