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

static int read_look(struct vmcall_look *look,
		     const struct vmcall_look __user *user)
{
	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(look->address, &user->address, fault);
	unsafe_get_user(look->mask, &user->mask, fault);
	unsafe_get_user(look->value, &user->value, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int read_word(u64 *word, u64 address)
{
	const u64 __user *user = u64_to_user_ptr(address);

	if (!IS_ALIGNED(address, sizeof(*word)) ||
	    !user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(*word, user, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/*
 * 1 if a word has changed, 0 if none has, -EFAULT.  What the program names is
 * read where it stands: nothing is copied on the way to each halt.
 */
static int look(const struct vmcall_halt *halt)
{
	const struct vmcall_look __user *looks = u64_to_user_ptr(halt->looks);
	struct vmcall_look look;
	unsigned int i;
	u64 word;

	for (i = 0; i < halt->count; i++) {
		if (read_look(&look, &looks[i]) || read_word(&word, look.address))
			return -EFAULT;
		if ((word & look.mask) != look.value)
			return 1;
	}
	return 0;
}

/*
 * Interrupts are off, and on afterwards.  -EFAULT: a page was not there, or is
 * none of the program's.
 */
static int halt_unless(struct claim *claim, const struct vmcall_halt *halt)
{
	int changed;
	u32 why = 0;

	/* Before the look, for arming a timer takes a lock. */
	halt_limit_keep(&claim->limit, halt->timeout_ns);
	if (need_resched())
		why |= VMCALL_HALT_RESCHED;
	if (signal_pending(current))
		why |= VMCALL_HALT_SIGNAL;
	pagefault_disable();
	changed = look(halt);
	pagefault_enable();
	if (changed > 0)
		why |= VMCALL_HALT_CHANGED;
	if (why || changed < 0) {
		local_irq_enable();
		return changed < 0 ? changed : why;
	}
	safe_halt();
	why = VMCALL_HALT_HALTED;
	if (halt_limit_over(&claim->limit))
		why |= VMCALL_HALT_TIMER;
	if (signal_pending(current))
		why |= VMCALL_HALT_SIGNAL;
	return why;
}

static int halt_on_cpu(struct claim *claim, const struct vmcall_halt *halt)
{
	local_irq_disable();
	if (smp_processor_id() == READ_ONCE(claim->cpu) &&
	    READ_ONCE(claim->granted) & VMCALL_WAY_HALT)
		return halt_unless(claim, halt);
	local_irq_enable();
	return READ_ONCE(claim->cpu) < 0 || !(claim->ways & VMCALL_WAY_HALT) ?
	       -ENODEV : -ENXIO;
}

int halt_wait(struct claim *claim, const struct vmcall_halt *halt)
{
	int ret;

	contend_before_halt();
	ret = halt_on_cpu(claim, halt);
	if (likely(ret != -EFAULT))
		return ret;
	/* With faults allowed, so that the pages are there the next time; this
	 * time the caller polls, as if a packet had come.
	 */
	ret = look(halt);
	return ret < 0 ? ret : VMCALL_HALT_CHANGED;
}
