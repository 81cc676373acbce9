/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include "failure.h"
#include "nic_82576vf.h"
#include "pci_device.h"

#define VENDOR_INTEL	0x8086
#define DEVICE_82576VF	0x10ca
#define DEVICE_I350VF	0x1520

/* RX queue 0 to vector 1; 0x80 marks a valid entry.  Vector 0 is left to the
 * mailbox.
 */
#define VECTOR			1U
#define IVAR_RXQ0_VECTOR1	(0x80U | VECTOR)

bool
nic_82576vf_match(const struct pci_device *device)
{
	return device->vendor == VENDOR_INTEL &&
		(device->device == DEVICE_82576VF ||
		 device->device == DEVICE_I350VF);
}

int
nic_82576vf_init(struct nic_82576vf *nic, const struct pci_device *device,
		struct failure *failure)
{
	const enum pci_interrupt_mode mode = pci_device_interrupt_mode(device);

	if (mode != PCI_INTERRUPT_MSIX)
		return failure_set(failure, "ENOTSUP",
			"the VF at %s interrupts by %s: MSI-X is needed",
			device->name, pci_interrupt_mode_name(mode));
	if (nic->bar == NULL)
		nic->bar = pci_device_map(device, 0, 0, NIC_82576VF_BAR_LENGTH,
				failure);
	if (nic->bar == NULL)
		return -1;
	nic->cause = 1U << VECTOR;
	nic_82576vf_write(nic, NIC_82576VF_EIMC, nic->cause);
	nic_82576vf_write(nic, NIC_82576VF_IVAR, IVAR_RXQ0_VECTOR1);
	nic_82576vf_write(nic, NIC_82576VF_EIAC,
		nic_82576vf_read(nic, NIC_82576VF_EIAC) | nic->cause);
	/* No throttling: it would delay a packet's interrupt. */
	nic_82576vf_write(nic, NIC_82576VF_EITR(VECTOR), 0);
	(void)nic_82576vf_read(nic, NIC_82576VF_STATUS);
	return 0;
}
