/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <string.h>

#include <rte_common.h>

#include "driver_quirks.h"

static const struct {
	const char *driver;
	uint32_t quirks;
} drivers[] = {
	/* ixgbe_ethdev.c, 22.11 to 26.07: queue q interrupts by vector q + 1,
	 * but ixgbe_dev_rx_queue_intr_disable() masks vector q.
	 */
	{ "net_ixgbe", DRIVER_NEVER_DISARM },
	/* rte_eth_tap.c has no rx_queue_intr_enable. */
	{ "net_tap", DRIVER_ALWAYS_ARMED },
};

uint32_t
driver_quirks(const char *driver)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(drivers); i++)
		if (strcmp(drivers[i].driver, driver) == 0)
			return drivers[i].quirks;
	return 0;
}
