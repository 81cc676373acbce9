/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef DRIVER_QUIRKS_H
#define DRIVER_QUIRKS_H

/** @file What DPDK's drivers do otherwise than the ethdev API says. */

#include <stdint.h>

enum driver_quirk {
	/** rx_intr_disable of a queue stops another queue's interrupt. */
	DRIVER_NEVER_DISARM = 1 << 0,
	/** Its eventfd is signalled for each packet, and that cannot be disabled. */
	DRIVER_ALWAYS_ARMED = 1 << 1,
};

/** @return bits of enum driver_quirk; 0 of a driver without */
uint32_t driver_quirks(const char *driver);

#endif /* DRIVER_QUIRKS_H */
