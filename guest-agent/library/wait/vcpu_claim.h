/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef VCPU_CLAIM_H
#define VCPU_CLAIM_H

/**
 * @file
 * The lcore's vCPU, held by the guest driver (guest-agent/driver): one open
 * file.  When this program ends, in whatever way, the kernel closes it and
 * revokes all.
 */

#include <stdbool.h>
#include <stdint.h>

#include <vmcall.h>

struct failure;

struct vcpu_claim {
	int fd;		/**< -1: nothing is held */
};

#define VCPU_CLAIM_NONE { .fd = -1 }

/** Is the driver there? */
bool vcpu_claim_possible(void);

/**
 * Take the vCPU that the calling thread is bound to.
 * @param way VMCALL_WAY_YIELD or VMCALL_WAY_HALT
 * @param doorbells mask, for VMCALL_WAY_YIELD; else 0
 * @return 0, or -1 with the failure filled in and nothing held
 */
int vcpu_claim_take(struct vcpu_claim *claim, uint32_t way, uint64_t doorbells,
		struct failure *failure);

void vcpu_claim_give_back(struct vcpu_claim *claim);

/**
 * Halt until anything wakes the vCPU, unless one of the words has changed.
 * @return VMCALL_HALT_* flags, one at least, or -1 with errno set
 */
int vcpu_claim_halt(const struct vcpu_claim *claim,
		const struct vmcall_look *looks, uint32_t count,
		uint64_t timeout_ns);

#endif /* VCPU_CLAIM_H */
