/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef IRQ_AFFINITY_H
#define IRQ_AFFINITY_H

/**
 * @file
 * The NIC's interrupts on the lcore's CPU: it saves the inter-processor
 * interrupt from the CPU that handles the interrupt to the one that sleeps.
 *
 * Without interrupt remapping the kernel moves an interrupt only when it next
 * fires: rx_interrupt_fire() makes it.  The mask on which all new interrupts of
 * the system begin is left alone: a program that is killed could not put it
 * back.
 */

struct failure;
struct pci_device;

#define IRQ_AFFINITY_MAX 16	/* interrupts of one device */

struct irq_affinity {
	unsigned int count;
	struct {
		unsigned int irq;
		char before[64];	/**< CPU list found */
	} changed[IRQ_AFFINITY_MAX];
};

/**
 * Move all MSI interrupts of the device to a CPU and remember where they were.
 * To be called while no doorbell is installed: the kernel rewrites the MSI-X
 * entries.
 * @return 0, or -1 with the failure filled in (some may have been moved)
 */
int irq_affinity_set(struct irq_affinity *affinity,
		const struct pci_device *device, unsigned int cpu,
		struct failure *failure);

/** Restore what irq_affinity_set() changed. */
void irq_affinity_restore(struct irq_affinity *affinity);

#endif /* IRQ_AFFINITY_H */
