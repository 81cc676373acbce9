// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/host.js';

/**
 * What the fair server keeps of each period for a CPU's ordinary tasks, ns (linux: kernel/sched/debug.c, since 6.12).
 * It, not sched_rt_runtime_us, bounds real-time tasks there.
 */
export const fairServerFile = (cpu: number) => `/sys/kernel/debug/sched/fair_server/cpu${cpu}/runtime`;

const cpuOf = (file: string) => Number(/fair_server\/cpu(\d+)\/runtime$/.exec(file)?.[1] ?? Number.NaN);

export const isFairServer = (file: string) => !Number.isNaN(cpuOf(file));

/**
 * Sets a fair server's runtime, ns; 0 is none. The kernel first stops the server, and 6.12's stable series does so also
 * where it never ran: it takes away bandwidth that was never added, and warns (kernel/sched/deadline.c,
 * `dl_rq->running_bw > old`: a taint, or the end of a host with panic_on_warn). It runs while an ordinary task wants the
 * CPU, so the task that writes is one, on that CPU. One that is at 0 is not stopped: setting it back needs nobody there.
 */
export function setFairServer(host: Host, file: string, runtime: string): void {
  const now = host.read(file);
  if (now === runtime) return;
  if (now === '0') host.write(file, runtime);
  else host.writeOn(cpuOf(file), file, runtime);
}
