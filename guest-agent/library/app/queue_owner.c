/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "failure.h"
#include "lcore.h"
#include "lcore_hold.h"
#include "lcore_policy.h"
#include "lcore_queues.h"
#include "log.h"
#include "ports.h"
#include "queue_owner.h"

/* Its lcore polls, and may have been somebody else's. */
static int
release_queue(struct watched_queue *q, struct failure *failure)
{
	struct lcore *l = q->lcore;

	if (l == NULL)
		return 0;
	if (lcore_hold(l, failure) != 0)
		return -1;
	lcore_policy_leave(l);
	lcore_queues_drop(q);
	lcore_release(l);
	return 0;
}

static int
give_counters(struct lcore *l)
{
	struct wake_stats *waits = malloc(sizeof(*waits));

	if (waits == NULL) {
		LOG(ERR, "lcore %u polls on: no memory for its counters",
			l->id);
		return -1;
	}
	wake_stats_reset(waits);
	__atomic_store_n(&l->waits, waits, __ATOMIC_RELEASE);
	return 0;
}

static void
adopt(struct watched_port *port, struct watched_queue *q)
{
	struct lcore *l = __atomic_load_n(&q->seen_by, __ATOMIC_ACQUIRE);
	struct failure failure;

	if (release_queue(q, &failure) != 0 || lcore_hold(l, &failure) != 0) {
		LOG(ERR, "%s", failure.text);
		return;
	}
	lcore_policy_leave(l);
	if (l->wait.wake_fd == 0)
		wait_context_init(&l->wait, &l->kvm,
			eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	if (l->waits == NULL && give_counters(l) != 0) {
		lcore_release(l);
		return;
	}
	if (l->wait.count < WAIT_QUEUES_MOST) {
		rx_queue_set_doorbell(&q->rx, port->is_pci ? &port->pci : NULL,
			lcore_queues_free_doorbell(l),
			rx_queue_vector(port->id, q->rx.queue), 0);
		l->wait.queues[l->wait.count++] = &q->rx;
		q->lcore = l;
	} else {
		/* Asleep it would not see that queue: all of it polls. */
		LOG(ERR, "lcore %u polls more than %u queues: it polls on",
			l->id, WAIT_QUEUES_MOST);
		l->is_crowded = true;
	}
	l->is_dirty = true;
	/* Whose interrupt ended which sleep cannot be told any more. */
	if (lcore_queues_lcores() > 1)
		wake_times_stop(&lcore_wake_times);
	lcore_release(l);
	LOG(INFO, "lcore %u polls port %u queue %u", l->id, port->id,
		q->rx.queue);
}

void
queue_owner_adopt(struct watched_port *port)
{
	uint16_t i;

	for (i = 0; i < port->count; i++) {
		struct watched_queue *q = &port->queues[i];
		struct lcore *l = __atomic_load_n(&q->seen_by,
				__ATOMIC_ACQUIRE);

		if (l != NULL && l != q->lcore && !l->is_crowded)
			adopt(port, q);
	}
}

int
queue_owner_release(struct watched_port *port)
{
	struct failure failure;
	uint16_t i;

	for (i = 0; i < port->count; i++) {
		if (release_queue(&port->queues[i], &failure) != 0) {
			LOG(ERR, "%s", failure.text);
			return -EBUSY;
		}
		__atomic_store_n(&port->queues[i].seen_by, NULL,
			__ATOMIC_RELEASE);
	}
	return 0;
}
