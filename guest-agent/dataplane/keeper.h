/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef KEEPER_H
#define KEEPER_H

/**
 * @file
 * The thread that keeps the port and the policy working beside the lcore:
 *
 * - a policy that broke is left for the next one that works;
 * - a doorbell that somebody overwrote is written again;
 * - a port that its PF or its driver reset runs again;
 * - a link that goes down and up is reported.
 *
 * Once a second, and at once when it is called.
 */

#include <stdbool.h>
#include <stdint.h>

#include "port.h"
#include "wait.h"

struct failure;
struct forward;

struct keeper {
	struct forward *forward;
	/** The port's interrupts, set up again; after each start of the port. */
	void (*set_up_interrupts)(void *arg);
	void *arg;
	bool promiscuous;
	/** What came to be while an event kept the policy from being upheld. */
	enum wait_policy_id wanted;
	bool is_waiting;	/**< for the driver to recover */
	int link_up;		/**< as last reported; -1: not yet */
	/** @{ counted for telemetry */
	uint64_t link_changes;
	uint64_t port_resets;
	uint64_t doorbell_repairs;
	/** @} */
};

/**
 * Start it; the fields above but the last ones are filled in.
 * @return 0, or -1 with the failure filled in
 */
int keeper_start(struct keeper *keeper, struct failure *failure);

#endif /* KEEPER_H */
