/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef WAKE_TIMES_H
#define WAKE_TIMES_H

/**
 * @file
 * When the lcore slept and when it was back, sleep by sleep, for a host that
 * knows when the interrupt came: the injected path has no time stamp of its own
 * in this VM.  Kept only while somebody asked for it; bounded; what does not
 * fit is counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_ring_elem.h>

struct failure;

struct wake_time {
	uint64_t before;	/**< TSC when the sleep began */
	uint64_t after;		/**< TSC when it was over */
};

struct wake_times {
	struct rte_ring *ring;
	bool on;		/**< atomic */
	uint64_t missed;	/**< did not fit; the lcore writes */
	uint64_t missed_before;	/**< those of before wake_times_start() */
};

/** Sleeps that are kept until they are taken. */
#define WAKE_TIMES_MOST 4095

/** @return 0, or -1 with the failure filled in */
int wake_times_init(struct wake_times *times, struct failure *failure);

/** Forget what was kept, and keep from now on. */
void wake_times_start(struct wake_times *times);

/** Keep no more. */
void wake_times_stop(struct wake_times *times);

/** Sleeps that did not fit since wake_times_start(). */
uint64_t wake_times_missed(const struct wake_times *times);

/**
 * Take the oldest ones out, as text: for each, two numbers as LEB128, in base64.
 * The first is "after" less the "after" before it (of the first: itself), the
 * second "after" less "before".
 *
 * @param most  characters of the text
 * @param count of sleeps in it
 * @return a string to be freed by the caller, NULL if there is no memory
 */
char *wake_times_take(struct wake_times *times, size_t most, uint32_t *count);

static inline bool
wake_times_wanted(const struct wake_times *times)
{
	return __atomic_load_n(&times->on, __ATOMIC_RELAXED);
}

/** By the lcore. */
static inline void
wake_times_keep(struct wake_times *times, uint64_t before, uint64_t after)
{
	const struct wake_time time = { .before = before, .after = after };

	if (unlikely(rte_ring_sp_enqueue_elem(times->ring, (void *)(uintptr_t)&time,
			sizeof(time)) != 0))
		times->missed++;
}

#endif /* WAKE_TIMES_H */
