/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <rte_common.h>
#include <rte_cycles.h>

#define SLEEP_FROM_US 1000

/* Drivers spin through the seconds that a NIC needs for its reset and its link;
 * nothing is forwarded then, so the CPU can have other work.  Short delays,
 * which a forwarding loop may use, stay as they are.
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
 * after DPDK's own, which sets the spinning one.
 */
RTE_INIT_PRIO(sleep_through_long_delays, LAST)
{
	rte_delay_us_callback_register(delay);
}
