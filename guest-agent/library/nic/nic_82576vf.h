/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef NIC_82576VF_H
#define NIC_82576VF_H

/**
 * @file
 * RX interrupts of a virtual function of Intel's 82576 and I350 (igbvf; QEMU's
 * igb), by its registers (82576 datasheet, "Virtual function register
 * descriptions").
 *
 * Why not by the ethdev API: DPDK's driver net_e1000_igb_vf has no
 * rx_queue_intr_enable (22.11 to 25.11), so that its RX queue can be put into
 * epoll but never interrupts, and it maps no queue to a vector.
 */

#include <stdbool.h>
#include <stdint.h>

struct failure;
struct pci_device;

/** Registers, as byte offsets into BAR 0. */
#define NIC_82576VF_STATUS	0x0008
#define NIC_82576VF_EICS	0x1520	/* writing a bit raises the interrupt */
#define NIC_82576VF_EIMS	0x1524	/* writing a bit enables the vector */
#define NIC_82576VF_EIMC	0x1528	/* writing a bit disables it */
#define NIC_82576VF_EIAC	0x152c	/* causes that delivery clears */
#define NIC_82576VF_EICR	0x1580	/* causes; writing a bit clears it */
#define NIC_82576VF_EITR(n)	(0x1680 + 4 * (n))
#define NIC_82576VF_IVAR	0x1700
#define NIC_82576VF_BAR_LENGTH	0x4000

struct nic_82576vf {
	volatile uint8_t *bar;
	uint32_t cause;		/**< the RX queue's vector, as a bit */
};

/** Is it such a function? */
bool nic_82576vf_match(const struct pci_device *device);

/**
 * Set up its interrupts; after the port has started, which resets them.
 * @return 0, or -1 with the failure filled in
 */
int nic_82576vf_init(struct nic_82576vf *nic, const struct pci_device *device,
		struct failure *failure);

static inline void
nic_82576vf_write(const struct nic_82576vf *nic, uint32_t offset,
		uint32_t value)
{
	*(volatile uint32_t *)(nic->bar + offset) = value;
}

static inline uint32_t
nic_82576vf_read(const struct nic_82576vf *nic, uint32_t offset)
{
	return *(volatile uint32_t *)(nic->bar + offset);
}

/** Let the next packet interrupt; why it reads: nic_82574_arm(). */
static inline void
nic_82576vf_arm(const struct nic_82576vf *nic)
{
	nic_82576vf_write(nic, NIC_82576VF_EICR, nic->cause);
	nic_82576vf_write(nic, NIC_82576VF_EIMS, nic->cause);
	(void)nic_82576vf_read(nic, NIC_82576VF_STATUS);
}

/** Stop it; an interrupt on its way may still arrive. */
static inline void
nic_82576vf_disarm(const struct nic_82576vf *nic)
{
	nic_82576vf_write(nic, NIC_82576VF_EIMC, nic->cause);
}

#endif /* NIC_82576VF_H */
