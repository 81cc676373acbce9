// SPDX-License-Identifier: Apache-2.0

/** The local APIC timer's vector in a Linux guest (linux: arch/x86/include/asm/irq_vectors.h). */
export const timerVector = '236';

/**
 * Whether a vector belongs to a device: above the exceptions (32), below Linux's system vectors (0xec). On the
 * isolated DPDK vCPU the one device is its NIC; the guest's other devices interrupt vCPU 0.
 */
export function isDeviceVector(vector: string): boolean {
  const number = Number(vector);
  return number >= 32 && number < 0xec;
}

/** SVM's exit codes (AMD64 APM volume 2, appendix C; linux: arch/x86/include/uapi/asm/svm.h). */
const svmExits: Readonly<Record<number, string>> = {
  96: 'interrupt',
  97: 'nmi',
  100: 'vintr',
  114: 'cpuid',
  119: 'pause',
  120: 'hlt',
  123: 'io',
  124: 'msr',
  129: 'vmmcall',
  1024: 'npf',
};

/** `kvm_exit`'s reason as the trace histogram prints it (decimal or hex), as a word. */
export function exitReasonName(reason: string): string {
  return svmExits[Number(reason)] ?? `exit-${reason}`;
}
