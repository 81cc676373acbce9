/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "app_control.h"
#include "control_thread.h"
#include "failure.h"
#include "lcore.h"
#include "lcore_hold.h"
#include "log.h"
#include "ports.h"

#define LOOK_MS 1000

/* Over all below, lcores apart, which are held instead. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int called = -1;
static enum wait_policy_id wanted;
static uint32_t wish;	/* counts what the user asked for */

void
lcore_call_control(void)
{
	const uint64_t one = 1;

	if (write(called, &one, sizeof(one)) < 0)
		errno = 0;
}

/* While held: back to polling, with nothing left installed. */
static void
put_down(struct lcore *l)
{
	const struct wait_policy *policy = wait_policy_get(l->policy);

	lcore_take_back(l);
	wait_policy_remove(l->policy, &l->wait);
	policy->leave(&l->wait);
	l->policy = WAIT_POLICY_POLL;
	l->is_live = false;
}

static void
drop(struct watched_queue *q)
{
	struct wait_context *wait = &q->lcore->wait;
	unsigned int i;

	for (i = 0; i < wait->count; i++)
		if (wait->queues[i] == &q->rx)
			wait->queues[i] = wait->queues[--wait->count];
	q->lcore->is_dirty = true;
	q->lcore = NULL;
}

/* Its lcore polls, and may have been somebody else's. */
static int
release_queue(struct watched_queue *q, struct failure *failure)
{
	struct lcore *l = q->lcore;

	if (l == NULL)
		return 0;
	if (lcore_hold(l, failure) != 0)
		return -1;
	put_down(l);
	drop(q);
	lcore_release(l);
	return 0;
}

