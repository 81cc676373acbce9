// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A running process that the agent answers for, its own child or not. */
export interface RunningProgram {
  readonly pid: number;
  /** It is no more: its number may be another's. */
  readonly hasExited: boolean;
  /** How it ended, for people. */
  readonly exited: Promise<string>;
}

const lookMs = 250;
/** After SIGTERM the program gives its interrupts back; then it is killed. */
const stopMs = 10_000;

/**
 * Starts a program in a session of its own, its output in our log: it outlives us if we are killed, so that traffic
 * goes on.
 */
export async function launch(
  program: string,
  words: readonly string[],
): Promise<RunningProgram | { failed: string }> {
  const child = spawn(program, words, { stdio: ['ignore', 2, 2], detached: true });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return child.pid === undefined ? { failed: await exited } : runningProgram(child.pid, exited);
}

/** A process that somebody else started. Its number with its start time is not given to another. */
export async function adopt(pid: number): Promise<RunningProgram | undefined> {
  const started = await startTime(pid);
  if (started === undefined) return undefined;
  const gone = async () => {
    while ((await startTime(pid)) === started) await delay(lookMs, undefined, { ref: false });
    return 'not our child: how it ended is not known';
  };
  return runningProgram(pid, gone());
}

function runningProgram(pid: number, exited: Promise<string>): RunningProgram {
  let hasExited = false;
  void exited.then(() => {
    hasExited = true;
  });
  return {
    pid,
    exited,
    get hasExited() {
      return hasExited;
    },
  };
}

/** Ends it: SIGTERM, and SIGKILL if that is not enough. */
export async function end(program: RunningProgram): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    if (program.hasExited) return;
    try {
      process.kill(program.pid, name);
    } catch {
      // It is gone already.
    }
  };
  signal('SIGTERM');
  const timer = setTimeout(() => signal('SIGKILL'), stopMs);
  await program.exited;
  clearTimeout(timer);
}

/** The words of a process's command line; undefined if there is no such process. */
export async function commandLine(pid: number): Promise<string[] | undefined> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}

/** The file that a process runs; undefined if that cannot be said. */
export async function executable(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/exe`).catch(() => undefined);
}

/** Field 22 of /proc/PID/stat (proc(5)); undefined for a zombie or if there is no such process. */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
