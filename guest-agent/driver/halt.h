/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_HALT_H
#define VMCALL_HALT_H

#include <linux/types.h>
#include <vmcall.h>

struct claim;

void halt_init(struct claim *claim);

/* Nothing of it is left to fire. */
void halt_stop(struct claim *claim);

/*
 * Halt the calling thread's vCPU unless a word that it names has changed.  The
 * VMCALL_HALT_* that ended it, or a negative errno.
 */
int halt_wait(struct claim *claim, const struct vmcall_halt *halt);

/*
 * Does HLT leave the guest on the calling thread's CPU, to which it is bound,
 * and does KVM's PV kick end it?  Takes some milliseconds at most.
 */
bool halt_exits(void);

#endif /* VMCALL_HALT_H */
