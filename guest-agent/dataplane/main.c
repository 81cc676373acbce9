/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>

#include "control.h"
#include "failure.h"
#include "forward.h"
#include "irq_affinity.h"
#include "keeper.h"
#include "kvm_guest.h"
#include "options.h"
#include "port.h"
#include "rx_queue.h"
#include "stats.h"
#include "telemetry.h"
#include "version.h"
#include "wait.h"
#include "wake_times.h"

/** Everything the program has, for the life of the program. */
struct dataplane {
	struct options options;
	struct control control;
	struct port port;
	struct rx_queue rx_queue;
	struct kvm_guest kvm;
	struct irq_affinity irq_affinity;
	struct wake_times wake_times;
	struct wait_context wait;
	struct forward forward;
	struct keeper keeper;
};

static void
say(const char *what, const struct failure *failure)
{
	fprintf(stderr, "vmcall-dataplane: %s%s: %s\n", what, failure->code,
		failure->text);
}

static uint64_t
find_tsc_khz(const struct options *options, const struct kvm_guest *kvm)
{
	if (options->tsc_khz != 0)
		return options->tsc_khz;
	if (kvm->tsc_khz != 0)
		return kvm->tsc_khz;
	return rte_get_tsc_hz() / 1000;
}

/* All that may fail without stopping the program: less works then. */
static void
set_up_interrupts(void *arg)
{
	struct dataplane *dp = arg;
	const struct pci_device *pci = dp->port.is_pci ? &dp->port.pci : NULL;
	struct failure failure;

	if (dp->port.rx_interrupts && pci != NULL &&
	    dp->options.set_irq_affinity &&
	    irq_affinity_set(&dp->irq_affinity, pci, dp->kvm.cpu, &failure) != 0)
		say("interrupts not moved: ", &failure);
	if (rx_queue_init(&dp->rx_queue, dp->port.id, 0, dp->port.driver, pci,
			&failure) != 0)
		say("the driver's own way to interrupts is used: ", &failure);
	if (dp->irq_affinity.count != 0)
		rx_interrupt_fire(&dp->rx_queue.rx_interrupt);
}

static void
set_up_forwarding(struct dataplane *dp)
{
	wait_context_init(&dp->wait, &dp->kvm, dp->control.event_fd);
	dp->wait.queues[dp->wait.count++] = &dp->rx_queue;
	dp->forward = (struct forward) {
		.port = &dp->port,
		.control = &dp->control,
		.wait = &dp->wait,
		.wake_times = &dp->wake_times,
		.policy = WAIT_POLICY_POLL,
		.tsc_khz = find_tsc_khz(&dp->options, &dp->kvm),
		.pause = dp->options.pause,
		.wait_timeout_ns = dp->options.wait_timeout_us * 1000,
	};
	dp->forward.arm_delay_cycles =
		dp->options.arm_delay_us * dp->forward.tsc_khz / 1000;
	forward_set_idle_threshold(&dp->forward, dp->options.idle_threshold_us);
	stats_reset(&dp->forward.stats);
	dp->keeper = (struct keeper) {
		.forward = &dp->forward,
		.set_up_interrupts = set_up_interrupts,
		.arg = dp,
		.promiscuous = dp->options.promiscuous,
	};
}

/* The policy asked for, else the next one that works. */
static void
take_up_policy(struct dataplane *dp)
{
	struct forward *forward = &dp->forward;
	struct failure failure;

	if (forward_take_up(forward, dp->options.policy, &failure) == 0)
		return;
	say("policy not entered: ", &failure);
	forward->last_fallback = failure;
	forward->stats.fallbacks++;
	if (dp->options.policy != WAIT_POLICY_INTERRUPT &&
	    forward_take_up(forward, WAIT_POLICY_INTERRUPT, &failure) != 0)
		say("nor interrupts: ", &failure);
}

