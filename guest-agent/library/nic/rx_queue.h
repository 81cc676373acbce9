/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef RX_QUEUE_H
#define RX_QUEUE_H

/**
 * @file
 * An RX queue, by what signals its next packet: the NIC's RX interrupt, the
 * MSI-X entry that it is sent by, and the descriptor that shows it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "doorbell.h"
#include "rx_interrupt.h"
#include "rx_look.h"

struct failure;
struct pci_device;

struct rx_queue {
	uint16_t port;
	uint16_t queue;
	const char *driver;	/**< name of the port's driver */
	struct rx_interrupt rx_interrupt;
	struct doorbell doorbell;
	/** Set up and used by the PV kick alone. */
	struct rx_look look;
};

/** What a queue's MSI-X entry is made to ring. */
enum rx_queue_rings {
	RX_QUEUE_RINGS_PV_KICK,
	RX_QUEUE_RINGS_DOORBELL,	/**< by its number */
};

/**
 * Find out how a queue of a started port is armed, and leave it disarmed.  The
 * structure is all zeroes at first.
 * @param driver name of the port's driver; is kept
 * @param device the NIC, NULL if it is not on PCI
 * @return 0, or -1 with the failure filled in: then the ethdev API is used
 */
int rx_queue_init(struct rx_queue *q, uint16_t port, uint16_t queue,
		const char *driver, const struct pci_device *device,
		struct failure *failure);

/**
 * Name the doorbell of a queue.
 * @param number  1 to 31
 * @param vector  MSI-X entry of the queue: rx_queue_vector()
 * @param apic_id APIC id of its lcore's CPU
 */
void rx_queue_set_doorbell(struct rx_queue *q, const struct pci_device *device,
		unsigned int number, unsigned int vector, uint32_t apic_id);

/**
 * The MSI-X entry of a queue: as EAL's VFIO code lays them out 0 is for the
 * rest and the RX queues follow, as far as there are vectors.
 */
unsigned int rx_queue_vector(uint16_t port, uint16_t queue);

static inline bool
rx_queue_shares_vector(const struct rx_queue *a, const struct rx_queue *b)
{
	return a->port == b->port && a->doorbell.vector == b->doorbell.vector;
}

/** @{ For all queues of an lcore. */

/** Can they be armed? @return 0, or -1 with the failure filled in */
int rx_queues_try(struct rx_queue *const queues[], unsigned int count,
		struct failure *failure);

/**
 * Let each interrupt for its next packet.
 * @return 0, or -1 with the failure filled in and none of them armed
 */
int rx_queues_arm(struct rx_queue *const queues[], unsigned int count,
		struct failure *failure);

/** Stop them. */
void rx_queues_disarm(struct rx_queue *const queues[], unsigned int count);

/**
 * Make the MSI-X entry of each ring.
 * @return 0, or -1 with the failure filled in and all entries as they were
 */
int rx_queues_install(struct rx_queue *const queues[], unsigned int count,
		enum rx_queue_rings rings, struct failure *failure);

/** Give the entries back to the guest's kernel. */
void rx_queues_restore(struct rx_queue *const queues[], unsigned int count);

/** Has somebody overwritten one of them? It costs exits. */
bool rx_queues_overwritten(struct rx_queue *const queues[],
		unsigned int count);

/** The doorbells of all, as bits. */
static inline uint64_t
rx_queues_doorbells(struct rx_queue *const queues[], unsigned int count)
{
	uint64_t mask = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		mask |= 1ULL << queues[i]->doorbell.number;
	return mask;
}
/** @} */

#endif /* RX_QUEUE_H */
