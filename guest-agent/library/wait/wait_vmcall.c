/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <vcpu_yield.h>

#include "failure.h"
#include "kvm_guest.h"
#include "wait.h"

/* VM calls: give the vCPU back to the host until the NIC's interrupts, which
 * are made doorbells, ring for it.  No interrupt is injected, no handler runs and
 * no eventfd is signalled in this VM.
 */

static int
vmcall_enter(struct wait_context *context, struct failure *failure)
{
	if (rx_queues_try(context->queues, context->count, failure) != 0)
		return -1;
	return kvm_guest_allow(context->kvm, &context->claim,
		rx_queues_doorbells(context->queues, context->count), failure);
}

static void
vmcall_leave(struct wait_context *context)
{
	kvm_guest_disallow(context->kvm, &context->claim);
}

static int
vmcall_install(struct wait_context *context, struct failure *failure)
{
	return rx_queues_install(context->queues, context->count,
		RX_QUEUE_RINGS_DOORBELL, failure);
}

static void
vmcall_remove(struct wait_context *context)
{
	rx_queues_restore(context->queues, context->count);
}

static int
vmcall_arm(struct wait_context *context, struct failure *failure)
{
	return rx_queues_arm(context->queues, context->count, failure);
}

static void
vmcall_disarm(struct wait_context *context)
{
	rx_queues_disarm(context->queues, context->count);
}

/* Several flags may be set; the first of this order names the wake. */
static enum wake_reason
reason_of(int64_t ret)
{
	if (ret & KVM_VCPU_YIELD_OFF)
		return WAKE_OFF;
	if (ret & KVM_DOORBELL_MASK)
		return WAKE_PACKET;
	if (ret & KVM_VCPU_YIELD_INTERRUPT)
		return WAKE_INTERRUPT;
	if (ret & KVM_VCPU_YIELD_KICK)
		return WAKE_KICK;
	if (ret & KVM_VCPU_YIELD_TIMEOUT)
		return WAKE_TIMEOUT;
	return WAKE_SPURIOUS;
}

static struct wake
vmcall_wait(struct wait_context *context, uint64_t timeout_ns)
{
	struct wake wake = { .undated = false };
	int64_t ret;

	ret = kvm_vcpu_yield(context->kvm->insn,
			rx_queues_doorbells(context->queues, context->count),
			timeout_ns, 0, &wake.ring_tsc);
	if (likely(ret >= 0)) {
		wake.reason = reason_of(ret);
		if (unlikely(wake.reason == WAKE_OFF))
			failure_set(&context->failure, "EOPNOTSUPP",
				"the host switched the VM call off for this VM");
		return wake;
	}
	wake.ring_tsc = 0;
	wake.reason = ret == -KVM_EOPNOTSUPP ? WAKE_OFF : WAKE_ERROR;
	failure_set(&context->failure, kvm_guest_error_name(ret),
		"the VM call returned %lld: %s", (long long)ret,
		kvm_guest_error_text(ret));
	return wake;
}

const struct wait_policy wait_vmcall = {
	.name = "vmcall",
	.enter = vmcall_enter,
	.leave = vmcall_leave,
	.install = vmcall_install,
	.remove = vmcall_remove,
	.arm = vmcall_arm,
	.wait = vmcall_wait,
	.disarm = vmcall_disarm,
};
