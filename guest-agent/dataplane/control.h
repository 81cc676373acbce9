/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef CONTROL_H
#define CONTROL_H

/**
 * @file
 * How other threads (telemetry, signals) get the lcore to do something at a
 * safe point of its loop, even when it sleeps.
 *
 * One request at a time.  The requester posts it and wakes the lcore until the
 * lcore has taken it: an eventfd ends a sleep in epoll, a signal (by the
 * interrupt that it sends to the lcore's CPU) ends a yield of the vCPU.  The
 * signal is repeated, for it may come just before the lcore goes to sleep.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "failure.h"
#include "wait.h"

enum control_kind {
	CONTROL_HOLD,		/**< poll only, whatever the policy */
	CONTROL_RELEASE,	/**< and wait by the policy again */
	CONTROL_PAUSE,		/**< do not touch the port */
	CONTROL_RESUME,		/**< and poll it again */
	CONTROL_SET_POLICY,
	CONTROL_SET_IDLE_THRESHOLD,
	CONTROL_RESET_STATS,
};

struct control_request {
	enum control_kind kind;
	enum wait_policy_id policy;	/**< of CONTROL_SET_POLICY */
	uint64_t idle_threshold_us;	/**< of CONTROL_SET_IDLE_THRESHOLD */
};

enum control_state {
	CONTROL_FREE,
	CONTROL_POSTED,
	CONTROL_TAKEN,
	CONTROL_DONE,
};

struct control {
	int state;		/**< enum control_state, atomic */
	int quit;		/**< atomic */
	int stopped;		/**< the lcore has left its loop; atomic */
	int event_fd;		/**< non-blocking: ends a sleep in epoll */
	int keeper_fd;		/**< eventfd: the keeper has something to do */
	int exit_status;	/**< of the program */
	pthread_t lcore;
	struct control_request request;
	struct failure failure;	/**< the lcore's answer */
	pthread_mutex_t lock;	/**< one requester at a time */
} __rte_cache_aligned;

/**
 * Prepare, and take over SIGINT, SIGTERM and SIGHUP (a thread waits for them)
 * and SIGUSR1 (does nothing but interrupt).  To be called before
 * rte_eal_init(), so that all of DPDK's threads inherit the signal mask.
 * @return 0, or -1 with the failure filled in
 */
int control_init(struct control *control, struct failure *failure);

/** Start the signal thread; on the lcore, after rte_eal_init(). */
int control_start(struct control *control, struct failure *failure);

/**
 * Ask the lcore and wait for its answer; not on the lcore.
 * @param timeout_ms how long to wait for the lcore to take it
 * @return 0, or -1 with the failure filled in
 */
int control_submit(struct control *control,
		const struct control_request *request,
		unsigned int timeout_ms, struct failure *failure);

/** Call the keeper (keeper.h); from any thread, the lcore included. */
void control_call_keeper(struct control *control);

/** End the program with EXIT_FAILURE, as if by a signal; not on the lcore. */
void control_end(struct control *control);

/** Does anybody want something?  Cheap: for each turn of the loop. */
static inline bool
control_pending(const struct control *control)
{
	return __atomic_load_n(&control->state, __ATOMIC_RELAXED) ==
			CONTROL_POSTED ||
		__atomic_load_n(&control->quit, __ATOMIC_RELAXED);
}

static inline bool
control_quit(const struct control *control)
{
	return __atomic_load_n(&control->quit, __ATOMIC_RELAXED);
}

/** On the lcore: take the posted request, NULL if there is none. */
const struct control_request *control_take(struct control *control);

/** On the lcore: answer it.  NULL: it is done. */
void control_answer(struct control *control, const struct failure *failure);

/** On the lcore: it has left its loop and will take nothing any more. */
void control_stop(struct control *control);

#endif /* CONTROL_H */
