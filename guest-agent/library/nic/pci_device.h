/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef PCI_DEVICE_H
#define PCI_DEVICE_H

/**
 * @file
 * The PCI device behind a port, beside what DPDK does with it: configuration
 * space, interrupts, and pages of its BARs.
 *
 * DPDK keeps its own mappings to itself (struct rte_pci_device is not public
 * from 22.11 on), so that pages are mapped a second time: from a file of the
 * device that VFIO gives for DPDK's group, or from sysfs for other drivers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct failure;

#define PCI_DEVICE_NAME 32

enum pci_interrupt_mode {
	PCI_INTERRUPT_NONE,
	PCI_INTERRUPT_INTX,
	PCI_INTERRUPT_MSI,
	PCI_INTERRUPT_MSIX,
};

struct pci_device {
	char name[PCI_DEVICE_NAME];	/**< domain:bus:device.function */
	uint16_t vendor;
	uint16_t device;
	char kernel_driver[PCI_DEVICE_NAME];	/**< empty: it has none */
	int vfio_fd;			/**< of this device; -1: another driver has it */
};

/**
 * Find the device.
 * @param name name of the ethdev port
 * @return 0, or -1 with the failure filled in (e.g. it is no PCI device)
 */
int pci_device_open(struct pci_device *device, const char *name,
		struct failure *failure);

/**
 * Does its kernel driver leave its interrupts to a program?  mlx5's, for one,
 * does not: its ports are driven beside the kernel.
 */
bool pci_device_is_user_space(const struct pci_device *device);

/** How it interrupts at this moment. */
enum pci_interrupt_mode
pci_device_interrupt_mode(const struct pci_device *device);

/** "none", "intx", "msi" or "msix". */
const char *pci_interrupt_mode_name(enum pci_interrupt_mode mode);

/**
 * Where the MSI-X table is.
 * @param bar     receives the number of the BAR
 * @param offset  receives the offset in it, bytes
 * @param entries receives the number of entries
 * @return 0, or -1 with the failure filled in
 */
int pci_device_msix_table(const struct pci_device *device, unsigned int *bar,
		uint32_t *offset, unsigned int *entries,
		struct failure *failure);

/**
 * Map part of a BAR.
 * @param offset first byte wanted
 * @param length bytes wanted from there on
 * @return address of the byte at offset, or NULL with the failure filled in;
 *         it stays mapped as long as the program runs
 */
volatile uint8_t *pci_device_map(const struct pci_device *device,
		unsigned int bar, uint32_t offset, size_t length,
		struct failure *failure);

#endif /* PCI_DEVICE_H */
