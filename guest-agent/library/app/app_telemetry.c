/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_lcore.h>
#include <rte_telemetry.h>

#include <libvmcall.h>

#include "app_control.h"
#include "app_summary.h"
#include "app_telemetry.h"
#include "failure.h"
#include "lcore.h"
#include "log.h"
#include "wake_replies.h"

#define SETTLE_MS	5000
#define SETTLE_LOOK_MS	2

static uint64_t
idle_threshold_us(void)
{
	return lcore_idle_cycles * 1000 / lcore_tsc_khz;
}

static int
no_memory(struct rte_tel_data *d)
{
	struct failure failure;

	failure_set(&failure, "ENOMEM", "no memory for the reply");
	wake_replies_failure(d, &failure);
	return 0;
}

static int
handle_info(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct app_summary *sum = app_summary_take();

	rte_tel_data_start_dict(d);
	if (sum == NULL)
		return no_memory(d);
	rte_tel_data_add_dict_string(d, "version", VMCALL_LIBRARY_VERSION);
	rte_tel_data_add_dict_string(d, "policy",
		wait_policy_get(sum->policy)->name);
	rte_tel_data_add_dict_string(d, "wanted",
		wait_policy_get(app_control_wanted())->name);
	rte_tel_data_add_dict_u64(d, "idle_threshold_us", idle_threshold_us());
	rte_tel_data_add_dict_u64(d, "limit_us", lcore_limit_ns / 1000);
	rte_tel_data_add_dict_u64(d, "tsc_khz", lcore_tsc_khz);
	rte_tel_data_add_dict_u64(d, "lcores", sum->lcores);
	rte_tel_data_add_dict_u64(d, "queues", sum->queues);
	rte_tel_data_add_dict_u64(d, "lcores_refused", sum->refused);
	rte_tel_data_add_dict_string(d, "doorbell_state",
		doorbell_state_name(sum->doorbell));
	wake_replies_failure(d, &sum->failure);
	free(sum);
	return 0;
}

/* Lcores that do not poll just now take it up when they do. */
static void
settle(void)
{
	unsigned int ms;

	for (ms = 0; ms < SETTLE_MS && !app_control_is_settled();
			ms += SETTLE_LOOK_MS)
		usleep(SETTLE_LOOK_MS * 1000);
}

/* What no lcore takes up is not wanted any more. */
static void
want(enum wait_policy_id policy, struct failure *failure)
{
	const enum wait_policy_id before = app_control_wanted();
	struct app_summary *sum;

	app_control_want(policy);
	settle();
	sum = app_summary_take();
	if (sum == NULL)
		return;
	*failure = sum->failure;
	if (sum->lcores != 0 && sum->refused == sum->lcores &&
	    policy != before) {
		app_control_want(before);
		settle();
	}
	free(sum);
}

static int
handle_policy(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	enum wait_policy_id policy;
	struct app_summary *sum;
	struct failure failure;

	failure_clear(&failure);
	if (params != NULL && params[0] != '\0') {
		if (wait_policy_parse(params, &policy))
			want(policy, &failure);
		else
			failure_set(&failure, "EINVAL",
				"%.32s: wanted " WAIT_POLICY_NAMES, params);
	}
	rte_tel_data_start_dict(d);
	sum = app_summary_take();
	if (sum == NULL)
		return no_memory(d);
	rte_tel_data_add_dict_string(d, "policy",
		wait_policy_get(sum->policy)->name);
	wake_replies_failure(d, &failure);
	free(sum);
	return 0;
}

static int
set_times(const char *params, struct failure *failure)
{
	char *end, *end2;
	uint64_t threshold = strtoull(params, &end, 10), limit;

	if (end == params || *end != ',')
		return failure_set(failure, "EINVAL",
			"%.32s: wanted THRESHOLD,LIMIT in us", params);
	limit = strtoull(end + 1, &end2, 10);
	if (end2 == end + 1 || *end2 != '\0' ||
	    vmcall_times_set(threshold, limit) != 0)
		return failure_set(failure, "EINVAL",
			"%.32s: wanted 0 to %llu,1 to %llu", params,
			VMCALL_MOST_US, VMCALL_MOST_US);
	return 0;
}

static int
handle_times(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	struct failure failure;

	failure_clear(&failure);
	if (params != NULL && params[0] != '\0')
		set_times(params, &failure);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "idle_threshold_us", idle_threshold_us());
	rte_tel_data_add_dict_u64(d, "limit_us", lcore_limit_ns / 1000);
	wake_replies_failure(d, &failure);
	return 0;
}

static int
handle_idle_threshold(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	struct failure failure;
	uint64_t us;
	char *end;

	failure_clear(&failure);
	if (params != NULL && params[0] != '\0') {
		us = strtoull(params, &end, 10);
		if (end == params || *end != '\0' ||
		    vmcall_times_set(us, lcore_limit_ns / 1000) != 0)
			failure_set(&failure, "EINVAL",
				"%.32s: wanted microseconds, 0 to %llu", params,
				VMCALL_MOST_US);
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "idle_threshold_us", idle_threshold_us());
	wake_replies_failure(d, &failure);
	return 0;
}

