/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef RX_LOOK_H
#define RX_LOOK_H

/**
 * @file
 * Where in memory the next packet of an RX queue shows: the word of the next
 * descriptor that the NIC writes.  The guest driver looks at it with interrupts
 * off, just before it halts.
 *
 * By rte_eth_get_monitor_addr() where the port's driver has it; else by a table
 * of ours of how the driver keeps its queue, which is checked against what the
 * ethdev API tells before it is believed.
 */

#include <stdbool.h>
#include <stdint.h>

#include <vmcall.h>

struct failure;
struct rx_queue_layout;

struct rx_look {
	uint16_t port;
	uint16_t queue;
	/** NULL: by rte_eth_get_monitor_addr(). */
	const struct rx_queue_layout *layout;
};

/**
 * Find the way; the port runs.
 * @param driver name of the port's driver
 * @return 0, or -1 with the failure filled in (ENOTSUP: there is none)
 */
int rx_look_init(struct rx_look *look, uint16_t port, uint16_t queue,
		const char *driver, struct failure *failure);

/**
 * The word as it is while no packet has come; on the lcore, right after a poll
 * that found none.
 */
void rx_look_at(const struct rx_look *look, struct vmcall_look *word);

/** Has a packet come since? */
static inline bool
rx_look_changed(const struct vmcall_look *word)
{
	return (*(volatile uint64_t *)(uintptr_t)word->address & word->mask) !=
		word->value;
}

/** "ethdev", or the name of the driver of our table. */
const char *rx_look_way(const struct rx_look *look);

#endif /* RX_LOOK_H */
