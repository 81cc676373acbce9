/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef LCORE_QUEUES_H
#define LCORE_QUEUES_H

/** @file The RX queues that an lcore sleeps on; changed while it is held. */

struct lcore;
struct watched_queue;

/** Take a queue away from its lcore, which then polls until it enters again. */
void lcore_queues_drop(struct watched_queue *q);

/** Drop those that were armed and not polled since: another lcore polls them. */
void lcore_queues_drop_stale(struct lcore *l);

/** A doorbell that none of its queues rings, 1 to 31. */
unsigned int lcore_queues_free_doorbell(const struct lcore *l);

/** How many lcores have queues. */
unsigned int lcore_queues_lcores(void);

#endif /* LCORE_QUEUES_H */
