// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pulsePort } from '../machine.js';

/**
 * Has each CPU of L1 interrupted at times, so that none waits for ever for an interrupt that the emulator lost.
 *
 * QEMU 7.2 changes a CPU's pending interrupts without a lock at each VMRUN and #VMEXIT (interrupt_request in
 * target/i386/tcg/sysemu/svm_helper.c). With parallel CPUs, what the local APIC's timer sets at that moment is gone:
 * its vector is in the IRR, and the CPU halts. Any later interrupt delivers both: one of the port for CPU 0, and one
 * from there for CPU 1. Seen about once in 150,000 operations of the fuzzer.
 */
export function startPulse(): void {
  const port = `/dev/virtio-ports/${pulsePort}`;
  if (!existsSync(port)) return;
  const loop = `while read -r _; do taskset --cpu-list 1 true; done < ${port}`;
  spawn('sh', ['-c', loop], { stdio: 'ignore' }).unref();
}
