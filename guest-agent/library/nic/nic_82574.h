/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef NIC_82574_H
#define NIC_82574_H

/**
 * @file
 * RX interrupts of Intel's 82574 (QEMU's e1000e), by its registers.
 *
 * Why not by the ethdev API: DPDK's em driver enables the cause RXT0 only and
 * maps no cause to a vector, so that with MSI-X no RX interrupt ever comes;
 * with MSI it leaves the throttling timer (ITR) at its maximum, 16.8 ms; and
 * it clears no cause before enabling it, so that one of a packet that was
 * polled long ago fires at once.
 */

#include <stdbool.h>
#include <stdint.h>

struct failure;
struct pci_device;

/** Registers, as byte offsets into BAR 0. */
#define NIC_82574_STATUS	0x0008
#define NIC_82574_ICR		0x00c0	/* causes; writing a bit clears it */
#define NIC_82574_ITR		0x00c4
#define NIC_82574_ICS		0x00c8	/* writing a bit raises the cause */
#define NIC_82574_IMS		0x00d0	/* writing a bit enables the cause */
#define NIC_82574_IMC		0x00d8	/* writing a bit disables it */
#define NIC_82574_EIAC		0x00dc
#define NIC_82574_IVAR		0x00e4
#define NIC_82574_EITR(n)	(0x00e8 + 4 * (n))
#define NIC_82574_BAR_LENGTH	0x1000

struct nic_82574 {
	volatile uint8_t *bar;
	uint32_t cause;		/**< RXQ0 with MSI-X, RXT0 with MSI */
};

/** Is it such a NIC? */
bool nic_82574_match(const struct pci_device *device);

/**
 * Set up its interrupts; after the port has started, which resets them.
 * @return 0, or -1 with the failure filled in
 */
int nic_82574_init(struct nic_82574 *nic, const struct pci_device *device,
		struct failure *failure);

static inline void
nic_82574_write(const struct nic_82574 *nic, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(nic->bar + offset) = value;
}

static inline uint32_t
nic_82574_read(const struct nic_82574 *nic, uint32_t offset)
{
	return *(volatile uint32_t *)(nic->bar + offset);
}

/**
 * Let the next packet interrupt.  A packet that came before the cause was
 * cleared is silent: poll once more after this.
 *
 * The read waits until the NIC has got both writes.  Without it a packet that
 * arrives after the caller's poll could still lose its cause to the first one,
 * which lingers on its way: a lost wake-up.
 */
static inline void
nic_82574_arm(const struct nic_82574 *nic)
{
	nic_82574_write(nic, NIC_82574_ICR, nic->cause);
	nic_82574_write(nic, NIC_82574_IMS, nic->cause);
	(void)nic_82574_read(nic, NIC_82574_STATUS);
}

/** Stop it; an interrupt on its way may still arrive. */
static inline void
nic_82574_disarm(const struct nic_82574 *nic)
{
	nic_82574_write(nic, NIC_82574_IMC, nic->cause);
}

#endif /* NIC_82574_H */
