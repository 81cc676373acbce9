// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../src/support/paths.js';

const minutes = 60_000;

/** Command lines of all processes that mention `folder`: the lab's own, and its emulators. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((command) => command.includes(folder));
}

async function until(what: string, condition: () => boolean, timeout: number): Promise<void> {
  for (const start = Date.now(); !condition(); await delay(250))
    if (Date.now() - start > timeout) throw new Error(`no ${what} in ${timeout / 1000} s`);
}

/** The child of `pid`, or the one of that, `depth` levels below. */
function descendant(pid: number, depth: number): number {
  if (depth === 0) return pid;
  const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
  if (!child) throw new Error(`process ${pid} has no child`);
  return descendant(Number(child), depth - 1);
}

/** What a killed lab could leave changed outside its own folder. */
function surroundings(): { mounts: string; checkout: string } {
  return {
    mounts: readFileSync('/proc/self/mounts', 'utf8'),
    checkout: execFileSync('git', ['status', '--porcelain'], { cwd: projectRoot, encoding: 'utf8' }),
  };
}

describe('a lab killed outright', () => {
  test.each([
    { stage: 'while its host boots', victim: 'npm', depth: 0, event: undefined },
    { stage: 'while its guest boots', victim: 'the shell of npm', depth: 1, event: 'booting the guest' },
    { stage: 'while packets flow', victim: 'vmcall itself', depth: 2, event: 'injected, round 1' },
  ])('$stage, by way of $victim, leaves nothing', { timeout: 15 * minutes }, async ({ depth, event }) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmcall-kill-'));
    const before = surroundings();
    const npm: ChildProcess = spawn('npm', ['start', '--', '--yes', '--rounds', '1', '--output', folder], {
      cwd: projectRoot,
      stdio: 'ignore',
    });
    if (npm.pid === undefined) throw new Error('npm did not start');
    const happened = () =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('events.jsonl'))
        .some((name) => event === undefined || readFileSync(join(folder, name), 'utf8').includes(event));
    await until(event ?? 'emulator', happened, 10 * minutes);
    expect(processesOf(folder).some((command) => command.startsWith('qemu-system-x86_64'))).toBe(true);

    process.kill(descendant(npm.pid, depth), 'SIGKILL');
    await until('end of all its processes', () => processesOf(folder).length === 0, minutes);
    expect(surroundings()).toEqual(before);
  });
});
