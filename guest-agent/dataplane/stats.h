/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef STATS_H
#define STATS_H

/**
 * @file
 * What the lcore counts.  Only the lcore writes, with plain stores; readers on
 * other CPUs see each 64-bit counter whole.
 */

#include <stdint.h>

#include <rte_common.h>

#include "hdr.h"
#include "wait.h"

struct stats {
	uint64_t rx;		/**< packets received */
	uint64_t tx;		/**< packets handed to the NIC */
	uint64_t tx_dropped;	/**< packets the TX ring had no room for */
	uint64_t polls;		/**< calls of rte_eth_rx_burst() */
	uint64_t empty_polls;	/**< those that returned nothing */
	uint64_t arms;		/**< times the NIC's RX interrupt was enabled */
	uint64_t rx_after_arm;	/**< packets found by the poll after arming */
	uint64_t waits;		/**< sleeps: epoll waits or vCPU yields */
	/** Yields answered by a doorbell that rang before the call: they did
	 * not sleep and are not in the histogram.
	 */
	uint64_t waits_immediate;
	/** Rings from the future: host and guest disagree about the TSC. */
	uint64_t ring_clock_errors;
	uint64_t waits_without_packet; /**< wakes after which the poll was empty */
	uint64_t wait_cycles;	/**< TSC cycles between going to sleep and back */
	uint64_t wakes[WAKE_REASONS];
	uint64_t policy_switches; /**< asked for, and done */
	uint64_t fallbacks;	/**< the program's own way back to interrupts */
	/** Doorbell to application, ns: return from the yield less the ring. */
	struct hdr wake_latency;
} __rte_cache_aligned;

/** Set everything to zero; by the lcore, or before it runs. */
void stats_reset(struct stats *stats);

#endif /* STATS_H */
