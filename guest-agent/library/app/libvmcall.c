/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include <libvmcall.h>

#include "app_control.h"
#include "app_telemetry.h"
#include "failure.h"
#include "lcore.h"
#include "lcore_hold.h"
#include "log.h"

RTE_LOG_REGISTER(vmcall_log_type, lib.vmcall, NOTICE)

static const enum wait_policy_id policies[] = {
	[VMCALL_POLICY_POLL] = WAIT_POLICY_POLL,
	[VMCALL_POLICY_INTERRUPT] = WAIT_POLICY_INTERRUPT,
	[VMCALL_POLICY_PV_KICK] = WAIT_POLICY_PV_KICK,
	[VMCALL_POLICY_VMCALL] = WAIT_POLICY_VMCALL,
};

int
vmcall_times_set(uint64_t idle_threshold_us, uint64_t limit_us)
{
	if (idle_threshold_us > VMCALL_MOST_US || limit_us == 0 ||
	    limit_us > VMCALL_MOST_US)
		return -EINVAL;
	__atomic_store_n(&lcore_idle_cycles,
		idle_threshold_us * (rte_get_tsc_hz() / 1000) / 1000,
		__ATOMIC_RELAXED);
	__atomic_store_n(&lcore_limit_ns, limit_us * 1000, __ATOMIC_RELAXED);
	return 0;
}

int
vmcall_init(const struct vmcall_options *options)
{
	static const struct vmcall_options defaults = {
		.policy = VMCALL_POLICY_VMCALL,
		.idle_threshold_us = VMCALL_IDLE_THRESHOLD_US,
		.limit_us = VMCALL_LIMIT_US,
	};
	const struct vmcall_options *o = options != NULL ? options : &defaults;
	struct failure failure;

	if (app_control_runs())
		return -EEXIST;
	if (o->policy >= RTE_DIM(policies) ||
	    vmcall_times_set(o->idle_threshold_us, o->limit_us) != 0)
		return -EINVAL;
	lcore_tsc_khz = rte_get_tsc_hz() / 1000;
	if (wake_times_init(&lcore_wake_times, &failure) != 0 ||
	    app_control_start(policies[o->policy], &failure) != 0) {
		LOG(ERR, "%s: %s", failure.code, failure.text);
		return -ENOMEM;
	}
	app_telemetry_register();
	return 0;
}

void
vmcall_port_conf(struct rte_eth_conf *conf)
{
	conf->intr_conf.rxq = 1;
}

int
vmcall_port_enable(uint16_t port_id)
{
	if (!rte_eth_dev_is_valid_port(port_id))
		return -ENODEV;
	return app_control_runs() ? app_control_watch(port_id) : -ENOTCONN;
}

int
vmcall_port_disable(uint16_t port_id)
{
	if (port_id >= RTE_MAX_ETHPORTS)
		return -ENODEV;
	return app_control_runs() ? app_control_unwatch(port_id) : -ENOTCONN;
}

int
vmcall_policy_set(enum vmcall_policy policy)
{
	if (policy >= RTE_DIM(policies))
		return -EINVAL;
	app_control_want(policies[policy]);
	return 0;
}

static struct lcore *
known(unsigned int id)
{
	struct lcore *l;

	if (id >= RTE_MAX_LCORE)
		return NULL;
	l = lcore_get(id);
	return __atomic_load_n(&l->is_known, __ATOMIC_ACQUIRE) ? l : NULL;
}

int
vmcall_kick(unsigned int lcore_id)
{
	struct lcore *l = known(lcore_id);

	if (l == NULL)
		return -ENOENT;
	if (__atomic_load_n(&l->is_asleep, __ATOMIC_ACQUIRE))
		lcore_wake(l);
	return 0;
}

static enum vmcall_policy
public_policy(enum wait_policy_id id)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(policies); i++)
		if (policies[i] == id)
			return i;
	return VMCALL_POLICY_VMCALL;	/* what a stand-in stands for */
}

int
vmcall_lcore_get(unsigned int lcore_id, struct vmcall_lcore *lcore)
{
	const struct lcore *l = known(lcore_id);
	const struct lcore_counters *c;
	const struct wake_stats *waits;

	if (l == NULL)
		return -ENOENT;
	c = &l->counters;
	waits = __atomic_load_n(&l->waits, __ATOMIC_ACQUIRE);
	*lcore = (struct vmcall_lcore) {
		.lcore_id = lcore_id,
		.queues = l->wait.count,
		.policy = public_policy(l->policy),
		.polls = c->polls,
		.packets = c->packets,
		.arms = c->arms,
		.packets_after_arm = c->packets_after_arm,
		.packets_after_limit = c->packets_after_limit,
	};
	if (waits != NULL) {
		lcore->sleeps = wake_stats_waits(waits);
		lcore->wakes_packet = waits->wakes[WAKE_PACKET];
		lcore->wakes_limit = waits->wakes[WAKE_TIMEOUT];
		lcore->slept_us = (uint64_t)((__uint128_t)waits->cycles *
			1000 / lcore_tsc_khz);
	}
	memcpy(lcore->error.code, l->failure.code, sizeof(lcore->error.code));
	memcpy(lcore->error.text, l->failure.text, sizeof(lcore->error.text));
	return 0;
}

const char *
vmcall_policy_name(enum vmcall_policy policy)
{
	return policy < RTE_DIM(policies) ?
		wait_policy_get(policies[policy])->name : NULL;
}
