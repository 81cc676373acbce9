/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_HALT_POLL_H
#define VMCALL_HALT_POLL_H

#include <linux/types.h>

/*
 * The host spins some time before it lets a halted vCPU's thread sleep
 * (halt_poll_ns), which keeps the CPU that is to be handed back.  The guest may
 * decline that for a vCPU.
 *
 * True if it was on, and is to be restored by halt_poll_enable().
 */
bool halt_poll_disable(unsigned int cpu);
void halt_poll_enable(unsigned int cpu);

#endif /* VMCALL_HALT_POLL_H */
