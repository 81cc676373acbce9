/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef RX_INTERRUPT_H
#define RX_INTERRUPT_H

/**
 * @file
 * Enabling and disabling the NIC's RX interrupt: by its registers where they
 * are known (82574, VFs of 82576 and I350), by the ethdev API else.
 */

#include <stdint.h>

#include "nic_82574.h"
#include "nic_82576vf.h"

struct failure;
struct pci_device;

enum rx_interrupt_way {
	RX_INTERRUPT_ETHDEV,
	RX_INTERRUPT_82574,
	RX_INTERRUPT_82576VF,
	/** net_tap: its queue's file is signalled for each packet, armed or not. */
	RX_INTERRUPT_ALWAYS,
};

struct rx_interrupt {
	enum rx_interrupt_way way;
	uint16_t port;
	uint16_t queue;
	const char *driver;
	uint32_t driver_quirks;	/**< enum driver_quirk */
	union {
		struct nic_82574 nic_82574;
		struct nic_82576vf nic_82576vf;
	};
};

/**
 * Find the way, and leave the interrupt disarmed; after each start of the port.
 * The structure is all zeroes at first.
 * @param driver name of the port's driver, for messages; is kept
 * @param device the NIC, NULL if it is not on PCI
 * @return 0, or -1 with the failure filled in: then the ethdev API is used
 */
int rx_interrupt_init(struct rx_interrupt *rx, uint16_t port, uint16_t queue,
		const char *driver, const struct pci_device *device,
		struct failure *failure);

/** "ethdev", "82574", "82576vf" or "always". */
const char *rx_interrupt_way_name(enum rx_interrupt_way way);

/**
 * Arm: a packet from now on interrupts.  Where it is refused nothing would end
 * a sleep.
 * @return 0, or -1 with the failure filled in (ENOTSUP: the driver cannot)
 */
int rx_interrupt_arm(const struct rx_interrupt *rx, struct failure *failure);

void rx_interrupt_disarm(const struct rx_interrupt *rx);

/**
 * Have the NIC interrupt once, as a packet would, where its driver's registers
 * are known: a move of its interrupt to another CPU is done by that.
 */
void rx_interrupt_fire(const struct rx_interrupt *rx);

#endif /* RX_INTERRUPT_H */
