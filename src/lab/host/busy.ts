// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { cpuTime, run } from './commands.js';

/**
 * Runs `work` beside a busy process of the lowest priority (SCHED_IDLE) on `cpu`: the time it gets is the CPU
 * the DPDK program hands back.
 */
export async function withBusyProcess<T>(
  cpu: number,
  work: () => Promise<T>,
): Promise<{ result: T; busyNs: number; wallNs: number }> {
  const busy = spawn('/bin/busybox', ['sh', '-c', 'while :; do :; done'], { stdio: 'ignore' });
  const { pid } = busy;
  if (pid === undefined) throw new Error('the busy process did not start');
  try {
    await run('chrt', '-i', '-p', '0', String(pid));
    await run('taskset', '-pc', String(cpu), String(pid));
    const start = { busy: cpuTime(pid), wall: process.hrtime.bigint() };
    const result = await work();
    return {
      result,
      busyNs: Number(cpuTime(pid) - start.busy),
      wallNs: Number(process.hrtime.bigint() - start.wall),
    };
  } finally {
    busy.kill('SIGKILL');
  }
}
