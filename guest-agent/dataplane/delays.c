/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <rte_common.h>
#include <rte_cycles.h>

#define SLEEP_FROM_US 10

/* Drivers spin while a NIC resets, talks to its PHY and finds its link; nothing
 * is forwarded then, so the CPU can have other work.  The shortest delays, which
 * a forwarding loop may use, stay as they are.
 */
static void
delay(unsigned int us)
{
	if (us >= SLEEP_FROM_US)
		rte_delay_us_sleep(us);
	else
		rte_delay_us_block(us);
}

/* A constructor, so that DPDK's own examples get the same by linking this file;
 * behind DPDK's own, which sets the spinning one.
 */
RTE_INIT(sleep_through_long_delays)
{
	rte_delay_us_callback_register(delay);
}
