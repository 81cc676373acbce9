/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdbool.h>

#include "failure.h"
#include "lcore.h"
#include "lcore_hold.h"
#include "lcore_policy.h"
#include "lcore_queues.h"
#include "log.h"

void
lcore_policy_leave(struct lcore *l)
{
	const struct wait_policy *policy = wait_policy_get(l->policy);

	lcore_take_back(l);
	wait_policy_remove(l->policy, &l->wait);
	policy->leave(&l->wait);
	l->policy = WAIT_POLICY_POLL;
	l->is_live = false;
}

int
lcore_policy_stop(struct lcore *l)
{
	struct failure failure;

	if (lcore_hold(l, &failure) != 0) {
		LOG(ERR, "%s", failure.text);
		return -1;
	}
	lcore_policy_leave(l);
	if (l->has_stale)
		lcore_queues_drop_stale(l);
	lcore_release(l);
	return 0;
}

void
lcore_policy_ask(struct lcore *l, enum wait_policy_id policy)
{
	if (l->wait.count != 0 && policy != WAIT_POLICY_POLL)
		lcore_ask_to_enter(l, policy);
}

/* Interrupts are the next best; polling always works. */
static void
ask_next(struct lcore *l, const struct failure *why)
{
	LOG(NOTICE, "lcore %u: %s not entered: %s: %s", l->id,
		wait_policy_get(l->entering)->name, why->code, why->text);
	l->counters.fallbacks++;
	if (l->failure.code[0] == '\0')
		l->failure = *why;
	if (l->entering != WAIT_POLICY_INTERRUPT)
		lcore_policy_ask(l, WAIT_POLICY_INTERRUPT);
}

static void
name_lcore(struct lcore *l)
{
	unsigned int i;

	for (i = 0; i < l->wait.count; i++)
		l->wait.queues[i]->doorbell.apic_id = l->kvm.apic_id;
}

/* It has tried to enter. */
static void
check_entered(struct lcore *l)
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
			lcore_policy_leave(l);
		lcore_release(l);
	}
	l->is_entering = false;
	if (ret != 0)
		ask_next(l, &failure);
}

static void
check_broken(struct lcore *l)
{
	const enum wait_policy_id policy = l->policy;
	const struct failure why = l->failure;

	__atomic_store_n(&l->is_broken, false, __ATOMIC_RELEASE);
	if (l->has_stale) {
		lcore_policy_stop(l);
		l->is_dirty = true;
		return;
	}
	if (lcore_policy_stop(l) != 0)
		return;
	l->counters.fallbacks++;
	LOG(NOTICE, "lcore %u: %s left: %s: %s", l->id,
		wait_policy_get(policy)->name, why.code, why.text);
	l->failure = why;
	if (policy != WAIT_POLICY_INTERRUPT)
		lcore_policy_ask(l, WAIT_POLICY_INTERRUPT);
}

void
lcore_policy_check(struct lcore *l)
{
	if (l->is_entering && lcore_has_answered(l))
		check_entered(l);
	if (__atomic_load_n(&l->is_broken, __ATOMIC_ACQUIRE))
		check_broken(l);
}

/* A guest kernel that moves an interrupt to another CPU writes its entry. */
void
lcore_policy_check_doorbells(struct lcore *l)
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
