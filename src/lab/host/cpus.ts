// SPDX-License-Identifier: Apache-2.0

/** CPUs of L1, the host under test: everything but the DPDK vCPU runs on the first. */
export const housekeepingCpu = 0;
export const dpdkCpu = 1;

/**
 * The DPDK vCPU's real-time priority. Below the kernel's irq threads (FIFO 50): a vCPU that spins above them
 * starves the threaded VFIO handler for good.
 */
export const vcpuPriority = 10;

/** The DPDK vCPU of the guest; vCPU 0 does the guest's housekeeping. */
export const dpdkVcpu = 1;
