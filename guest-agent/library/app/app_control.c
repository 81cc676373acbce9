/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "app_control.h"
#include "control_thread.h"
#include "failure.h"
#include "lcore.h"
#include "lcore_hold.h"
#include "lcore_policy.h"
#include "lcore_queues.h"
#include "log.h"
#include "ports.h"
#include "queue_owner.h"

#define LOOK_MS 1000

/* Over all below, lcores apart, which are held instead. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int called = -1;
static enum wait_policy_id wanted;
static uint32_t requests;	/* counts what the user asked for */

void
lcore_call_control(void)
{
	const uint64_t one = 1;

	if (write(called, &one, sizeof(one)) < 0)
		errno = 0;
}

static void
look_at_port(struct watched_port *port)
{
	const uint32_t events = port_take_events(port);

	if (events & PORT_BREAKS) {
		LOG(NOTICE, "port %u is in trouble: its lcores poll", port->id);
		port->is_down = true;
		queue_owner_release(port);
	}
	if ((events & PORT_WORKS) && port->is_down) {
		port_set_up(port);
		port->is_down = false;
	}
	if (!port->is_down)
		queue_owner_adopt(port);
}

static void
look_at_lcore(struct lcore *l)
{
	lcore_policy_check(l);
	if (l->is_dirty || l->tried != requests) {
		if (lcore_policy_stop(l) != 0)
			return;
		l->is_dirty = false;
		l->counters.policy_switches += l->tried != requests;
		l->tried = requests;
		failure_clear(&l->failure);
		lcore_policy_ask(l, l->is_crowded || l->is_excluded ?
			WAIT_POLICY_POLL : wanted);
	}
	lcore_policy_check_doorbells(l);
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
	requests = 1;
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
	requests++;
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
		(!l->is_dirty && !l->is_entering && l->tried == requests);
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
	has_one = lcore_queues_lcores() == 1;
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
		ret = queue_owner_release(port);
	}
	pthread_mutex_unlock(&lock);
	lcore_call_control();
	return ret;
}
