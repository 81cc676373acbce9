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

#include "wake_stats.h"

struct stats {
	uint64_t rx;		/**< packets received */
	uint64_t tx_dropped;	/**< packets the TX ring had no room for */
	uint64_t polls;		/**< calls of rte_eth_rx_burst() */
	uint64_t full_polls;	/**< those that returned packets */
	/** Times the NIC's RX interrupt was enabled, and no wait followed. */
	uint64_t arms_undone;
	uint64_t rx_after_arm;	/**< packets found by the poll after arming */
	uint64_t waits_without_packet; /**< wakes after which the poll was empty */
	uint64_t policy_switches; /**< asked for, and done */
	uint64_t fallbacks;	/**< the program's own way back to interrupts */
	/** Here, and not behind a pointer: counting is then one instruction. */
	struct wake_stats waits;
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
 * What follows from the counters, for whoever reads them: times the NIC's RX
 * interrupt was enabled; polls that returned nothing; packets handed to the NIC.
 */
uint64_t stats_arms(const struct stats *stats);
uint64_t stats_empty_polls(const struct stats *stats);
uint64_t stats_tx(const struct stats *stats);

/** Set everything to zero; by the lcore, or before it runs. */
void stats_reset(struct stats *stats);

#endif /* STATS_H */
