/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef WAKE_STATS_H
#define WAKE_STATS_H

/**
 * @file
 * What one lcore's waits came to.  Only the lcore writes, with plain stores;
 * readers on other CPUs see each 64-bit counter whole.  Counting takes no lock
 * and allocates nothing; record_cost.c measures its instructions.
 */

#include <stdint.h>

#include <rte_branch_prediction.h>

#include "hdr.h"
#include "wait.h"

struct wake_stats {
	/** Yields answered by a doorbell that rang before the call: they did
	 * not sleep and are not in the histogram.
	 */
	uint64_t immediate;
	/** Rings from the future: host and guest disagree about the TSC. */
	uint64_t ring_clock_errors;
	uint64_t cycles;	/**< of the TSC, between going to sleep and back */
	/** Sleeps: epoll waits, halts or vCPU yields, by what ended them. */
	uint64_t wakes[WAKE_REASONS];
	/** Doorbell to application, ns: return from the yield less the ring. */
	struct hdr latency;
};

/** Set everything to zero; by the lcore, or while it does not count. */
void wake_stats_reset(struct wake_stats *stats);

/** All sleeps, whatever ended them. */
uint64_t wake_stats_waits(const struct wake_stats *stats);

/** Add what another lcore counted. */
void wake_stats_add(struct wake_stats *sum, const struct wake_stats *other);

/**
 * One wait.
 *
 * @param before  TSC when it began
 * @param after   TSC when it was over
 * @param tsc_khz frequency of the TSC
 */
static inline void
wake_stats_count(struct wake_stats *stats, const struct wake *wake,
		uint64_t before, uint64_t after, uint64_t tsc_khz)
{
	const uint64_t waited = after - before;
	const uint64_t since_ring = after - wake->ring_tsc;

	stats->cycles += waited;
	stats->wakes[wake->reason]++;
	/* One comparison says that the bell rang while the lcore slept. */
	if (likely(since_ring <= waited))
		hdr_record(&stats->latency, since_ring * 1000000 / tsc_khz);
	else if (wake->ring_tsc > after)
		stats->ring_clock_errors++;
	else if (wake->ring_tsc != 0)
		stats->immediate++; /* it woke nobody */
}

#endif /* WAKE_STATS_H */
