// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pulsePort } from '../machine.js';
import { portDevice } from './ports.js';

/**
 * Has each CPU of L1 interrupted at times, so that none waits forever for an interrupt that the emulator lost.
 *
 * QEMU 7.2 changes a CPU's pending interrupts without a lock at each VMRUN and #VMEXIT (interrupt_request in
 * target/i386/tcg/sysemu/svm_helper.c). With parallel CPUs, what the local APIC's timer sets at that moment is gone:
 * its vector is in the IRR, and the CPU halts. Any later interrupt delivers both: one of the port for CPU 0, and one
 * from there for CPU 1. Seen about once in 150,000 operations of the fuzzer.
 *
 * @returns the pulses so far; undefined on a machine that needs none, and has no such port
 */
export function startPulse(): (() => number) | undefined {
  const port = portDevice(pulsePort);
  if (!port) return undefined;
  // Not in one loop: a program that spins at a real-time priority on CPU 1 must not keep the pulse from CPU 0.
  const loop = `while read -r _; do echo; done < ${port} | taskset --cpu-list 1 cat`;
  const { stdout } = spawn('sh', ['-c', loop], { stdio: ['ignore', 'pipe', 'ignore'] });
  let pulses = 0;
  createInterface({ input: stdout }).on('line', () => pulses++);
  return () => pulses;
}
