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
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "claim.h"
#include "contend.h"
#include "halt.h"
#include "halt_limit.h"

/*
 * 1 if a word has changed, 0 if none has, -EFAULT.  What the program names is
 * read where it stands: nothing is copied on the way to each halt.
 */
static int look(const struct vmcall_halt *halt)
{
	const struct vmcall_look __user *looks = u64_to_user_ptr(halt->looks);
	unsigned int i;

	if (!access_ok(looks, halt->count * sizeof(*looks)))
		return -EFAULT;
	for (i = 0; i < halt->count; i++) {
		u64 address, mask, value, word;

		if (__get_user(address, &looks[i].address) ||
		    __get_user(mask, &looks[i].mask) ||
		    __get_user(value, &looks[i].value) ||
		    !IS_ALIGNED(address, sizeof(word)) ||
		    get_user(word, (u64 __user *)u64_to_user_ptr(address)))
			return -EFAULT;
		if ((word & mask) != value)
			return 1;
	}
	return 0;
}

/* Interrupts are off, and on afterwards. */
static u32 halt_unless(struct claim *claim, const struct vmcall_halt *halt)
{
	u32 why = 0;

	if (need_resched())
		why |= VMCALL_HALT_RESCHED;
	if (signal_pending(current))
		why |= VMCALL_HALT_SIGNAL;
	/* A page that went since: as if a packet had come, the caller polls. */
	pagefault_disable();
	if (look(halt))
		why |= VMCALL_HALT_CHANGED;
	pagefault_enable();
	if (why) {
		local_irq_enable();
		return why;
	}
	halt_limit_keep(&claim->limit, halt->timeout_ns);
	safe_halt();
	why = VMCALL_HALT_HALTED;
	if (halt_limit_over(&claim->limit))
		why |= VMCALL_HALT_TIMER;
	if (signal_pending(current))
		why |= VMCALL_HALT_SIGNAL;
	return why;
}

int halt_wait(struct claim *claim, const struct vmcall_halt *halt)
{
	/* With faults allowed, so that the pages are there later on. */
	int ret = look(halt);

	if (ret)
		return ret < 0 ? ret : VMCALL_HALT_CHANGED;
	contend_before_halt();
	local_irq_disable();
	if (smp_processor_id() == READ_ONCE(claim->cpu) &&
	    READ_ONCE(claim->granted) & VMCALL_WAY_HALT)
		return halt_unless(claim, halt);
	local_irq_enable();
	return READ_ONCE(claim->cpu) < 0 || !(claim->ways & VMCALL_WAY_HALT) ?
	       -ENODEV : -ENXIO;
}
