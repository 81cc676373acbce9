/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef DOORBELL_H
#define DOORBELL_H

/**
 * @file
 * The MSI-X entry of the RX queue, made a doorbell (or a PV kick) of the lcore's
 * vCPU and made the guest kernel's again.  While it is a doorbell the guest's kernel
 * gets no interrupt from it.
 */

#include <stdbool.h>
#include <stdint.h>

struct failure;
struct pci_device;

struct doorbell {
	unsigned int number;		/**< 1 to 31 */
	unsigned int vector;		/**< entry of the MSI-X table */
	uint32_t apic_id;		/**< whom it rings */
	const struct pci_device *device;
	volatile uint32_t *entry;	/**< the mapped entry; NULL: not yet */
	bool installed;
	unsigned int rings;		/**< what is installed, by number */
	uint32_t saved[3];		/**< address low, high, data */
};

enum doorbell_state {
	DOORBELL_ABSENT,
	DOORBELL_INSTALLED,
	/** Somebody, most likely the guest's kernel moving the interrupt to
	 * another CPU, wrote the entry after us.
	 */
	DOORBELL_OVERWRITTEN,
};

/**
 * @param device  the NIC, or NULL if it is not on PCI
 * @param number  doorbell to ring, 1 to 31
 * @param vector  MSI-X entry of the RX queue
 * @param apic_id APIC id of the lcore's CPU
 */
void doorbell_init(struct doorbell *doorbell, const struct pci_device *device,
		unsigned int number, unsigned int vector, uint32_t apic_id);

/** Not a doorbell, but KVM's PV kick, which any host has. */
#define DOORBELL_PV_KICK 0

/**
 * Save the guest kernel's entry and write the doorbell's.
 * @param number what shall ring: a doorbell, or DOORBELL_PV_KICK
 * @return 0, or -1 with the failure filled in and the entry as it was
 */
int doorbell_install(struct doorbell *doorbell, unsigned int number,
		struct failure *failure);

/** Give the entry back to the guest's kernel, if it is installed. */
void doorbell_restore(struct doorbell *doorbell);

/** Read the entry back: it costs exits, so not for the data path. */
enum doorbell_state doorbell_check(const struct doorbell *doorbell);

/** "absent", "installed" or "overwritten". */
const char *doorbell_state_name(enum doorbell_state state);

#endif /* DOORBELL_H */
