// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { gitWords } from '../../src/support/git.js';
import { cacheRoot, projectRoot } from '../../src/support/paths.js';
import { filesOf, processesOf, until } from './support.js';

const minutes = 60_000;

/** The child of `pid`, or the one of that, `depth` levels below. */
function descendant(pid: number, depth: number): number {
  if (depth === 0) return pid;
  const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
  if (!child) throw new Error(`process ${pid} has no child`);
  return descendant(Number(child), depth - 1);
}

/** What a killed lab could leave changed outside its own folder; the roots of other releases are none of its own. */
function surroundings(folder: string): { mounts: string[]; checkout: string } {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').replaceAll('\\040', ' ').split('\n');
  const ours = [folder, projectRoot, cacheRoot];
  const others = join(cacheRoot, 'roots');
  return {
    mounts: mounts.filter((mount) => ours.some((path) => mount.includes(path)) && !mount.includes(others)),
    checkout: execFileSync('git', [...gitWords, 'status', '--porcelain'], { encoding: 'utf8' }),
  };
}

describe('a lab killed outright', () => {
  test.each([
    { stage: 'while its host boots', victim: 'npm', depth: 0, event: undefined },
    { stage: 'while its guest boots', victim: 'the shell of npm', depth: 1, event: 'booting the guest' },
    { stage: 'while packets flow', victim: 'vmcall itself', depth: 2, event: 'injected, round 1' },
  ])('$stage, by way of $victim, leaves nothing', { timeout: 15 * minutes }, async ({ depth, event }) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmcall-kill-'));
    const before = surroundings(folder);
    const npm: ChildProcess = spawn(
      'npm',
      ['start', '--', '--yes', '--fresh', '--rounds', '1', '--output', folder],
      {
        cwd: projectRoot,
        stdio: 'ignore',
      },
    );
    if (npm.pid === undefined) throw new Error('npm did not start');
    const happened = () =>
      filesOf(folder, 'events.jsonl').some((text) => event === undefined || text.includes(event));
    await until(event ?? 'emulator', happened, 10 * minutes);
    expect(processesOf(folder).some((command) => command.startsWith('qemu-system-x86_64'))).toBe(true);

    process.kill(descendant(npm.pid, depth), 'SIGKILL');
    await until('end of all its processes', () => processesOf(folder).length === 0, minutes);
    // Tests beside this one may be about to clean up.
    await until(
      'end of all that it left',
      () => isDeepStrictEqual(surroundings(folder), before),
      minutes,
    ).catch(() => expect(surroundings(folder)).toEqual(before));
  });
});
