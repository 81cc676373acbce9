/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_MSR_H
#define VMCALL_MSR_H

#include <linux/types.h>

/*
 * An MSR of an online CPU, with faults caught.  0, or -EIO if the hypervisor
 * refuses, -ENXIO if the CPU is not online.
 */
int msr_read(unsigned int cpu, u32 msr, u64 *value);
int msr_write(unsigned int cpu, u32 msr, u64 value);

#endif /* VMCALL_MSR_H */
