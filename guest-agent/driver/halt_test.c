// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does HLT leave the guest, and does a PV kick end it?  Where the host lets
 * guests halt by themselves (QEMU: -overcommit cpu-pm=on) the CPU never leaves
 * guest mode for HLT, and no kick that KVM remembers can wake it.
 *
 * The test kicks this vCPU and halts it: where HLT exits, KVM finds the kick and
 * the HLT is over at once.  A timer ends it otherwise, so that it cannot hang;
 * and as any other interrupt may end one such HLT, several are judged.
 */
#include <linux/irqflags.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <uapi/linux/kvm_para.h>

#include "halt_test.h"
#include "timer.h"

#define TRIES		9
#define TRY_NS		(500 * NSEC_PER_USEC)

/* One test at a time: claim.c's lock. */
static struct {
	struct hrtimer timer;
	bool fired;
} backstop;

static enum hrtimer_restart backstop_fired(struct hrtimer *timer)
{
	WRITE_ONCE(backstop.fired, true);
	return HRTIMER_NORESTART;
}

static void kick_self(void)
{
	kvm_hypercall2(KVM_HC_KICK_CPU, 0,
		       per_cpu(x86_cpu_to_apicid, smp_processor_id()));
}

static bool kick_ends_halt(void)
{
	WRITE_ONCE(backstop.fired, false);
	local_irq_disable();
	hard_timer_start(&backstop.timer, TRY_NS);
	kick_self();
	safe_halt();
	hrtimer_cancel(&backstop.timer);
	return !READ_ONCE(backstop.fired);
}

bool halt_exits(void)
{
	unsigned int i, ended = 0;

	hard_timer_init(&backstop.timer, backstop_fired);
	for (i = 0; i < TRIES; i++)
		ended += kick_ends_halt();
	return ended > TRIES / 2;
}
