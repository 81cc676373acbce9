/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
/* rte_eth_dev_rx_intr_ctl_q_get_fd() is experimental in 22.11. */
#define ALLOW_EXPERIMENTAL_API
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "control_thread.h"
#include "failure.h"
#include "kvm_guest.h"
#include "wait.h"

/* For tests on a machine without the VM call, in no package: a thread that sees
 * a queue's eventfd rings a bell of the lcore's latch, and the yield is a futex
 * wait on that latch, which is sticky as KVM's.
 *
 * What happened before arming is silent, as with a NIC whose cause was cleared:
 * only so is a program caught that does not poll after arming.
 */

#define NS_A_SECOND 1000000000ULL

struct bells {
	uint32_t latch;		/* futex; atomic */
	uint32_t armed;		/* atomic */
	int epoll_fd;
};

static struct bells all_bells[RTE_MAX_LCORE];

static struct bells *
bells_of(const struct wait_context *context)
{
	return &all_bells[context->kvm->cpu % RTE_MAX_LCORE];
}

static void
ring(struct bells *bells, uint32_t bit)
{
	__atomic_fetch_or(&bells->latch, bit, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &bells->latch, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void
ringer(void *arg)
{
	struct bells *bells = arg;
	struct epoll_event events[WAIT_QUEUES_MOST + 1];
	int i, n;

	for (;;) {
		n = epoll_wait(bells->epoll_fd, events, RTE_DIM(events), -1);
		for (i = 0; i < n; i++) {
			/* Bit 0: not a queue, but another thread's call. */
			if (events[i].data.u32 == 1 ||
			    __atomic_load_n(&bells->armed, __ATOMIC_SEQ_CST))
				ring(bells, events[i].data.u32);
		}
	}
}

static int
watch(struct bells *bells, int fd, uint32_t bit)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLET,
		.data.u32 = bit,
	};

	if (epoll_ctl(bells->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	return errno == EEXIST ?
		epoll_ctl(bells->epoll_fd, EPOLL_CTL_MOD, fd, &event) : -1;
}

static int
queue_fd(const struct rx_queue *q)
{
	return rte_eth_dev_rx_intr_ctl_q_get_fd(q->port, q->queue);
}

static int
simulation_enter(struct wait_context *context, struct failure *failure)
{
	struct bells *bells = bells_of(context);
	unsigned int i;

	if (bells->epoll_fd == 0) {
		bells->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		if (control_thread_start("vmcall-ringer", ringer, bells,
				failure) != 0)
			return -1;
	}
	if (rx_queues_try(context->queues, context->count, failure) != 0)
		return -1;
	if (watch(bells, context->wake_fd, 1) != 0)
		return failure_errno(failure, errno, "epoll: %s",
			strerror(errno));
	for (i = 0; i < context->count; i++)
		if (watch(bells, queue_fd(context->queues[i]), 1U <<
				context->queues[i]->doorbell.number) != 0)
			return failure_set(failure, "ENOTSUP",
				"port %u (%s) gives no RX interrupts",
				context->queues[i]->port,
				context->queues[i]->driver);
	return 0;
}

static void
simulation_leave(struct wait_context *context)
{
	struct bells *bells = bells_of(context);
	unsigned int i;

	for (i = 0; i < context->count; i++)
		epoll_ctl(bells->epoll_fd, EPOLL_CTL_DEL,
			queue_fd(context->queues[i]), NULL);
}

/* Test aid: widens the gap between the empty poll and arming. */
static void
waste_time(void)
{
	const char *us = getenv("VMCALL_SIMULATION_ARM_DELAY_US");

	if (us != NULL)
		rte_delay_us_block((unsigned int)atoi(us));
}

static int
simulation_arm(struct wait_context *context, struct failure *failure)
{
	waste_time();
	__atomic_store_n(&bells_of(context)->armed, 1, __ATOMIC_SEQ_CST);
	return rx_queues_arm(context->queues, context->count, failure);
}

static void
simulation_disarm(struct wait_context *context)
{
	__atomic_store_n(&bells_of(context)->armed, 0, __ATOMIC_SEQ_CST);
	rx_queues_disarm(context->queues, context->count);
}

static struct wake
simulation_wait(struct wait_context *context, uint64_t timeout_ns)
{
	struct bells *bells = bells_of(context);
	const struct timespec time = {
		.tv_sec = (time_t)(timeout_ns / NS_A_SECOND),
		.tv_nsec = (long)(timeout_ns % NS_A_SECOND),
	};
	struct wake wake = { .reason = WAKE_TIMEOUT };
	uint32_t rung;

	syscall(SYS_futex, &bells->latch, FUTEX_WAIT_PRIVATE, 0,
		timeout_ns != 0 ? &time : NULL, NULL, 0);
	rung = __atomic_exchange_n(&bells->latch, 0, __ATOMIC_SEQ_CST);
	if (rung & ~1U)
		wake.reason = WAKE_PACKET;
	else if (rung != 0)
		wake.reason = WAKE_KICK;
	return wake;
}

const struct wait_policy wait_simulation = {
	.name = "simulation",
	.enter = simulation_enter,
	.leave = simulation_leave,
	.arm = simulation_arm,
	.wait = simulation_wait,
	.disarm = simulation_disarm,
};
