/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ether.h>
#include <rte_telemetry.h>
#include <rte_version.h>

#include "control.h"
#include "failure.h"
#include "forward.h"
#include "keeper.h"
#include "kvm_guest.h"
#include "options.h"
#include "policy_switch.h"
#include "port.h"
#include "rx_queue.h"
#include "telemetry.h"
#include "version.h"
#include "wake_times.h"

/* Its name from DPDK 23.03 on; 24.11 has no other. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_u64 rte_tel_data_add_dict_uint
#endif

#define LCORE_TIMEOUT_MS	5000
#define CHUNK			(RTE_TEL_MAX_STRING_LEN - 1)
/* DPDK cuts a reply at 16 KiB; what is beside the data needs far below 1. */
#define DATA_MAX		(15 * 1024)

/* DPDK 22.11 hands the handlers no argument of ours. */
static struct telemetry_context context;

static void
add_failure(struct rte_tel_data *d, const struct failure *failure)
{
	rte_tel_data_add_dict_string(d, "code", failure->code);
	rte_tel_data_add_dict_string(d, "error", failure->text);
}

static void
submit(const struct control_request *request, struct failure *failure)
{
	failure_clear(failure);
	control_submit(context.forward->control, request, LCORE_TIMEOUT_MS,
		failure);
}

/* Who lets the lcore give its vCPU back. */
static const char *
vcpu_by(const struct wait_context *wait)
{
	return wait->claim.fd >= 0 ? "driver" :
		kvm_guest_way_name(wait->kvm->allowed);
}

static int
handle_info(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	const struct forward *forward = context.forward;
	const struct wait_context *wait = forward->wait;
	const struct rx_queue *q = wait->queues[0];
	const struct port *port = forward->port;
	char mac[RTE_ETHER_ADDR_FMT_SIZE];

	rte_ether_format_addr(mac, sizeof(mac), &port->mac);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "version", VMCALL_DATAPLANE_VERSION);
	rte_tel_data_add_dict_string(d, "fault", VMCALL_DATAPLANE_FAULT);
	rte_tel_data_add_dict_string(d, "policy",
		wait_policy_get(forward->policy)->name);
	rte_tel_data_add_dict_u64(d, "idle_threshold_us",
		forward->idle_threshold_us);
	rte_tel_data_add_dict_u64(d, "wait_timeout_us",
		forward->wait_timeout_ns / 1000);
	rte_tel_data_add_dict_u64(d, "pause", forward->pause);
	rte_tel_data_add_dict_u64(d, "tsc_khz", forward->tsc_khz);
	rte_tel_data_add_dict_u64(d, "lcore", context.lcore);
	rte_tel_data_add_dict_u64(d, "cpu", context.kvm->cpu);
	rte_tel_data_add_dict_u64(d, "apic_id", context.kvm->apic_id);
	rte_tel_data_add_dict_u64(d, "on_kvm", context.kvm->is_kvm);
	rte_tel_data_add_dict_u64(d, "feature_announced",
		context.kvm->announced);
	rte_tel_data_add_dict_string(d, "port", port->name);
	rte_tel_data_add_dict_string(d, "driver", port->driver);
	rte_tel_data_add_dict_string(d, "mac", mac);
	rte_tel_data_add_dict_u64(d, "link_up", port_link_is_up(port));
	rte_tel_data_add_dict_u64(d, "link_changes",
		context.keeper->link_changes);
	rte_tel_data_add_dict_u64(d, "port_resets",
		context.keeper->port_resets);
	rte_tel_data_add_dict_u64(d, "doorbell_repairs",
		context.keeper->doorbell_repairs);
	rte_tel_data_add_dict_string(d, "interrupt_mode", port->is_pci ?
		pci_interrupt_mode_name(pci_device_interrupt_mode(&port->pci)) :
		"none");
	rte_tel_data_add_dict_string(d, "rx_interrupt",
		rx_interrupt_way_name(q->rx_interrupt.way));
	rte_tel_data_add_dict_u64(d, "doorbell", q->doorbell.number);
	rte_tel_data_add_dict_string(d, "doorbell_state",
		doorbell_state_name(doorbell_check(&q->doorbell)));
	rte_tel_data_add_dict_string(d, "vcpu_by", vcpu_by(wait));
	add_failure(d, &forward->last_fallback);
	return 0;
}

