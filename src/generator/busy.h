// SPDX-License-Identifier: Apache-2.0
#ifndef BUSY_H
#define BUSY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/**
 * Other work on a CPU: a child process that computes without end, of the lowest
 * priority (SCHED_IDLE) or an ordinary one (SCHED_OTHER).  The time it gets is
 * the time the CPU was given away.
 */
struct busy {
	pid_t pid;	/**< 0: there is none */
	int cpu;	/**< that it keeps busy */
	clockid_t clock;	/**< its CPU time */
	volatile uint64_t *rounds;	/**< of its computation, which it counts */
};

/**
 * Start it.  Errors are printed.
 * @param cpu where; -1: start none
 * @param policy SCHED_IDLE or SCHED_OTHER
 * @return 0 or -1
 */
int busy_start(struct busy *busy, int cpu, int policy);
void busy_stop(struct busy *busy);

/** CPU time it has had, ns; 0 if there is none. */
uint64_t busy_time_ns(const struct busy *busy);

/** Work it has done: rounds of its loop; 0 if there is none. */
uint64_t busy_work(const struct busy *busy);

static inline bool busy_runs(const struct busy *busy)
{
	return busy->pid != 0;
}

#endif
