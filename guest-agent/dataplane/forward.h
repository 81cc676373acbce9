/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef FORWARD_H
#define FORWARD_H

/** @file The lcore's loop: poll, send back, and wait by the policy in force. */

#include <stdint.h>

#include "failure.h"
#include "stats.h"
#include "wait.h"

struct control;
struct port;
struct wake_times;

struct forward {
	struct port *port;
	struct control *control;
	struct wait_context *wait;
	/** Of the sleeps that nothing else dates. */
	struct wake_times *wake_times;
	enum wait_policy_id policy;	/**< in force; others may read it */
	uint64_t tsc_khz;
	uint64_t idle_threshold_us;
	uint64_t idle_threshold_cycles;
	uint64_t wait_timeout_ns;
	uint64_t last_packet;		/**< TSC when one was last received */
	uint64_t arm_delay_cycles;	/**< test aid; 0: none */
	bool held;			/**< poll only: see CONTROL_HOLD */
	bool paused;			/**< leave the port alone: CONTROL_PAUSE */
	/** The policy in force does not work: the lcore polls until the keeper
	 * has entered another.  Atomic.
	 */
	bool broken;
	bool pause;			/**< PAUSE after an empty poll */
	/** Why the program last left the policy that was asked for. */
	struct failure last_fallback;
	/** Here, and not behind a pointer: counting is then one instruction. */
	struct stats stats;
};

/** Set the idle threshold, microseconds. */
void forward_set_idle_threshold(struct forward *forward, uint64_t us);

/**
 * Enter a policy with what it installs, before the loop runs or in its own
 * time; on failure the one in force stays.  While packets flow, others switch
 * with policy_switch().
 * @return 0, or -1 with the failure filled in
 */
int forward_take_up(struct forward *forward, enum wait_policy_id policy,
		struct failure *failure);

/** Run until control_quit(); ends in the poll policy. */
void forward_run(struct forward *forward);

#endif /* FORWARD_H */
