// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wait: look at the NIC's descriptors with interrupts off, and halt.
 *
 * KVM's PV kick is one anonymous bit of the vCPU, which any HLT consumes.  This
 * kernel's PV spinlocks halt, too, so that a kick which comes after the
 * program's last poll may be gone before this HLT.  The look is what makes it
 * right: no lock is waited for between it and the HLT, and "sti; hlt" takes no
 * interrupt in between.
 */
#include <linux/irqflags.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "claim.h"
#include "halt.h"
#include "timer.h"

/*
 * A thread that halts here is in the kernel: RCU's grace periods wait for it.
 * Hence the limit.  Its timer is not taken back by a packet: it is armed only if
 * it is not, once each time it has fired, for arming it costs a packet two exits.
 */
#define LIMIT_US_LEAST	100
#define LIMIT_US_MOST	1000000

static unsigned int limit_us = 10000;

static int set_limit(const char *text, const struct kernel_param *parameter)
{
	return param_set_uint_minmax(text, parameter, LIMIT_US_LEAST,
				     LIMIT_US_MOST);
}

static const struct kernel_param_ops limit_ops = {
	.set = set_limit,
	.get = param_get_uint,
};
module_param_cb(halt_limit_us, &limit_ops, &limit_us, 0644);
MODULE_PARM_DESC(halt_limit_us,
		 "longest halt, us, 100 to 1000000: RCU waits so long (default 10000)");

static enum hrtimer_restart limit_fired(struct hrtimer *timer)
{
	WRITE_ONCE(container_of(timer, struct claim, limit)->limit_over, true);
	return HRTIMER_NORESTART;
}

void halt_init(struct claim *claim)
{
	hard_timer_init(&claim->limit, limit_fired);
}

void halt_stop(struct claim *claim)
{
	hrtimer_cancel(&claim->limit);
}

static void keep_limit(struct claim *claim, u64 timeout_ns)
{
	u64 most = (u64)READ_ONCE(limit_us) * NSEC_PER_USEC;

	if (timeout_ns && timeout_ns < most)
		most = timeout_ns;
	WRITE_ONCE(claim->limit_over, false);
	if (!hrtimer_active(&claim->limit) ||
	    (timeout_ns && ktime_to_ns(hrtimer_get_remaining(&claim->limit)) >
			   (s64)most))
		hard_timer_start(&claim->limit, most);
}

/* A word that cannot be read without a fault counts as changed. */
static bool changed(const struct vmcall_look *looks, unsigned int count)
{
	bool found = false;
	unsigned int i;

	pagefault_disable();
	for (i = 0; i < count && !found; i++) {
		u64 word;

		found = __get_user(word, (u64 __user *)looks[i].address) ||
			(word & looks[i].mask) != looks[i].value;
	}
	pagefault_enable();
	return found;
}

/* Interrupts are off, and on afterwards. */
static u32 halt_unless(struct claim *claim, const struct vmcall_look *looks,
		       unsigned int count, u64 timeout_ns)
{
	u32 why = 0;

	if (need_resched())
		why |= VMCALL_HALT_RESCHED;
	if (signal_pending(current))
		why |= VMCALL_HALT_SIGNAL;
	if (changed(looks, count))
		why |= VMCALL_HALT_CHANGED;
	if (why) {
		local_irq_enable();
		return why;
	}
	keep_limit(claim, timeout_ns);
	safe_halt();
	return VMCALL_HALT_HALTED;
}

int halt_wait(struct claim *claim, const struct vmcall_look *looks,
	      unsigned int count, u64 timeout_ns)
{
	u32 why;

	local_irq_disable();
	if (smp_processor_id() != READ_ONCE(claim->cpu) ||
	    !(READ_ONCE(claim->granted) & VMCALL_WAY_HALT)) {
		local_irq_enable();
		return claim->cpu < 0 || !(claim->ways & VMCALL_WAY_HALT) ?
		       -ENODEV : -ENXIO;
	}
	why = halt_unless(claim, looks, count, timeout_ns);
	if (why != VMCALL_HALT_HALTED)
		return why;
	if (changed(looks, count))
		why |= VMCALL_HALT_CHANGED;
	if (READ_ONCE(claim->limit_over))
		why |= VMCALL_HALT_TIMER;
	if (signal_pending(current))
		why |= VMCALL_HALT_SIGNAL;
	return why;
}
