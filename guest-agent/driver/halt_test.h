/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_HALT_TEST_H
#define VMCALL_HALT_TEST_H

#include <linux/types.h>

/*
 * Does HLT leave the guest on the calling thread's CPU, to which it is bound,
 * and does KVM's PV kick end it?  Takes some milliseconds at most.
 */
bool halt_exits(void);

#endif /* VMCALL_HALT_TEST_H */