static int
handle_stats(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct app_summary *sum = app_summary_take();

	rte_tel_data_start_dict(d);
	if (sum == NULL)
		return no_memory(d);
	rte_tel_data_add_dict_string(d, "policy",
		wait_policy_get(sum->policy)->name);
	rte_tel_data_add_dict_u64(d, "rx", sum->counters.packets);
	rte_tel_data_add_dict_u64(d, "polls", sum->counters.polls);
	rte_tel_data_add_dict_u64(d, "arms", sum->counters.arms);
	rte_tel_data_add_dict_u64(d, "rx_after_arm",
		sum->counters.packets_after_arm);
	rte_tel_data_add_dict_u64(d, "rx_after_timeout",
		sum->counters.packets_after_limit);
	rte_tel_data_add_dict_u64(d, "policy_switches",
		sum->counters.policy_switches);
	rte_tel_data_add_dict_u64(d, "fallbacks", sum->counters.fallbacks);
	wake_replies_stats(d, &sum->waits, lcore_tsc_khz);
	free(sum);
	return 0;
}

static int
handle_reset(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct failure failure;

	failure_clear(&failure);
	app_control_reset_counters(&failure);
	wake_replies_reset(d, &failure);
	return 0;
}

static int
handle_histogram(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct app_summary *sum = app_summary_take();

	if (sum == NULL) {
		rte_tel_data_start_dict(d);
		return no_memory(d);
	}
	wake_replies_histogram(d, &sum->waits.latency);
	free(sum);
	return 0;
}

/* Of several lcores' sleeps none can be dated: all of them are missed. */
static void
reply_all_missed(struct rte_tel_data *d)
{
	struct app_summary *sum = app_summary_take();
	struct failure failure;

	rte_tel_data_start_dict(d);
	if (sum == NULL) {
		no_memory(d);
		return;
	}
	failure_clear(&failure);
	rte_tel_data_add_dict_u64(d, "on", 0);
	rte_tel_data_add_dict_u64(d, "tsc_khz", lcore_tsc_khz);
	rte_tel_data_add_dict_u64(d, "count", 0);
	rte_tel_data_add_dict_u64(d, "missed", wake_stats_waits(&sum->waits));
	wake_replies_failure(d, &failure);
	free(sum);
}

static int
handle_wakes(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	if (params != NULL && params[0] == '\0')
		params = NULL;
	if (app_control_has_one_lcore())
		wake_replies_times(d, &lcore_wake_times, params, lcore_tsc_khz);
	else
		reply_all_missed(d);
	return 0;
}

static struct rte_tel_data *
lcore_data(const struct vmcall_lcore *l)
{
	struct rte_tel_data *d = rte_tel_data_alloc();

	if (d == NULL)
		return NULL;
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "queues", l->queues);
	rte_tel_data_add_dict_string(d, "policy", wait_policy_get(
			lcore_get(l->lcore_id)->policy)->name);
	rte_tel_data_add_dict_u64(d, "polls", l->polls);
	rte_tel_data_add_dict_u64(d, "packets", l->packets);
	rte_tel_data_add_dict_u64(d, "arms", l->arms);
	rte_tel_data_add_dict_u64(d, "packets_after_arm", l->packets_after_arm);
	rte_tel_data_add_dict_u64(d, "packets_after_limit",
		l->packets_after_limit);
	rte_tel_data_add_dict_u64(d, "sleeps", l->sleeps);
	rte_tel_data_add_dict_u64(d, "wakes_packet", l->wakes_packet);
	rte_tel_data_add_dict_u64(d, "wakes_limit", l->wakes_limit);
	rte_tel_data_add_dict_u64(d, "slept_us", l->slept_us);
	rte_tel_data_add_dict_string(d, "code", l->error.code);
	rte_tel_data_add_dict_string(d, "error", l->error.text);
	return d;
}

static int
handle_lcores(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct vmcall_lcore lcore;
	struct rte_tel_data *data;
	char name[16];
	unsigned int i;

	rte_tel_data_start_dict(d);
	for (i = 0; i < RTE_MAX_LCORE; i++) {
		if (vmcall_lcore_get(i, &lcore) != 0)
			continue;
		snprintf(name, sizeof(name), "%u", i);
		data = lcore_data(&lcore);
		if (data == NULL ||
		    rte_tel_data_add_dict_container(d, name, data, 0) != 0)
			break;
	}
	return 0;
}

static const struct {
	const char *command;
	telemetry_cb handler;
	const char *help;
} commands[] = {
	{ "/vmcall/info", handle_info, "All lcores together. No parameters." },
	{ "/vmcall/policy", handle_policy,
	  "Wait policy in force. Parameter: " WAIT_POLICY_NAMES
	  " to switch." },
	{ "/vmcall/times", handle_times,
	  "Idle threshold and longest sleep. Parameters: both, us." },
	{ "/vmcall/idle_threshold_us", handle_idle_threshold,
	  "Idle time before sleeping. Parameter: microseconds to set it." },
	{ "/vmcall/lcores", handle_lcores,
	  "Sleeps of each lcore. No parameters." },
	{ "/vmcall/stats", handle_stats, "Counters. No parameters." },
	{ "/vmcall/histogram", handle_histogram,
	  "Doorbell to application, ns. No parameters." },
	{ "/vmcall/wakes", handle_wakes,
	  "Times of sleeps in interrupts. Parameter: start or stop to keep them." },
	{ "/vmcall/reset", handle_reset,
	  "Zero the counters and the histogram. No parameters." },
};

void
app_telemetry_register(void)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(commands); i++)
		if (rte_telemetry_register_cmd(commands[i].command,
				commands[i].handler, commands[i].help) < 0)
			LOG(ERR, "telemetry command %s was not taken",
				commands[i].command);
}