static int
handle_policy(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	enum wait_policy_id policy;
	struct failure failure;

	failure_clear(&failure);
	if (params != NULL) {
		if (wait_policy_parse(params, &policy))
			policy_switch(context.forward, policy,
				LCORE_TIMEOUT_MS, &failure);
		else
			failure_set(&failure, "EINVAL",
				"%.32s: wanted " WAIT_POLICY_NAMES,
				params);
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "policy",
		wait_policy_get(context.forward->policy)->name);
	add_failure(d, &failure);
	return 0;
}

static int
handle_idle_threshold(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	struct control_request request = { .kind = CONTROL_SET_IDLE_THRESHOLD };
	struct failure failure;

	failure_clear(&failure);
	if (params != NULL) {
		if (options_parse_number(params, OPTIONS_MAX_US,
				&request.idle_threshold_us) == 0)
			submit(&request, &failure);
		else
			failure_set(&failure, "EINVAL",
				"%.32s: wanted microseconds, 0 to %llu", params,
				OPTIONS_MAX_US);
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "idle_threshold_us",
		context.forward->idle_threshold_us);
	add_failure(d, &failure);
	return 0;
}

static int
handle_reset(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct control_request request = { .kind = CONTROL_RESET_STATS };
	struct failure failure;

	submit(&request, &failure);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "reset", failure.code[0] == '\0');
	add_failure(d, &failure);
	return 0;
}

static int
handle_stats(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	const struct forward *forward = context.forward;
	const struct stats *s = &forward->stats;
	unsigned int i;

	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "policy",
		wait_policy_get(forward->policy)->name);
	rte_tel_data_add_dict_u64(d, "rx", s->rx);
	rte_tel_data_add_dict_u64(d, "tx", stats_tx(s));
	rte_tel_data_add_dict_u64(d, "tx_dropped", s->tx_dropped);
	rte_tel_data_add_dict_u64(d, "polls", s->polls);
	rte_tel_data_add_dict_u64(d, "empty_polls",
		stats_empty_polls(s));
	rte_tel_data_add_dict_u64(d, "arms", stats_arms(s));
	rte_tel_data_add_dict_u64(d, "rx_after_arm", s->rx_after_arm);
	rte_tel_data_add_dict_u64(d, "waits", stats_waits(s));
	rte_tel_data_add_dict_u64(d, "waits_immediate", s->waits_immediate);
	rte_tel_data_add_dict_u64(d, "ring_clock_errors",
		s->ring_clock_errors);
	rte_tel_data_add_dict_u64(d, "waits_without_packet",
		s->waits_without_packet);
	rte_tel_data_add_dict_u64(d, "waited_us",
		(uint64_t)((__uint128_t)s->wait_cycles * 1000 /
			forward->tsc_khz));
	for (i = 0; i < WAKE_REASONS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "wakes_%s", wake_reason_name(i));
		rte_tel_data_add_dict_u64(d, name, s->wakes[i]);
	}
	rte_tel_data_add_dict_u64(d, "policy_switches", s->policy_switches);
	rte_tel_data_add_dict_u64(d, "fallbacks", s->fallbacks);
	return 0;
}

/* An array of strings: a string may have 127 characters in DPDK's telemetry. */
static int
add_chunks(struct rte_tel_data *d, const char *name, const char *text)
{
	struct rte_tel_data *array = rte_tel_data_alloc();
	char chunk[CHUNK + 1];
	size_t at, length = strlen(text);

	if (array == NULL)
		return -1;
	rte_tel_data_start_array(array, RTE_TEL_STRING_VAL);
	for (at = 0; at < length; at += CHUNK) {
		snprintf(chunk, sizeof(chunk), "%s", text + at);
		rte_tel_data_add_array_string(array, chunk);
	}
	return rte_tel_data_add_dict_container(d, name, array, 0);
}

