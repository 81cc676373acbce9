/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "failure.h"
#include "rx_look.h"
#include "vcpu_claim.h"
#include "wait.h"

/* PV kick: on a host whose KVM nobody has patched.  Each queue's MSI-X entry is
 * made KVM's own PV kick of the lcore's vCPU, which the guest driver halts in
 * this thread.  No interrupt is injected, no handler runs and no eventfd is
 * signalled in this VM.
 *
 * The kick is one bit that any HLT consumes, so that the poll after arming is
 * not enough: the driver looks at the next descriptors once more, with interrupts
 * off.  Longest sleep: the driver's limit (halt_limit_us).
 */

static int
pv_kick_enter(struct wait_context *context, struct failure *failure)
{
	unsigned int i;

	if (rx_queues_try(context->queues, context->count, failure) != 0)
		return -1;
	for (i = 0; i < context->count; i++) {
		struct rx_queue *q = context->queues[i];

		if (rx_look_init(&q->look, q->port, q->queue, q->driver,
				failure) != 0)
			return -1;
	}
	return vcpu_claim_take(&context->claim, VMCALL_WAY_HALT, 0, failure);
}

static void
pv_kick_leave(struct wait_context *context)
{
	vcpu_claim_give_back(&context->claim);
}

static int
pv_kick_install(struct wait_context *context, struct failure *failure)
{
	return rx_queues_install(context->queues, context->count,
		RX_QUEUE_RINGS_PV_KICK, failure);
}

static void
pv_kick_remove(struct wait_context *context)
{
	rx_queues_restore(context->queues, context->count);
}

static int
pv_kick_arm(struct wait_context *context, struct failure *failure)
{
	return rx_queues_arm(context->queues, context->count, failure);
}

static void
pv_kick_disarm(struct wait_context *context)
{
	rx_queues_disarm(context->queues, context->count);
}

/* Several may be set; the first of this order names the wake. */
static enum wake_reason
reason_of(int why, bool is_packet)
{
	if (is_packet)
		return WAKE_PACKET;
	if (why & VMCALL_HALT_SIGNAL)
		return WAKE_CONTROL;
	if (why & VMCALL_HALT_TIMER)
		return WAKE_TIMEOUT;
	if (why & VMCALL_HALT_HALTED)
		return WAKE_KICK;
	return WAKE_SPURIOUS;
}

static int
halt(struct wait_context *context, const struct vmcall_look *looks,
		uint64_t timeout_ns)
{
#ifdef VMCALL_FAULT_NO_LOOK
	RTE_SET_USED(looks);
	return vcpu_claim_halt(&context->claim, NULL, 0, timeout_ns);
#else
	return vcpu_claim_halt(&context->claim, looks, context->count,
		timeout_ns);
#endif
}

static bool
has_packet(const struct vmcall_look *looks, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (rx_look_changed(&looks[i]))
			return true;
	return false;
}

static struct wake
pv_kick_wait(struct wait_context *context, uint64_t timeout_ns)
{
	struct wake wake = { .reason = WAKE_ERROR };
	struct vmcall_look looks[WAIT_QUEUES_MOST];
	unsigned int i;
	int why;

	RTE_BUILD_BUG_ON(WAIT_QUEUES_MOST > VMCALL_LOOKS_MOST);
	for (i = 0; i < context->count; i++)
		rx_look_at(&context->queues[i]->look, &looks[i]);
	why = halt(context, looks, timeout_ns);
	if (unlikely(why < 0)) {
		failure_errno(&context->failure, errno,
			"%s: the wait failed: %s", VMCALL_DEVICE,
			strerror(errno));
		return wake;
	}
	wake.reason = reason_of(why, has_packet(looks, context->count));
	/* As with interrupts: nothing in this VM tells when the NIC's came. */
	wake.undated = wake.reason == WAKE_PACKET && (why & VMCALL_HALT_HALTED);
	return wake;
}

const struct wait_policy wait_pv_kick = {
	.name = "pv-kick",
	.enter = pv_kick_enter,
	.leave = pv_kick_leave,
	.install = pv_kick_install,
	.remove = pv_kick_remove,
	.arm = pv_kick_arm,
	.wait = pv_kick_wait,
	.disarm = pv_kick_disarm,
};
