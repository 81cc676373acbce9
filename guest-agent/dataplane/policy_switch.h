/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef POLICY_SWITCH_H
#define POLICY_SWITCH_H

/**
 * @file
 * From one wait policy to another while packets flow.
 *
 * A hypervisor may take tens of milliseconds over a write to an MSI-X entry.
 * The lcore polls meanwhile, and the thread that asks does the writing.
 */

#include "wait.h"

struct failure;
struct forward;

/**
 * Switch; not on the lcore.  On failure the previous policy stays in force.
 * @param timeout_ms how long to wait for the lcore to take a request
 * @return 0, or -1 with the failure filled in
 */
int policy_switch(struct forward *forward, enum wait_policy_id policy,
		unsigned int timeout_ms, struct failure *failure);

/**
 * Install what the policy in force installs once more, after somebody undid
 * it; not on the lcore.
 * @return 0, or -1 with the failure filled in and the policy left
 */
int policy_renew(struct forward *forward, unsigned int timeout_ms,
		struct failure *failure);

#endif /* POLICY_SWITCH_H */
