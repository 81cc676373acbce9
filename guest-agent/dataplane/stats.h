/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef STATS_H
#define STATS_H

/**
 * @file
 * What the lcore counts.  Only the lcore writes, with plain stores; readers on
 * other CPUs see each 64-bit counter whole.  Counting takes no lock, allocates
 * nothing and calls nothing; record_cost.c measures its instructions.
 */

#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "hdr.h"
#include "wait.h"

struct stats {
	uint64_t rx;		/**< packets received */
	uint64_t tx_dropped;	/**< packets the TX ring had no room for */
	uint64_t polls;		/**< calls of rte_eth_rx_burst() */
	uint64_t full_polls;	/**< those that returned packets */
	/** Times the NIC's RX interrupt was enabled, and no wait followed. */
	uint64_t arms_undone;
	uint64_t rx_after_arm;	/**< packets found by the poll after arming */
	/** Yields answered by a doorbell that rang before the call: they did
	 * not sleep and are not in the histogram.
	 */
	uint64_t waits_immediate;
	/** Rings from the future: host and guest disagree about the TSC. */
	uint64_t ring_clock_errors;
	uint64_t waits_without_packet; /**< wakes after which the poll was empty */
	uint64_t wait_cycles;	/**< TSC cycles between going to sleep and back */
	/** Sleeps: epoll waits or vCPU yields, by what ended them. */
	uint64_t wakes[WAKE_REASONS];
	uint64_t policy_switches; /**< asked for, and done */
	uint64_t fallbacks;	/**< the program's own way back to interrupts */
	/** Doorbell to application, ns: return from the yield less the ring. */
	struct hdr wake_latency;
} __rte_cache_aligned;

/** Packets that a poll returned, and those of them that were sent back. */
static inline void
stats_count_packets(struct stats *stats, uint16_t received, uint16_t sent)
{
	stats->full_polls++;
	stats->rx += received;
	if (unlikely(sent < received))
		stats->tx_dropped += received - sent;
}

/**
 * One wait.
 *
 * @param before  TSC when it began
 * @param after   TSC when it was over
 * @param tsc_khz frequency of the TSC
 */
static inline void
stats_count_wake(struct stats *stats, const struct wake *wake, uint64_t before,
		uint64_t after, uint64_t tsc_khz)
{
	const uint64_t waited = after - before;
	const uint64_t since_ring = after - wake->ring_tsc;

	stats->wait_cycles += waited;
	stats->wakes[wake->reason]++;
	/* One comparison says that the bell rang while the lcore slept. */
	if (likely(since_ring <= waited))
		hdr_record(&stats->wake_latency, since_ring * 1000000 / tsc_khz);
	else if (wake->ring_tsc > after)
		stats->ring_clock_errors++;
	else if (wake->ring_tsc != 0)
		stats->waits_immediate++; /* it woke nobody */
}

/**
 * What follows from the counters, for whoever reads them: all sleeps; times the
 * NIC's RX interrupt was enabled; polls that returned nothing; packets handed
 * to the NIC.
 */
uint64_t stats_waits(const struct stats *stats);
uint64_t stats_arms(const struct stats *stats);
uint64_t stats_empty_polls(const struct stats *stats);
uint64_t stats_tx(const struct stats *stats);

/** Set everything to zero; by the lcore, or before it runs. */
void stats_reset(struct stats *stats);

#endif /* STATS_H */
