/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_telemetry.h>
#include <rte_version.h>

#include <libvmcall.h>

#include "app_control.h"
#include "app_telemetry.h"
#include "failure.h"
#include "lcore.h"

/* Its name from DPDK 23.03 on; 24.11 has no other. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_u64 rte_tel_data_add_dict_uint
#endif

static void
add_failure(struct rte_tel_data *d, const struct failure *failure)
{
	rte_tel_data_add_dict_string(d, "code", failure->code);
	rte_tel_data_add_dict_string(d, "error", failure->text);
}

static int
handle_policy(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	enum wait_policy_id policy;
	struct failure failure;

	failure_clear(&failure);
	if (params != NULL && params[0] != '\0') {
		if (wait_policy_parse(params, &policy))
			app_control_want(policy);
		else
			failure_set(&failure, "EINVAL",
				"%.32s: wanted " WAIT_POLICY_NAMES, params);
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "policy",
		wait_policy_get(app_control_wanted())->name);
	add_failure(d, &failure);
	return 0;
}

static uint64_t
idle_threshold_us(void)
{
	return lcore_idle_cycles * 1000 / (rte_get_tsc_hz() / 1000);
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
	add_failure(d, &failure);
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

void
app_telemetry_register(void)
{
	rte_telemetry_register_cmd("/vmcall/policy", handle_policy,
		"Wait policy wanted. Parameter: " WAIT_POLICY_NAMES ".");
	rte_telemetry_register_cmd("/vmcall/times", handle_times,
		"Idle threshold and longest sleep. Parameters: both, us.");
	rte_telemetry_register_cmd("/vmcall/lcores", handle_lcores,
		"Sleeps of each lcore. No parameters.");
}
