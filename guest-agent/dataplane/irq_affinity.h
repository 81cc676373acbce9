/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef IRQ_AFFINITY_H
#define IRQ_AFFINITY_H

/**
 * @file
 * The NIC's interrupts on the lcore's CPU: it saves the inter-processor
 * interrupt from the CPU that handles the interrupt to the one that sleeps.
 */

struct failure;
struct pci_device;

#define IRQ_AFFINITY_MAX 16	/* interrupts of one device */
#define IRQ_AFFINITY_MASK 512	/* a CPU mask's text */
#define IRQ_AFFINITY_MASK_SCAN "511"

struct irq_affinity {
	/** Mask for new interrupts found; empty where not changed. */
	char default_before[IRQ_AFFINITY_MASK];
	unsigned int count;
	struct {
		unsigned int irq;
		char before[64];	/**< CPU list found */
	} changed[IRQ_AFFINITY_MAX];
};

/**
 * Let interrupts that are set up from now on begin on a CPU.  Without interrupt
 * remapping the kernel moves a running one only when it next fires, and that
 * first one still comes to the old CPU.  System-wide, so for a moment only.
 * @return 0, or -1 with the failure filled in
 */
int irq_affinity_steer_new(struct irq_affinity *affinity, unsigned int cpu,
		struct failure *failure);

/** Put back what irq_affinity_steer_new() changed. */
void irq_affinity_steer_new_end(struct irq_affinity *affinity);

/**
 * Move all MSI interrupts of the device to a CPU and remember where they were.
 * To be called while no doorbell is installed: the kernel rewrites the MSI-X
 * entries.
 * @return 0, or -1 with the failure filled in (some may have been moved)
 */
int irq_affinity_set(struct irq_affinity *affinity,
		const struct pci_device *device, unsigned int cpu,
		struct failure *failure);

/** Put back what irq_affinity_set() changed. */
void irq_affinity_restore(struct irq_affinity *affinity);

#endif /* IRQ_AFFINITY_H */
