// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { UpstreamSelftestEvent } from '../events.js';
import type { Plan } from '../plan.js';
import { emit } from './events.js';
import { keepOneVm } from './selftests.js';
import type { Steps } from './steps.js';

/** On L1's clock, ms. */
const limit = 30_000;
const linesKept = 20;

/** Runs the kernel's own KVM selftests, one after the other, each with a limit of its own. */
export async function upstreamSelftests(plan: Plan, steps: Steps): Promise<void> {
  const { selftests: folder, testPrograms = [] } = plan;
  if (folder === undefined) throw new Error('the plan names no folder of selftests');
  const idle = await keepOneVm();
  for (const { program, arguments: words } of testPrograms) {
    const ended = await steps.take(program, () => runLimited(`${folder}/${program}`, words));
    emit({ type: 'upstream-selftest', program, ...ended });
  }
  idle.kill();
}

async function runLimited(
  program: string,
  words: readonly string[],
): Promise<Pick<UpstreamSelftestEvent, 'ended' | 'seconds' | 'output'>> {
  const started = performance.now();
  const output: string[] = [];
  // A group of its own: some fork, and what they leave must not run beside the next one.
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  };
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      output.push(line);
      if (output.length > linesKept) output.shift();
    });
  let overTime = false;
  const timer = setTimeout(() => {
    overTime = true;
    killGroup();
  }, limit);
  child.once('exit', killGroup);
  const ended = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  clearTimeout(timer);
  return { ended: overTime ? 'timeout' : ended, seconds: (performance.now() - started) / 1000, output };
}
