/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <string.h>

#include "pci_device.h"
#include "rx_interrupt.h"

int
rx_interrupt_init(struct rx_interrupt *rx, uint16_t port,
		const struct pci_device *device, struct failure *failure)
{
	memset(rx, 0, sizeof(*rx));
	rx->port = port;
	if (device == NULL || !nic_82574_match(device))
		return 0;
	if (nic_82574_init(&rx->nic, device, failure) != 0)
		return -1;
	rx->by_register = true;
	return 0;
}
