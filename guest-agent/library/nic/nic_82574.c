/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include "failure.h"
#include "nic_82574.h"
#include "pci_device.h"

#define VENDOR_INTEL	0x8086
#define DEVICE_82574L	0x10d3
#define DEVICE_82574LA	0x10f6

#define CAUSE_RXT0	(1U << 7)
#define CAUSE_RXQ0	(1U << 20)
#define CAUSES_ALL	0xffffffffU

/* RX queue 0 to vector 1, all other causes to vector 0; 8 marks a valid
 * entry.  Vectors as DPDK's VFIO code lays them out: 0 for the rest, from 1 on
 * the RX queues.
 */
#define IVAR_RXQ0_VECTOR1	0x00000009U
#define IVAR_OTHER_VECTOR0	0x00080000U

bool
nic_82574_match(const struct pci_device *device)
{
	return device->vendor == VENDOR_INTEL &&
		(device->device == DEVICE_82574L ||
		 device->device == DEVICE_82574LA);
}

int
nic_82574_init(struct nic_82574 *nic, const struct pci_device *device,
		struct failure *failure)
{
	enum pci_interrupt_mode mode = pci_device_interrupt_mode(device);

	if (mode != PCI_INTERRUPT_MSIX && mode != PCI_INTERRUPT_MSI)
		return failure_set(failure, "ENOTSUP",
			"the 82574 at %s interrupts by %s: MSI-X or MSI is needed",
			device->name, pci_interrupt_mode_name(mode));
	if (nic->bar == NULL)
		nic->bar = pci_device_map(device, 0, 0, NIC_82574_BAR_LENGTH,
				failure);
	if (nic->bar == NULL)
		return -1;

	/* The driver has enabled RXT0: only what is armed shall interrupt. */
	nic_82574_write(nic, NIC_82574_IMC, CAUSES_ALL);
	/* No throttling: it would delay a packet's interrupt. */
	nic_82574_write(nic, NIC_82574_ITR, 0);
	if (mode == PCI_INTERRUPT_MSIX) {
		nic->cause = CAUSE_RXQ0;
		nic_82574_write(nic, NIC_82574_IVAR,
			IVAR_OTHER_VECTOR0 | IVAR_RXQ0_VECTOR1);
		nic_82574_write(nic, NIC_82574_EIAC, CAUSE_RXQ0);
		nic_82574_write(nic, NIC_82574_EITR(1), 0);
	} else {
		nic->cause = CAUSE_RXT0;
	}
	(void)nic_82574_read(nic, NIC_82574_STATUS);
	return 0;
}
