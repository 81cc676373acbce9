/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <string.h>

#include <linux/pci_regs.h>

#include <vcpu_yield.h>

#include "doorbell.h"
#include "failure.h"
#include "pci_device.h"

#define MSI_ADDRESS_MASK	0xfff00000U
#define MSI_ADDRESS		0xfee00000U
#define MSI_ADDRESS_REMAPPABLE	(1U << 4)	/* VT-d's format of an entry */
#define MSI_DATA_MODE		0x700U	/* delivery mode */
#define MSI_DATA_MODE_BELL	0x300U
#define APIC_ID_MAX		254U

/* Words of an entry. */
#define LOWER	(PCI_MSIX_ENTRY_LOWER_ADDR / 4)
#define UPPER	(PCI_MSIX_ENTRY_UPPER_ADDR / 4)
#define DATA	(PCI_MSIX_ENTRY_DATA / 4)
#define CONTROL	(PCI_MSIX_ENTRY_VECTOR_CTRL / 4)

void
doorbell_init(struct doorbell *doorbell, const struct pci_device *device,
		unsigned int number, unsigned int vector, uint32_t apic_id)
{
	volatile uint32_t *entry = NULL;

	/* What is mapped stays mapped. */
	if (doorbell->device == device && doorbell->vector == vector)
		entry = doorbell->entry;
	memset(doorbell, 0, sizeof(*doorbell));
	doorbell->entry = entry;
	doorbell->device = device;
	doorbell->number = number;
	doorbell->vector = vector;
	doorbell->apic_id = apic_id;
}

/* An entry must be masked while its words change: the device could send a
 * message of the old address with the new data.
 */
static void
write_entry(volatile uint32_t *entry, uint32_t lower, uint32_t upper,
		uint32_t data)
{
	const uint32_t control = entry[CONTROL];

	entry[CONTROL] = control | PCI_MSIX_ENTRY_CTRL_MASKBIT;
	(void)entry[CONTROL];
	entry[LOWER] = lower;
	entry[UPPER] = upper;
	entry[DATA] = data;
	entry[CONTROL] = control & ~PCI_MSIX_ENTRY_CTRL_MASKBIT;
	(void)entry[CONTROL];
}

static int
map_entry(struct doorbell *doorbell, struct failure *failure)
{
	unsigned int bar, entries;
	uint32_t offset;

	if (doorbell->entry != NULL)
		return 0;
	if (pci_device_msix_table(doorbell->device, &bar, &offset, &entries,
			failure) != 0)
		return -1;
	if (doorbell->vector >= entries)
		return failure_set(failure, "ENOTSUP",
			"%s has %u MSI-X entries, the RX queue's would be number %u",
			doorbell->device->name, entries, doorbell->vector);
	doorbell->entry = (volatile uint32_t *)pci_device_map(doorbell->device,
			bar, offset + doorbell->vector * PCI_MSIX_ENTRY_SIZE,
			PCI_MSIX_ENTRY_SIZE, failure);
	return doorbell->entry != NULL ? 0 : -1;
}

static int
check_entry(const struct doorbell *doorbell, struct failure *failure)
{
	const uint32_t lower = doorbell->entry[LOWER];

	if (lower == 0xffffffffU)
		return failure_set(failure, "EIO",
			"the MSI-X table of %s reads all ones",
			doorbell->device->name);
	if ((lower & MSI_ADDRESS_MASK) != MSI_ADDRESS)
		return failure_set(failure, "ENOTSUP",
			"MSI-X entry %u of %s holds address 0x%x: the vector is not in use",
			doorbell->vector, doorbell->device->name, lower);
	if ((doorbell->entry[DATA] & MSI_DATA_MODE) == MSI_DATA_MODE_BELL)
		return failure_set(failure, "EBUSY",
			"MSI-X entry %u of %s rings another lcore: its queues share a vector",
			doorbell->vector, doorbell->device->name);
	if (lower & MSI_ADDRESS_REMAPPABLE)
		return failure_set(failure, "ENOTSUP",
			"interrupt remapping is on in this VM (address 0x%x): give its IOMMU intremap=off",
			lower);
	return 0;
}

int
doorbell_install(struct doorbell *doorbell, unsigned int number,
		struct failure *failure)
{
	enum pci_interrupt_mode mode;

	if (doorbell->installed)
		return 0;
	if (doorbell->device == NULL)
		return failure_set(failure, "ENOTSUP",
			"the port is no PCI device, so it can ring no doorbell");
	if (doorbell->apic_id > APIC_ID_MAX)
		return failure_set(failure, "ENOTSUP",
			"APIC id %u of the lcore is above %u",
			doorbell->apic_id, APIC_ID_MAX);
	if (!pci_device_is_user_space(doorbell->device))
		return failure_set(failure, "ENOTSUP",
			"the kernel's driver %s keeps the vectors of %s to itself: only vfio-pci and igb_uio give them away",
			doorbell->device->kernel_driver,
			doorbell->device->name);
	mode = pci_device_interrupt_mode(doorbell->device);
	if (mode != PCI_INTERRUPT_MSIX)
		return failure_set(failure, "ENOTSUP",
			"%s interrupts by %s, a doorbell needs MSI-X (no --vfio-intr)",
			doorbell->device->name, pci_interrupt_mode_name(mode));
	if (map_entry(doorbell, failure) != 0 ||
	    check_entry(doorbell, failure) != 0)
		return -1;

	doorbell->saved[0] = doorbell->entry[LOWER];
	doorbell->saved[1] = doorbell->entry[UPPER];
	doorbell->saved[2] = doorbell->entry[DATA];
	write_entry(doorbell->entry,
		KVM_DOORBELL_MSI_ADDR(doorbell->apic_id), 0,
		KVM_DOORBELL_MSI_DATA(number));
	doorbell->rings = number;
	doorbell->installed = true;
	return 0;
}

void
doorbell_restore(struct doorbell *doorbell)
{
	if (!doorbell->installed)
		return;
	/* If the kernel has written the entry since, its word is newer than
	 * the saved one and stays.
	 */
	if (doorbell_check(doorbell) == DOORBELL_INSTALLED)
		write_entry(doorbell->entry, doorbell->saved[0],
			doorbell->saved[1], doorbell->saved[2]);
	doorbell->installed = false;
}

enum doorbell_state
doorbell_check(const struct doorbell *doorbell)
{
	if (!doorbell->installed)
		return DOORBELL_ABSENT;
	if (doorbell->entry[DATA] == KVM_DOORBELL_MSI_DATA(doorbell->rings) &&
	    doorbell->entry[LOWER] == KVM_DOORBELL_MSI_ADDR(doorbell->apic_id))
		return DOORBELL_INSTALLED;
	return DOORBELL_OVERWRITTEN;
}

const char *
doorbell_state_name(enum doorbell_state state)
{
	static const char *const names[] = {
		[DOORBELL_ABSENT] = "absent",
		[DOORBELL_INSTALLED] = "installed",
		[DOORBELL_OVERWRITTEN] = "overwritten",
	};

	return names[state];
}
