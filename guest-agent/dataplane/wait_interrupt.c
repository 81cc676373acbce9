/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>

#include "control.h"
#include "failure.h"
#include "port.h"
#include "rx_interrupt.h"
#include "wait.h"
#include "wake_times.h"

/* Interrupts, as l3fwd-power uses them: sleep in epoll on the eventfd that the
 * kernel's handler of the RX vector signals.  Beside it the control thread's
 * eventfd, so that the sleep needs no time limit.
 */

#define NS_PER_MS 1000000ULL

static int
interrupt_enter(struct wait_context *context, struct failure *failure)
{
	struct rte_epoll_event *control = &context->control_event;
	int ret;

	if (rx_interrupt_try(context->rx_interrupt, failure) != 0)
		return -1;
	context->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (context->epoll_fd < 0)
		return failure_errno(failure, errno, "epoll_create1: %s",
				strerror(errno));
	ret = rte_eth_dev_rx_intr_ctl_q(context->port->id, 0,
			context->epoll_fd, RTE_INTR_EVENT_ADD, NULL);
	if (ret != 0) {
		failure_set(failure, "ENOTSUP",
			"port %u (%s) gives no RX interrupts: bind it to vfio-pci or use poll",
			context->port->id, context->port->driver);
		goto close_epoll;
	}
	memset(control, 0, sizeof(*control));
	control->epdata.event = EPOLLIN;
	control->epdata.data = control;
	ret = rte_epoll_ctl(context->epoll_fd, EPOLL_CTL_ADD,
			context->control->event_fd, control);
	if (ret != 0) {
		failure_set(failure, "EIO", "cannot add the control eventfd to epoll");
		goto remove_queue;
	}
	return 0;

remove_queue:
	rte_eth_dev_rx_intr_ctl_q(context->port->id, 0, context->epoll_fd,
			RTE_INTR_EVENT_DEL, NULL);
close_epoll:
	close(context->epoll_fd);
	context->epoll_fd = -1;
	return -1;
}

static void
interrupt_leave(struct wait_context *context)
{
	rte_epoll_ctl(context->epoll_fd, EPOLL_CTL_DEL,
			context->control->event_fd, &context->control_event);
	rte_eth_dev_rx_intr_ctl_q(context->port->id, 0, context->epoll_fd,
			RTE_INTR_EVENT_DEL, NULL);
	close(context->epoll_fd);
	context->epoll_fd = -1;
}

static int
interrupt_arm(struct wait_context *context, struct failure *failure)
{
	return rx_interrupt_arm(context->rx_interrupt, failure);
}

static void
interrupt_disarm(struct wait_context *context)
{
	rx_interrupt_disarm(context->rx_interrupt);
}

/* epoll counts in milliseconds: round up, so that no wait becomes a spin. */
static int
epoll_timeout(uint64_t timeout_ns)
{
	uint64_t ms = (timeout_ns + NS_PER_MS - 1) / NS_PER_MS;

	if (timeout_ns == 0)
		return -1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

static struct wake
interrupt_wait(struct wait_context *context, uint64_t timeout_ns)
{
	struct rte_epoll_event events[2];
	struct wake wake = { .reason = WAKE_SPURIOUS };
	const uint64_t before = rte_rdtsc();
	uint64_t after;
	int i, n;

	n = rte_epoll_wait_interruptible(context->epoll_fd, events,
			RTE_DIM(events), epoll_timeout(timeout_ns));
	after = rte_rdtsc();
	if (n == 0 && timeout_ns != 0)
		wake.reason = WAKE_TIMEOUT;
	for (i = 0; i < n; i++) {
		if (events[i].epdata.data == &context->control_event) {
			control_drain(context->control);
			if (wake.reason != WAKE_PACKET)
				wake.reason = WAKE_CONTROL;
		} else {
			wake.reason = WAKE_PACKET;
		}
	}
	if (unlikely(wake_times_wanted(context->wake_times)) &&
	    wake.reason == WAKE_PACKET)
		wake_times_keep(context->wake_times, before, after);
	return wake;
}

const struct wait_policy wait_interrupt = {
	.name = "interrupt",
	.enter = interrupt_enter,
	.leave = interrupt_leave,
	.arm = interrupt_arm,
	.wait = interrupt_wait,
	.disarm = interrupt_disarm,
};
