/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ether.h>
#include <rte_telemetry.h>

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
#include "wake_replies.h"

#define LCORE_TIMEOUT_MS	5000

/* DPDK 22.11 hands the handlers no argument of ours. */
static struct telemetry_context context;

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
	wake_replies_failure(d, &forward->last_fallback);
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
	wake_replies_failure(d, &failure);
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
	wake_replies_failure(d, &failure);
	return 0;
}

static int
handle_reset(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct control_request request = { .kind = CONTROL_RESET_STATS };
	struct failure failure;

	submit(&request, &failure);
	wake_replies_reset(d, &failure);
	return 0;
}

static int
handle_stats(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	const struct forward *forward = context.forward;
	const struct stats *s = &forward->stats;

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
	rte_tel_data_add_dict_u64(d, "waits_without_packet",
		s->waits_without_packet);
	wake_replies_stats(d, &s->waits, forward->tsc_khz);
	rte_tel_data_add_dict_u64(d, "policy_switches", s->policy_switches);
	rte_tel_data_add_dict_u64(d, "fallbacks", s->fallbacks);
	return 0;
}

static int
handle_histogram(const char *cmd __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	wake_replies_histogram(d, &context.forward->stats.waits.latency);
	return 0;
}

static int
handle_wakes(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	wake_replies_times(d, context.forward->wake_times, params,
		context.forward->tsc_khz);
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
