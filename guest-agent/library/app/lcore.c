/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <rte_atomic.h>
#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_lcore.h>

#include "lcore.h"

/* Reading the TSC costs more than all the rest of an empty poll. */
#define POLLS_A_LOOK	16
/* A queue of ours that the loop passes by so often is nobody's any more. */
#define ROUNDS_MOST	100000

uint64_t lcore_idle_cycles;
uint64_t lcore_limit_ns;
uint64_t lcore_tsc_khz;
struct wake_times lcore_wake_times;

static struct lcore lcores[RTE_MAX_LCORE];
static __thread struct lcore *self __attribute__((tls_model("initial-exec")));

struct lcore *
lcore_get(unsigned int id)
{
	return &lcores[id];
}

static struct watched_queue *
watched(struct rx_queue *rx)
{
	return container_of(rx, struct watched_queue, rx);
}

static void
begin_idle_anew(struct lcore *l)
{
	l->empty_polls = 0;
	l->idle_since = 0;
}

void
lcore_stop_waiting(struct lcore *l)
{
	if (l->state != LCORE_POLLING)
		wait_policy_get(l->policy)->disarm(&l->wait);
	l->state = LCORE_POLLING;
}

static void
give_up(struct lcore *l)
{
	l->state = LCORE_POLLING;
	l->is_live = false;
	l->failure = l->wait.failure;
	__atomic_store_n(&l->is_broken, true, __ATOMIC_RELEASE);
	lcore_call_control();
}

static void
sleep_now(struct lcore *l)
{
	const struct wait_policy *policy = wait_policy_get(l->policy);
	const uint64_t before = rte_rdtsc();
	uint64_t after;
	struct wake wake;

	__atomic_store_n(&l->is_asleep, true, __ATOMIC_RELEASE);
	wake = policy->wait(&l->wait,
		__atomic_load_n(&lcore_limit_ns, __ATOMIC_RELAXED));
	__atomic_store_n(&l->is_asleep, false, __ATOMIC_RELEASE);
	after = rte_rdtsc();
	wake_stats_count(l->waits, &wake, before, after, lcore_tsc_khz);
	if (wake.undated && unlikely(wake_times_wanted(&lcore_wake_times)))
		wake_times_keep(&lcore_wake_times, before, after);
	if (unlikely(wake.reason == WAKE_OFF || wake.reason == WAKE_ERROR)) {
		policy->disarm(&l->wait);
		give_up(l);
		return;
	}
	/* The interrupts stay on until the packet is on its way. */
	l->state = LCORE_WOKEN;
	l->is_by_limit = wake.reason == WAKE_TIMEOUT;
	l->has_packet = false;
	l->left = l->wait.count;
}

static void
arm(struct lcore *l)
{
	unsigned int i;

	for (i = 0; i < l->wait.count; i++)
		watched(l->wait.queues[i])->polled = false;
	if (unlikely(wait_policy_get(l->policy)->arm(&l->wait,
			&l->wait.failure) != 0)) {
		give_up(l);
		return;
	}
	l->counters.arms++;
	l->left = l->wait.count;
	l->rounds = 0;
	l->state = LCORE_ARMED;
#ifdef VMCALL_FAULT_NO_REPOLL
	sleep_now(l);
#endif
}

/* The program's own next round is the poll after arming. */
static void
poll_after_arming(struct lcore *l, struct watched_queue *q, uint16_t count)
{
	if (count != 0) {
		l->counters.packets_after_arm += count;
		lcore_stop_waiting(l);
		begin_idle_anew(l);
	} else if (!q->polled) {
		q->polled = true;
		if (--l->left == 0)
			sleep_now(l);
	} else if (unlikely(++l->rounds > ROUNDS_MOST)) {
		/* The control thread looks who is polled no more. */
		wait_policy_get(l->policy)->disarm(&l->wait);
		l->has_stale = true;
		failure_set(&l->wait.failure, "EAGAIN",
			"a queue is not polled any more");
		give_up(l);
	}
}

static void
poll_after_waking(struct lcore *l, uint16_t count)
{
	if (count != 0) {
		begin_idle_anew(l);
		if (l->is_by_limit)
			l->counters.packets_after_limit += count;
	}
	if (l->has_packet || (count == 0 && --l->left == 0))
		lcore_stop_waiting(l);
	else if (count != 0)
		l->has_packet = true;
}

static void
look_at_idle(struct lcore *l)
{
	const uint64_t now = rte_rdtsc();

	if (l->idle_since == 0)
		l->idle_since = now;
	else if (now - l->idle_since >=
			__atomic_load_n(&lcore_idle_cycles, __ATOMIC_RELAXED) &&
			l->is_live)
		arm(l);
}

static void
heed(struct lcore *l)
{
	if ((__atomic_load_n(&l->attention, __ATOMIC_ACQUIRE) & LCORE_ENTER) == 0)
		return;
	kvm_guest_init(&l->kvm, (unsigned int)rte_lcore_to_cpu_id(-1));
	l->entered = wait_policy_get(l->entering)->enter(&l->wait,
			&l->wait.failure);
	__atomic_fetch_and(&l->attention, ~LCORE_ENTER, __ATOMIC_RELEASE);
	lcore_call_control();
}

/* A thread that DPDK does not know has no lcore: it polls on. */
static void
learn(struct watched_queue *q)
{
	const unsigned int id = rte_lcore_id();

	if (self == NULL && id < RTE_MAX_LCORE) {
		self = &lcores[id];
		self->id = id;
		__atomic_store_n(&self->is_known, true, __ATOMIC_RELEASE);
	}
	if (self == NULL || q->lcore == self ||
	    __atomic_load_n(&q->seen_by, __ATOMIC_RELAXED) == self)
		return;
	__atomic_store_n(&q->seen_by, self, __ATOMIC_RELEASE);
	lcore_call_control();
}

static void
poll_of_lcore(struct lcore *l, struct watched_queue *q, uint16_t count)
{
	l->counters.polls++;
	l->counters.packets += count;
	if (unlikely(l->state != LCORE_POLLING)) {
		if (l->state == LCORE_ARMED)
			poll_after_arming(l, q, count);
		else
			poll_after_waking(l, count);
	} else if (count != 0) {
		begin_idle_anew(l);
	} else if (++l->empty_polls % POLLS_A_LOOK == 0) {
		look_at_idle(l);
	}
}

uint16_t
lcore_on_poll(uint16_t port __rte_unused, uint16_t queue __rte_unused,
		struct rte_mbuf **packets __rte_unused, uint16_t count,
		uint16_t most __rte_unused, void *arg)
{
	struct watched_queue *q = arg;
	struct lcore *l = self;

	if (unlikely(l == NULL)) {
		learn(q);
		return count;
	}
	/* Against the holder, which has every CPU pass a barrier between its
	 * own two steps (lcore_hold.c): the compiler's is enough here.
	 */
	*(volatile uint32_t *)&l->busy = 1;
	rte_compiler_barrier();
	if (unlikely(*(volatile uint32_t *)&l->attention != 0)) {
		if ((l->attention & LCORE_HELD) == 0)
			heed(l);
	} else if (unlikely(q->lcore != l)) {
		learn(q);
	} else {
		poll_of_lcore(l, q, count);
	}
	__atomic_store_n(&l->busy, 0, __ATOMIC_RELEASE);
	return count;
}
