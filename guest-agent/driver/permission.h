/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_PERMISSION_H
#define VMCALL_PERMISSION_H

#include <linux/types.h>

/*
 * Let user space on this CPU make the yield hypercall for these doorbells; 0:
 * for none.  0, or -EIO if the host refuses, -ENXIO if the CPU is not online.
 */
int permission_write(unsigned int cpu, u64 doorbells);

/* Has the host's KVM the yield, in this version?  Switched on or off. */
bool permission_possible(void);

#endif /* VMCALL_PERMISSION_H */
