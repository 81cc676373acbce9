/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_CONTEND_H
#define VMCALL_CONTEND_H

/*
 * Where a lock could be contended between a program's last poll and the HLT: the
 * lab's build (src/lab/guest/contend) waits for one here, others for none.
 */
#ifdef VMCALL_CONTEND
void contend_before_halt(void);
#else
static inline void contend_before_halt(void)
{
}
#endif

#endif /* VMCALL_CONTEND_H */