static int
handle_histogram(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	const struct hdr *hdr = &context.forward->stats.wake_latency;
	uint64_t count = hdr_count(hdr);
	char *text = hdr_encode(hdr);
	struct failure failure;

	failure_clear(&failure);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "unit", "ns");
	rte_tel_data_add_dict_u64(d, "count", count);
	rte_tel_data_add_dict_u64(d, "min", count != 0 ? hdr->min : 0);
	rte_tel_data_add_dict_u64(d, "max", hdr->max);
	rte_tel_data_add_dict_u64(d, "sum", hdr->sum);
	rte_tel_data_add_dict_u64(d, "avg", count != 0 ? hdr->sum / count : 0);
	rte_tel_data_add_dict_u64(d, "p50", hdr_percentile(hdr, 500000));
	rte_tel_data_add_dict_u64(d, "p90", hdr_percentile(hdr, 900000));
	rte_tel_data_add_dict_u64(d, "p99", hdr_percentile(hdr, 990000));
	rte_tel_data_add_dict_u64(d, "p999", hdr_percentile(hdr, 999000));
	rte_tel_data_add_dict_string(d, "encoding", "hdr-v2-compressed-base64");
	if (text == NULL)
		failure_set(&failure, "ENOMEM", "no memory to encode");
	else if (strlen(text) > DATA_MAX)
		failure_set(&failure, "EMSGSIZE",
			"%zu characters do not fit into a telemetry reply: reset and read more often",
			strlen(text));
	else if (add_chunks(d, "data", text) != 0)
		failure_set(&failure, "ENOMEM", "no memory for the reply");
	add_failure(d, &failure);
	free(text);
	return 0;
}

static int
handle_wakes(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	struct wake_times *times = context.forward->wake_times;
	struct failure failure;
	uint32_t count = 0;
	char *text = NULL;

	failure_clear(&failure);
	if (params == NULL)
		text = wake_times_take(times, DATA_MAX, &count);
	else if (strcmp(params, "start") == 0)
		wake_times_start(times);
	else if (strcmp(params, "stop") == 0)
		wake_times_stop(times);
	else
		failure_set(&failure, "EINVAL", "%.32s: wanted start or stop",
			params);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "on", wake_times_wanted(times));
	rte_tel_data_add_dict_u64(d, "tsc_khz", context.forward->tsc_khz);
	rte_tel_data_add_dict_u64(d, "count", count);
	rte_tel_data_add_dict_u64(d, "missed", wake_times_missed(times));
	if (params == NULL &&
	    (text == NULL || add_chunks(d, "data", text) != 0))
		failure_set(&failure, "ENOMEM", "no memory for the reply");
	add_failure(d, &failure);
	free(text);
	return 0;
}

static const struct {
	const char *command;
	telemetry_cb handler;
	const char *help;
} commands[] = {
	{ "/vmcall/info", handle_info,
	  "Program, port and machine. No parameters." },
	{ "/vmcall/policy", handle_policy,
	  "Wait policy in force. Parameter: " WAIT_POLICY_NAMES
	  " to switch." },
	{ "/vmcall/stats", handle_stats, "Counters. No parameters." },
	{ "/vmcall/histogram", handle_histogram,
	  "Doorbell to application, ns. No parameters." },
	{ "/vmcall/wakes", handle_wakes,
	  "Times of sleeps in interrupts. Parameter: start or stop to keep them." },
	{ "/vmcall/reset", handle_reset,
	  "Zero the counters and the histogram. No parameters." },
	{ "/vmcall/idle_threshold_us", handle_idle_threshold,
	  "Idle time before sleeping. Parameter: microseconds to set it." },
};

int
telemetry_register(const struct telemetry_context *what,
		struct failure *failure)
{
	unsigned int i;
	int ret;

	context = *what;
	for (i = 0; i < RTE_DIM(commands); i++) {
		ret = rte_telemetry_register_cmd(commands[i].command,
				commands[i].handler, commands[i].help);
		if (ret < 0)
			return failure_errno(failure, -ret,
				"registering the telemetry command %s: %s",
				commands[i].command, strerror(-ret));
	}
	return 0;
}
