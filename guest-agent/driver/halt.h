/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_HALT_H
#define VMCALL_HALT_H

#include <vmcall.h>

struct claim;

/*
 * Halt the calling thread's vCPU unless a word that it names has changed.  The
 * VMCALL_HALT_* that ended it, or a negative errno.
 */
int halt_wait(struct claim *claim, const struct vmcall_halt *halt);

#endif /* VMCALL_HALT_H */
