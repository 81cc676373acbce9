/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdlib.h>

#include "app_control.h"
#include "app_summary.h"

static void
add_counters(struct lcore_counters *sum, const struct lcore_counters *c)
{
	sum->polls += c->polls;
	sum->packets += c->packets;
	sum->arms += c->arms;
	sum->packets_after_arm += c->packets_after_arm;
	sum->packets_after_limit += c->packets_after_limit;
	sum->policy_switches += c->policy_switches;
	sum->fallbacks += c->fallbacks;
}

static void
add_policy(struct app_summary *sum, const struct lcore *l)
{
	const enum wait_policy_id wanted = app_control_wanted();

	if (l->policy == wanted) {
		sum->policy = wanted;
		return;
	}
	if (sum->refused++ == 0)
		sum->failure = l->failure;
	if (sum->lcores == 0)
		sum->policy = l->policy;
}

static void
add_doorbells(struct app_summary *sum, const struct lcore *l)
{
	unsigned int i;

	for (i = 0; l->is_live && i < l->wait.count; i++) {
		const enum doorbell_state state =
			doorbell_check(&l->wait.queues[i]->doorbell);

		if (state > sum->doorbell)
			sum->doorbell = state;
	}
}

struct app_summary *
app_summary_take(void)
{
	struct app_summary *sum = calloc(1, sizeof(*sum));
	unsigned int i;

	if (sum == NULL)
		return NULL;
	sum->policy = app_control_wanted();
	sum->doorbell = DOORBELL_ABSENT;
	wake_stats_reset(&sum->waits);
	for (i = 0; i < RTE_MAX_LCORE; i++) {
		const struct lcore *l = lcore_get(i);
		const struct wake_stats *waits =
			__atomic_load_n(&l->waits, __ATOMIC_ACQUIRE);

		if (waits == NULL)
			continue;
		add_counters(&sum->counters, &l->counters);
		wake_stats_add(&sum->waits, waits);
		if (l->wait.count == 0 || l->is_excluded)
			continue;
		add_policy(sum, l);
		add_doorbells(sum, l);
		sum->lcores++;
		sum->queues += l->wait.count;
	}
	return sum;
}
