/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include "control.h"
#include "forward.h"
#include "port.h"
#include "wake_times.h"

#define BURST 32
#define PAUSED_SLEEP_US 100

void
forward_set_idle_threshold(struct forward *forward, uint64_t us)
{
	forward->idle_threshold_us = us;
	forward->idle_threshold_cycles = us * forward->tsc_khz / 1000;
}

/* What the policy installs stays as it is. */
static int
set_policy(struct forward *forward, enum wait_policy_id policy,
		struct failure *failure)
{
	const struct wait_policy *old = wait_policy_get(forward->policy);
	struct failure ignored;

	if (policy == forward->policy)
		return 0;
	old->leave(forward->wait);
	if (wait_policy_get(policy)->enter(forward->wait, failure) == 0) {
		forward->policy = policy;
		return 0;
	}
	if (old->enter(forward->wait, &ignored) != 0)
		forward->policy = WAIT_POLICY_POLL;
	return -1;
}

int
forward_take_up(struct forward *forward, enum wait_policy_id policy,
		struct failure *failure)
{
	const enum wait_policy_id old = forward->policy;
	struct failure ignored;

	wait_policy_remove(old, forward->wait);
	if (set_policy(forward, policy, failure) != 0)
		return -1;
	if (wait_policy_install(policy, forward->wait, failure) == 0)
		return 0;
	set_policy(forward, old, &ignored);
	return -1;
}

static void
leave(struct forward *forward)
{
	wait_policy_remove(forward->policy, forward->wait);
	wait_policy_get(forward->policy)->leave(forward->wait);
	forward->policy = WAIT_POLICY_POLL;
}

/* The policy in force does not work any more.  From here on the lcore polls,
 * which needs nothing from anybody; the keeper enters another policy, for
 * giving the MSI-X entry back may take tens of milliseconds.
 */
static void
fall_back(struct forward *forward)
{
	forward->last_fallback = forward->wait->failure;
	forward->stats.fallbacks++;
	__atomic_store_n(&forward->broken, true, __ATOMIC_RELEASE);
	control_call_keeper(forward->control);
}

static void
send_back(struct forward *forward, struct rte_mbuf **packets, uint16_t count)
{
	uint16_t i, sent;

	for (i = 0; i < count; i++) {
		struct rte_ether_hdr *header =
			rte_pktmbuf_mtod(packets[i], struct rte_ether_hdr *);
		struct rte_ether_addr source = header->src_addr;

		header->src_addr = header->dst_addr;
		header->dst_addr = source;
	}
	sent = rte_eth_tx_burst(forward->port->id, 0, packets, count);
	stats_count_packets(&forward->stats, count, sent);
	if (unlikely(sent < count))
		rte_pktmbuf_free_bulk(packets + sent, count - sent);
}

/* @return packets received, and sent back */
static uint16_t
poll_once(struct forward *forward)
{
	struct rte_mbuf *packets[BURST];
	uint16_t count;

	count = rte_eth_rx_burst(forward->port->id, 0, packets, BURST);
	forward->stats.polls++;
	if (count != 0) {
		/* Idle begins with the packet, whatever its handling costs. */
		forward->last_packet = rte_rdtsc();
		send_back(forward, packets, count);
	}
	return count;
}

static void
answer(struct forward *forward)
{
	const struct control_request *request = control_take(forward->control);
	struct failure failure;
	int ret = 0;

	if (request == NULL)
		return;
	switch (request->kind) {
	case CONTROL_HOLD:
	case CONTROL_RELEASE:
		forward->held = request->kind == CONTROL_HOLD;
		break;
	case CONTROL_PAUSE:
	case CONTROL_RESUME:
		forward->paused = request->kind == CONTROL_PAUSE;
		forward->last_packet = rte_rdtsc();
		break;
	case CONTROL_SET_POLICY:
		if (request->policy == forward->policy)
			break;
		ret = set_policy(forward, request->policy, &failure);
		if (ret == 0)
			forward->stats.policy_switches++;
		break;
	case CONTROL_SET_IDLE_THRESHOLD:
		forward_set_idle_threshold(forward, request->idle_threshold_us);
		break;
	case CONTROL_RESET_STATS:
		stats_reset(&forward->stats);
		break;
	}
	control_answer(forward->control, ret != 0 ? &failure : NULL);
}

static inline void
relax(const struct forward *forward)
{
	if (forward->pause)
		rte_pause();
}

static void
waste_time(const struct forward *forward)
{
	const uint64_t start = rte_rdtsc();

	while (rte_rdtsc() - start < forward->arm_delay_cycles)
		relax(forward);
}

/* Arm, look again, sleep.  @return packets received on the way */
static uint16_t
sleep_by_policy(struct forward *forward, const struct wait_policy *policy)
{
	struct wake wake;
	uint64_t before, woken;
	uint16_t count;

	if (unlikely(forward->arm_delay_cycles != 0))
		waste_time(forward);
	if (unlikely(policy->arm(forward->wait, &forward->wait->failure) != 0)) {
		fall_back(forward);
		return 0;
	}
#ifndef VMCALL_FAULT_NO_REPOLL
	count = poll_once(forward);
	if (count != 0 || control_pending(forward->control)) {
		policy->disarm(forward->wait);
		forward->stats.arms_undone++;
		forward->stats.rx_after_arm += count;
		return count;
	}
#endif
	before = rte_rdtsc();
	wake = policy->wait(forward->wait, forward->wait_timeout_ns);
	woken = rte_rdtsc();
	/* The packet first, then the books. */
	count = poll_once(forward);
	policy->disarm(forward->wait);
	wake_stats_count(&forward->stats.waits, &wake, before, woken,
		forward->tsc_khz);
	if (wake.undated && unlikely(wake_times_wanted(forward->wake_times)))
		wake_times_keep(forward->wake_times, before, woken);
	if (count == 0)
		forward->stats.waits_without_packet++;
	if (unlikely(wake.reason == WAKE_OFF || wake.reason == WAKE_ERROR))
		fall_back(forward);
	return count;
}

void
forward_run(struct forward *forward)
{
	forward->last_packet = rte_rdtsc();
	for (;;) {
		const struct wait_policy *policy;

		if (unlikely(control_pending(forward->control))) {
			if (control_quit(forward->control))
				break;
			answer(forward);
		}
		if (unlikely(forward->paused)) {
			rte_delay_us_sleep(PAUSED_SLEEP_US);
			continue;
		}
		if (poll_once(forward) != 0)
			continue;
		policy = wait_policy_get(forward->policy);
		if (policy->wait == NULL || forward->held || forward->broken ||
		    rte_rdtsc() - forward->last_packet <
				forward->idle_threshold_cycles) {
			relax(forward);
			continue;
		}
		sleep_by_policy(forward, policy);
	}
	leave(forward);
}
