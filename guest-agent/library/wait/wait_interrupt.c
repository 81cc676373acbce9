/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>

#include "failure.h"
#include "wait.h"

/* Interrupts, as l3fwd-power uses them: sleep in epoll on the eventfds that the
 * kernel's handlers of the RX vectors signal.  Beside them the eventfd of those
 * who want something, so that the sleep needs no time limit.
 */

#define NS_PER_MS 1000000ULL

/* Vectors that queues share are in epoll once. */
static bool
is_added(const struct wait_context *context, unsigned int index)
{
	const struct rx_queue *q = context->queues[index];
	unsigned int i;

	for (i = 0; i < index; i++)
		if (rx_queue_shares_vector(context->queues[i], q))
			return true;
	return false;
}

static void
remove_queues(struct wait_context *context, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!is_added(context, i))
			rte_eth_dev_rx_intr_ctl_q(context->queues[i]->port,
				context->queues[i]->queue, context->epoll_fd,
				RTE_INTR_EVENT_DEL, NULL);
}

static int
add_queues(struct wait_context *context, struct failure *failure)
{
	unsigned int i;

	for (i = 0; i < context->count; i++) {
		const struct rx_queue *q = context->queues[i];

		if (is_added(context, i) ||
		    rte_eth_dev_rx_intr_ctl_q(q->port, q->queue,
				context->epoll_fd, RTE_INTR_EVENT_ADD,
				NULL) == 0)
			continue;
		remove_queues(context, i);
		return failure_set(failure, "ENOTSUP",
			"port %u (%s) gives no RX interrupts: bind it to vfio-pci or use poll",
			q->port, q->driver);
	}
	return 0;
}

static int
add_wake_event(struct wait_context *context)
{
	struct rte_epoll_event *wake = &context->wake_event;

	memset(wake, 0, sizeof(*wake));
	wake->epdata.event = EPOLLIN;
	wake->epdata.data = wake;
	return rte_epoll_ctl(context->epoll_fd, EPOLL_CTL_ADD,
		context->wake_fd, wake);
}

static int
interrupt_enter(struct wait_context *context, struct failure *failure)
{
	if (rx_queues_try(context->queues, context->count, failure) != 0)
		return -1;
	context->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (context->epoll_fd < 0)
		return failure_errno(failure, errno, "epoll_create1: %s",
				strerror(errno));
	if (add_queues(context, failure) != 0)
		goto close_epoll;
	if (add_wake_event(context) == 0)
		return 0;
	failure_set(failure, "EIO", "cannot add the control eventfd to epoll");
	remove_queues(context, context->count);
close_epoll:
	close(context->epoll_fd);
	context->epoll_fd = -1;
	return -1;
}

static void
interrupt_leave(struct wait_context *context)
{
	rte_epoll_ctl(context->epoll_fd, EPOLL_CTL_DEL, context->wake_fd,
		&context->wake_event);
	remove_queues(context, context->count);
	close(context->epoll_fd);
	context->epoll_fd = -1;
}

static int
interrupt_arm(struct wait_context *context, struct failure *failure)
{
	return rx_queues_arm(context->queues, context->count, failure);
}

static void
interrupt_disarm(struct wait_context *context)
{
	rx_queues_disarm(context->queues, context->count);
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

/* Empty already is fine: the file is non-blocking. */
static void
drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		errno = 0;
}

static struct wake
interrupt_wait(struct wait_context *context, uint64_t timeout_ns)
{
	struct rte_epoll_event events[WAIT_QUEUES_MOST + 1];
	struct wake wake = { .reason = WAKE_SPURIOUS };
	int i, n;

	n = rte_epoll_wait_interruptible(context->epoll_fd, events,
			(int)context->count + 1, epoll_timeout(timeout_ns));
	if (n == 0 && timeout_ns != 0)
		wake.reason = WAKE_TIMEOUT;
	for (i = 0; i < n; i++) {
		if (events[i].epdata.data == &context->wake_event) {
			drain(context->wake_fd);
			if (wake.reason != WAKE_PACKET)
				wake.reason = WAKE_CONTROL;
		} else {
			wake.reason = WAKE_PACKET;
		}
	}
	wake.undated = wake.reason == WAKE_PACKET;
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