static unsigned int
free_doorbell(const struct lcore *l)
{
	const uint64_t used = rx_queues_doorbells(l->wait.queues,
			l->wait.count);
	unsigned int number = 1;

	while (used & (1ULL << number))
		number++;
	return number;
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

static unsigned int
lcores_with_queues(void)
{
	unsigned int i, lcores = 0;

	for (i = 0; i < RTE_MAX_LCORE; i++)
		lcores += lcore_get(i)->wait.count != 0;
	return lcores;
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
	put_down(l);
	if (l->wait.wake_fd == 0)
		wait_context_init(&l->wait, &l->kvm,
			eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	if (l->waits == NULL && give_counters(l) != 0) {
		lcore_release(l);
		return;
	}
	if (l->wait.count < WAIT_QUEUES_MOST) {
		rx_queue_set_doorbell(&q->rx, port->is_pci ? &port->pci : NULL,
			free_doorbell(l),
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
	if (lcores_with_queues() > 1)
		wake_times_stop(&lcore_wake_times);
	lcore_release(l);
	LOG(INFO, "lcore %u polls port %u queue %u", l->id, port->id,
		q->rx.queue);
}

static void
adopt_queues(struct watched_port *port)
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

static int
release_queues(struct watched_port *port)
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

static void
look_at_port(struct watched_port *port)
{
	const uint32_t events = port_take_events(port);

	if (events & PORT_BREAKS) {
		LOG(NOTICE, "port %u is in trouble: its lcores poll", port->id);
		port->is_down = true;
		release_queues(port);
	}
	if ((events & PORT_WORKS) && port->is_down) {
		port_set_up(port);
		port->is_down = false;
	}
	if (!port->is_down)
		adopt_queues(port);
}

static void
name_lcore(struct lcore *l)
{
	unsigned int i;

	for (i = 0; i < l->wait.count; i++)
		l->wait.queues[i]->doorbell.apic_id = l->kvm.apic_id;
}

/* It polls now, and is asked to do otherwise. */
static void
put_up(struct lcore *l, enum wait_policy_id policy)
{
	if (l->wait.count != 0 && policy != WAIT_POLICY_POLL)
		lcore_ask_to_enter(l, policy);
}

/* Interrupts are the next best; polling always works. */
static void
put_up_next(struct lcore *l, const struct failure *why)
{
	LOG(NOTICE, "lcore %u: %s not entered: %s: %s", l->id,
		wait_policy_get(l->entering)->name, why->code, why->text);
	l->counters.fallbacks++;
	if (l->failure.code[0] == '\0')
		l->failure = *why;
	if (l->entering != WAIT_POLICY_INTERRUPT)
		put_up(l, WAIT_POLICY_INTERRUPT);
}

/* It has tried to enter. */
static void
look_at_entered(struct lcore *l)
{
	const struct wait_policy *policy = wait_policy_get(l->entering);
	struct failure failure = l->wait.failure;
	int ret = l->entered;

	if (ret == 0) {
		if (lcore_hold(l, &failure) != 0)
			return;
		l->policy = l->entering;
		l->is_entering = false;
		name_lcore(l);
		ret = wait_policy_install(l->policy, &l->wait, &failure);
		if (ret == 0)
			l->is_live = policy->wait != NULL;
		else
			put_down(l);
		lcore_release(l);
	}
	l->is_entering = false;
	if (ret != 0)
		put_up_next(l, &failure);
}

/* While held: what was armed and not polled since is somebody else's now. */
static void
drop_stale(struct lcore *l)
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
		drop(q);
	}
	l->has_stale = false;
}

static int
put_down_held(struct lcore *l)
{
	struct failure failure;

	if (lcore_hold(l, &failure) != 0) {
		LOG(ERR, "%s", failure.text);
		return -1;
	}
	put_down(l);
	if (l->has_stale)
		drop_stale(l);
	lcore_release(l);
	return 0;
}

static void
look_at_broken(struct lcore *l)
{
	const enum wait_policy_id policy = l->policy;
	const struct failure why = l->failure;

	__atomic_store_n(&l->is_broken, false, __ATOMIC_RELEASE);
	if (l->has_stale) {
		put_down_held(l);
		l->is_dirty = true;
		return;
	}
	if (put_down_held(l) != 0)
		return;
	l->counters.fallbacks++;
	LOG(NOTICE, "lcore %u: %s left: %s: %s", l->id,
		wait_policy_get(policy)->name, why.code, why.text);
	l->failure = why;
	if (policy != WAIT_POLICY_INTERRUPT)
		put_up(l, WAIT_POLICY_INTERRUPT);
}

/* A guest kernel that moves an interrupt to another CPU writes its entry. */
static void
look_at_doorbells(struct lcore *l)
{
	struct failure failure;

	if (!l->is_live ||
	    !rx_queues_overwritten(l->wait.queues, l->wait.count))
		return;
	LOG(NOTICE, "lcore %u: a doorbell was overwritten, and is written again",
		l->id);
	if (lcore_hold(l, &failure) != 0)
		return;
	wait_policy_remove(l->policy, &l->wait);
	if (wait_policy_install(l->policy, &l->wait, &l->wait.failure) != 0) {
		l->failure = l->wait.failure;
		l->is_live = false;
		__atomic_store_n(&l->is_broken, true, __ATOMIC_RELEASE);
		lcore_call_control();
	}
	lcore_release(l);
}

static void
look_at_lcore(struct lcore *l)
{
	if (l->is_entering && lcore_has_answered(l))
		look_at_entered(l);
	if (__atomic_load_n(&l->is_broken, __ATOMIC_ACQUIRE))
		look_at_broken(l);
	if (l->is_dirty || l->tried != wish) {
		if (put_down_held(l) != 0)
			return;
		l->is_dirty = false;
		l->counters.policy_switches += l->tried != wish;
		l->tried = wish;
		failure_clear(&l->failure);
		put_up(l, l->is_crowded || l->is_excluded ?
			WAIT_POLICY_POLL : wanted);
	}
	look_at_doorbells(l);
}

static void
look(void)
{
	unsigned int i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++)
		if (port_get((uint16_t)i)->is_watched)
			look_at_port(port_get((uint16_t)i));
	for (i = 0; i < RTE_MAX_LCORE; i++)
		if (__atomic_load_n(&lcore_get(i)->is_known, __ATOMIC_ACQUIRE))
			look_at_lcore(lcore_get(i));
}

static void
run(void *arg __rte_unused)
{
	struct pollfd call = { .fd = called, .events = POLLIN };
	uint64_t count;

	for (;;) {
		if (poll(&call, 1, LOOK_MS) > 0 &&
		    read(called, &count, sizeof(count)) < 0)
			errno = 0;
		pthread_mutex_lock(&lock);
		look();
		pthread_mutex_unlock(&lock);
	}
}

int
app_control_start(enum wait_policy_id policy, struct failure *failure)
{
	wanted = policy;
	wish = 1;
	if (lcore_hold_init(failure) != 0)
		return -1;
	called = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (called < 0)
		return failure_errno(failure, errno, "eventfd: %s",
			strerror(errno));
	return control_thread_start("vmcall-control", run, NULL, failure);
}

bool
app_control_runs(void)
{
	return called >= 0;
}

void
app_control_want(enum wait_policy_id policy)
{
	pthread_mutex_lock(&lock);
	wanted = policy;
	wish++;
	pthread_mutex_unlock(&lock);
	lcore_call_control();
}

enum wait_policy_id
app_control_wanted(void)
{
	return wanted;
}

static bool
is_settled(const struct lcore *l)
{
	return l->wait.count == 0 ||
		(!l->is_dirty && !l->is_entering && l->tried == wish);
}

bool
app_control_is_settled(void)
{
	bool all = true;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < RTE_MAX_LCORE; i++)
		all = all && is_settled(lcore_get(i));
	pthread_mutex_unlock(&lock);
	return all;
}

static int
reset_counters(struct lcore *l, struct failure *failure)
{
	if (l->waits == NULL)
		return 0;
	if (lcore_hold(l, failure) != 0)
		return -1;
	l->counters = (struct lcore_counters) { 0 };
	wake_stats_reset(l->waits);
	lcore_release(l);
	return 0;
}

int
app_control_reset_counters(struct failure *failure)
{
	int ret = 0;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; ret == 0 && i < RTE_MAX_LCORE; i++)
		ret = reset_counters(lcore_get(i), failure);
	pthread_mutex_unlock(&lock);
	return ret;
}

bool
app_control_has_one_lcore(void)
{
	bool has_one;

	pthread_mutex_lock(&lock);
	has_one = lcores_with_queues() == 1;
	pthread_mutex_unlock(&lock);
	return has_one;
}

int
app_control_watch(uint16_t port)
{
	int ret;

	pthread_mutex_lock(&lock);
	ret = port_get(port)->is_watched ? -EEXIST : port_watch(port);
	pthread_mutex_unlock(&lock);
	return ret;
}

int
app_control_unwatch(uint16_t id)
{
	struct watched_port *port = port_get(id);
	int ret = -ENODEV;

	pthread_mutex_lock(&lock);
	if (port->is_watched) {
		/* No poll adopts a queue whose callback is gone. */
		port_unwatch(port);
		ret = release_queues(port);
	}
	pthread_mutex_unlock(&lock);
	lcore_call_control();
	return ret;
}
