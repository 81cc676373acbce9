/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COSTS_DEVICE_H
#define COSTS_DEVICE_H

#include <stdint.h>

/** A network controller 82574 on vfio-pci, which a register makes interrupt. */
struct device {
	int container;
	int group;
	int fd;
	volatile uint32_t *registers;
};

/**
 * Takes the device; its MSI-X vector 0 signals `eventfd` and is steered to
 * `cpu`.  Never returns without.
 * @param address e.g. 0000:00:11.0
 */
void device_open(struct device *device, const char *address, int eventfd,
		int cpu);
void device_close(struct device *device);

/** Let the next cause raise the interrupt; each disarms. */
void device_arm(struct device *device);

/** The register whose write with DEVICE_CAUSE raises the interrupt. */
#define DEVICE_SET_CAUSE 0xc8
#define DEVICE_CAUSE (1u << 20)

#endif /* COSTS_DEVICE_H */