static int
set_fifo(unsigned int priority, struct failure *failure)
{
	struct sched_param param = { .sched_priority = (int)priority };
	int error;

	if (priority == 0)
		return 0;
	error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	if (error != 0)
		return failure_errno(failure, error, "SCHED_FIFO %u: %s",
			priority, strerror(error));
	return 0;
}

/* What was given beside the one port and the one lcore does nothing. */
static void
tell_unused(const struct port *port)
{
	if (rte_eth_dev_count_avail() > 1)
		fprintf(stderr,
			"vmcall-dataplane: of %u ports only %s is served: name one NIC with -a\n",
			rte_eth_dev_count_avail(), port->name);
	if (rte_lcore_count() > 1)
		fprintf(stderr,
			"vmcall-dataplane: of %u lcores only %u is used: name one with -l\n",
			rte_lcore_count(), rte_lcore_id());
}

static int
start(struct dataplane *dp, struct failure *failure)
{
	struct telemetry_context telemetry = {
		.forward = &dp->forward,
		.kvm = &dp->kvm,
		.keeper = &dp->keeper,
		.lcore = rte_lcore_id(),
	};

	kvm_guest_init(&dp->kvm, rte_lcore_to_cpu_id(-1));
	if (port_start(&dp->port, &dp->control, dp->options.promiscuous,
			failure) != 0)
		return -1;
	tell_unused(&dp->port);
	set_up_interrupts(dp);
	rx_queue_set_doorbell(&dp->rx_queue,
		dp->port.is_pci ? &dp->port.pci : NULL, dp->options.doorbell,
		rx_queue_vector(dp->port.id, 0), dp->kvm.apic_id);
	set_up_forwarding(dp);
	if (wake_times_init(&dp->wake_times, failure) != 0 ||
	    control_start(&dp->control, failure) != 0 ||
	    telemetry_register(&telemetry, failure) != 0 ||
	    set_fifo(dp->options.fifo_priority, failure) != 0)
		return -1;
	take_up_policy(dp);
	return keeper_start(&dp->keeper, failure);
}

static void
announce(const struct dataplane *dp)
{
	printf("vmcall-dataplane: ready: policy %s, port %s (%s), link %s, CPU %u, fault %s\n",
		wait_policy_get(dp->forward.policy)->name, dp->port.name,
		dp->port.driver, port_link_is_up(&dp->port) ? "up" : "down",
		dp->kvm.cpu, VMCALL_DATAPLANE_FAULT);
	fflush(stdout);
}

static void
report(const struct stats *stats)
{
	printf("vmcall-dataplane: ended: rx %llu, tx %llu, dropped %llu, waits %llu, fallbacks %llu\n",
		(unsigned long long)stats->rx,
		(unsigned long long)stats_tx(stats),
		(unsigned long long)stats->tx_dropped,
		(unsigned long long)wake_stats_waits(&stats->waits),
		(unsigned long long)stats->fallbacks);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static struct dataplane dp;
	struct failure failure;
	int own, ret;

	if (control_init(&dp.control, &failure) != 0) {
		say("", &failure);
		return EXIT_FAILURE;
	}
	/* Before EAL takes the NIC: a wrong word, or --help, takes nothing. */
	own = options_begin(argc, argv);
	ret = options_parse(&dp.options, argc - own, argv + own);
	if (ret != 0)
		return ret > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr, "vmcall-dataplane: DPDK did not start: %s\n",
			rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	/* On fault: a whole stack of each telemetry client need not be there. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
		fputs("vmcall-dataplane: memory is not locked: a page fault may cost latency\n",
			stderr);
	if (start(&dp, &failure) != 0) {
		say("", &failure);
		rte_eal_cleanup();
		return EXIT_FAILURE;
	}
	announce(&dp);
	forward_run(&dp.forward);
	control_stop(&dp.control);
	irq_affinity_restore(&dp.irq_affinity);
	port_stop(&dp.port);
	report(&dp.forward.stats);
	rte_eal_cleanup();
	return dp.control.exit_status;
}
