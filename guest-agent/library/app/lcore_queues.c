/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <rte_common.h>
#include <rte_lcore.h>

#include "lcore.h"
#include "lcore_queues.h"

void
lcore_queues_drop(struct watched_queue *q)
{
	struct wait_context *wait = &q->lcore->wait;
	unsigned int i;

	for (i = 0; i < wait->count; i++)
		if (wait->queues[i] == &q->rx)
			wait->queues[i] = wait->queues[--wait->count];
	q->lcore->is_dirty = true;
	q->lcore = NULL;
}

void
lcore_queues_drop_stale(struct lcore *l)
{
	unsigned int i = 0;

	while (i < l->wait.count) {
		struct watched_queue *q = container_of(l->wait.queues[i],
				struct watched_queue, rx);

		if (q->polled) {
			i++;
			continue;
		}
		__atomic_store_n(&q->seen_by, NULL, __ATOMIC_RELEASE);
		lcore_queues_drop(q);
	}
	l->has_stale = false;
}

unsigned int
lcore_queues_free_doorbell(const struct lcore *l)
{
	const uint64_t used = rx_queues_doorbells(l->wait.queues,
			l->wait.count);
	unsigned int number = 1;

	while (used & (1ULL << number))
		number++;
	return number;
}

unsigned int
lcore_queues_lcores(void)
{
	unsigned int i, lcores = 0;

	for (i = 0; i < RTE_MAX_LCORE; i++)
		lcores += lcore_get(i)->wait.count != 0;
	return lcores;
}
