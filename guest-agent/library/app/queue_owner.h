/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef QUEUE_OWNER_H
#define QUEUE_OWNER_H

/** @file Which lcore polls which queue, as its calls of rte_eth_rx_burst() show. */

struct watched_port;

/** Give each queue to the lcore that was seen to poll it. */
void queue_owner_adopt(struct watched_port *port);

/**
 * Take all queues from their lcores.
 * @return 0, or -EBUSY: an lcore does not come back from its sleep
 */
int queue_owner_release(struct watched_port *port);

#endif /* QUEUE_OWNER_H */
