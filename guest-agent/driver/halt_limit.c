// SPDX-License-Identifier: GPL-2.0-only
/*
 * The longest halt.  A thread that halts is in the kernel: RCU's grace periods
 * wait for it.  The timer is not cancelled by a packet: it is armed only if it
 * is not, once each time it has fired, for arming it costs a packet two exits.
 */
#include <linux/moduleparam.h>

#include "halt_limit.h"
#include "timer.h"

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
	WRITE_ONCE(container_of(timer, struct halt_limit, timer)->over, true);
	return HRTIMER_NORESTART;
}

void halt_limit_init(struct halt_limit *limit)
{
	hard_timer_init(&limit->timer, limit_fired);
}

void halt_limit_stop(struct halt_limit *limit)
{
	hrtimer_cancel(&limit->timer);
}

void halt_limit_keep(struct halt_limit *limit, u64 timeout_ns)
{
	u64 most = (u64)READ_ONCE(limit_us) * NSEC_PER_USEC;
	const bool is_sooner = timeout_ns && timeout_ns < most;

	WRITE_ONCE(limit->over, false);
	if (is_sooner)
		most = timeout_ns;
	if (!hrtimer_active(&limit->timer) ||
	    (is_sooner && ktime_to_ns(hrtimer_get_remaining(&limit->timer)) >
			  (s64)most))
		hard_timer_start(&limit->timer, most);
}
