/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_TIMER_H
#define VMCALL_TIMER_H

#include <linux/hrtimer.h>
#include <linux/version.h>

/*
 * A timer that fires in hard interrupt context on the CPU that starts it, also
 * on PREEMPT_RT: it has to end a HLT there.
 */
static inline void hard_timer_init(struct hrtimer *timer,
				   enum hrtimer_restart (*fired)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fired, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->function = fired;
#endif
}

static inline void hard_timer_start(struct hrtimer *timer, u64 ns)
{
	hrtimer_start(timer, ns_to_ktime(ns), HRTIMER_MODE_REL_PINNED_HARD);
}

#endif /* VMCALL_TIMER_H */
