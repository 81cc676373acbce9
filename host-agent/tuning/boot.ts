// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/host.js';

/** The kernel's boot parameters, the last of each name; those without a value have ''. */
export function bootParameters(host: Host): Map<string, string> {
  const words = (host.read('/proc/cmdline') ?? '').match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=');
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1).replaceAll('"', '')];
    }),
  );
}

/** PREEMPT_RT: by the file of the RT patch set, or by the version line of kernels that have it merged. */
export function isRealTimeKernel(host: Host): boolean {
  return host.read('/sys/kernel/realtime') === '1' || /PREEMPT[_ ]RT/.test(host.read('/proc/version') ?? '');
}

/** Handlers without IRQF_NO_THREAD run in threads (linux: kernel/irq/manage.c, force_irqthreads). */
export function forcesInterruptThreads(host: Host): boolean {
  return isRealTimeKernel(host) || bootParameters(host).has('threadirqs');
}

/** Whether the running kernel is older than a release; one that does not say is not. */
export function isOlderThan(host: Host, major: number, minor: number): boolean {
  const [, first, second] = /^Linux version (\d+)\.(\d+)/.exec(host.read('/proc/version') ?? '') ?? [];
  if (first === undefined || second === undefined) return false;
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}
