/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef RX_INTERRUPT_H
#define RX_INTERRUPT_H

/**
 * @file
 * Enabling and disabling the NIC's RX interrupt: by its registers where they
 * are known (82574), by the ethdev API else.
 */

#include <stdbool.h>

#include <rte_ethdev.h>

#include "nic_82574.h"

struct failure;
struct pci_device;

struct rx_interrupt {
	bool by_register;
	struct nic_82574 nic;
	uint16_t port;
};

/**
 * @param device the NIC, NULL if it is not on PCI
 * @return 0, or -1 with the failure filled in: then the ethdev API is used
 */
int rx_interrupt_init(struct rx_interrupt *rx, uint16_t port,
		const struct pci_device *device, struct failure *failure);

static inline void
rx_interrupt_arm(const struct rx_interrupt *rx)
{
	if (rx->by_register)
		nic_82574_arm(&rx->nic);
	else
		rte_eth_dev_rx_intr_enable(rx->port, 0);
}

static inline void
rx_interrupt_disarm(const struct rx_interrupt *rx)
{
	if (rx->by_register)
		nic_82574_disarm(&rx->nic);
	else
		rte_eth_dev_rx_intr_disable(rx->port, 0);
}

#endif /* RX_INTERRUPT_H */
