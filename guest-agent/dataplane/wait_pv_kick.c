/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "doorbell.h"
#include "failure.h"
#include "port.h"
#include "rx_interrupt.h"
#include "rx_look.h"
#include "vcpu_claim.h"
#include "wait.h"
#include "wake_times.h"

/* PV kick: on a host whose KVM nobody has patched.  The NIC's MSI-X entry is
 * made KVM's own PV kick of the lcore's vCPU, which the guest driver halts in
 * this thread.  No interrupt is injected, no handler runs and no eventfd is
 * signalled in this VM.
 *
 * The kick is one bit that any HLT consumes, so that the poll after arming is
 * not enough: the driver looks at the next descriptor once more, with interrupts
 * off.  Longest sleep: the driver's limit (halt_limit_us).
 */

static int
pv_kick_enter(struct wait_context *context, struct failure *failure)
{
	if (rx_interrupt_try(context->rx_interrupt, failure) != 0)
		return -1;
	if (rx_look_init(&context->rx_look, context->port->id, 0,
			context->port->driver, failure) != 0)
		return -1;
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
	return doorbell_install(context->doorbell, DOORBELL_PV_KICK, failure);
}

static void
pv_kick_remove(struct wait_context *context)
{
	doorbell_restore(context->doorbell);
}

static int
pv_kick_arm(struct wait_context *context, struct failure *failure)
{
	return rx_interrupt_arm(context->rx_interrupt, failure);
}

static void
pv_kick_disarm(struct wait_context *context)
{
	rx_interrupt_disarm(context->rx_interrupt);
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
halt(struct wait_context *context, const struct vmcall_look *look,
		uint64_t timeout_ns)
{
#ifdef VMCALL_FAULT_NO_LOOK
	RTE_SET_USED(look);
	return vcpu_claim_halt(&context->claim, NULL, 0, timeout_ns);
#else
	return vcpu_claim_halt(&context->claim, look, 1, timeout_ns);
#endif
}

static struct wake
pv_kick_wait(struct wait_context *context, uint64_t timeout_ns)
{
	const uint64_t before = rte_rdtsc();
	struct wake wake = { .reason = WAKE_ERROR };
	struct vmcall_look look;
	int why;

	rx_look_at(&context->rx_look, &look);
	why = halt(context, &look, timeout_ns);
	if (unlikely(why < 0)) {
		failure_errno(context->failure, errno, "%s: the wait failed: %s",
			VMCALL_DEVICE, strerror(errno));
		return wake;
	}
	wake.reason = reason_of(why, rx_look_changed(&look));
	/* As with interrupts: nothing in this VM tells when the NIC's came. */
	if (unlikely(wake_times_wanted(context->wake_times)) &&
	    wake.reason == WAKE_PACKET && (why & VMCALL_HALT_HALTED))
		wake_times_keep(context->wake_times, before, rte_rdtsc());
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
