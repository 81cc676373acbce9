/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_CLAIM_H
#define VMCALL_CLAIM_H

#include <linux/types.h>
#include <vmcall.h>

#include "halt_limit.h"

/* An open file's hold on one vCPU. */
struct claim {
	int cpu;		/* -1: none */
	u32 ways;		/* VMCALL_WAY_*, as asked for */
	u64 doorbells;
	/* What is on for it now: less than @ways while its CPU is off, the
	 * system sleeps, or the host revoked it.
	 */
	u32 granted;
	/* Host halt polling was on before, and is to be restored. */
	bool had_host_polling;
	struct halt_limit limit;
};

void claim_init(struct claim *claim);

/*
 * Take the calling thread's CPU.  0, or a negative errno with the reason in
 * take->refusal and the claim as it was.
 */
int claim_take(struct claim *claim, struct vmcall_take *take);

/* Undo everything; nothing happens if there is nothing. */
void claim_give_back(struct claim *claim);

/*
 * Of one CPU, or of all: switch off what claims have on, while the claims
 * stay, and on again.
 */
void claims_suspend_cpu(unsigned int cpu);
void claims_resume_cpu(unsigned int cpu);
void claims_suspend_all(void);
void claims_resume_all(void);

/* From now on nobody takes anything. */
void claims_shut_down(void);

#endif /* VMCALL_CLAIM_H */
