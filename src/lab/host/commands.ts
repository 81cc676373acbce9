// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Runs a command to its end and gives its stdout; fails with its stderr. */
export function run(command: string, ...words: string[]): Promise<string> {
  return start(command, ...words).ended;
}

/** The same, with the process at hand meanwhile. */
export function start(command: string, ...words: string[]): { child: ChildProcess; ended: Promise<string> } {
  const running = execFileAsync(command, words, { maxBuffer: 64 << 20 });
  const ended = running.then(({ stdout }) => stdout);
  // Whoever waits for it later gets the error.
  ended.catch(() => {});
  return { child: running.child, ended };
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

/** Writes a sysfs, procfs or debugfs attribute; the error names the file and the value. */
export function writeText(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (cause) {
    throw new Error(`cannot write ${JSON.stringify(value)} to ${path}`, { cause });
  }
}

/** Pins one thread and gives it a real-time priority (0: an ordinary thread). */
export async function schedule(thread: number, cpu: number, fifoPriority: number): Promise<void> {
  await run('taskset', '-pc', String(cpu), String(thread));
  await run(
    'chrt',
    ...(fifoPriority > 0 ? ['-f', '-p', String(fifoPriority)] : ['-o', '-p', '0']),
    String(thread),
  );
}

/** The kernel thread that handles an interrupt under forced threading: it is called `irq/NUMBER-NAME`. */
export function interruptThread(irq: number): number {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readText(`/proc/${pid}/comm`).startsWith(`irq/${irq}-`)) return Number(pid);
    } catch {
      // It ended between the two looks.
    }
  }
  throw new Error(`interrupt ${irq} has no thread: does this kernel force threaded interrupts?`);
}

/** Time a process has been on a CPU since it started, ns (kernel/sched: /proc/PID/schedstat, first field). */
export function cpuTime(pid: number, thread = pid): bigint {
  return BigInt(readText(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? '0');
}

export function threadsOf(pid: number): { id: number; name: string }[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => ({
    id: Number(id),
    name: readText(`/proc/${pid}/task/${id}/comm`),
  }));
}
