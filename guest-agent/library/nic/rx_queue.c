/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
/* rte_eth_dev_rx_intr_ctl_q_get_fd() is experimental in 22.11. */
#define ALLOW_EXPERIMENTAL_API
#include <rte_branch_prediction.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>

#include "failure.h"
#include "rx_queue.h"

int
rx_queue_init(struct rx_queue *q, uint16_t port, uint16_t queue,
		const char *driver, const struct pci_device *device,
		struct failure *failure)
{
	q->port = port;
	q->queue = queue;
	q->driver = driver;
	return rx_interrupt_init(&q->rx_interrupt, port, queue, driver, device,
		failure);
}

void
rx_queue_set_doorbell(struct rx_queue *q, const struct pci_device *device,
		unsigned int number, unsigned int vector, uint32_t apic_id)
{
	doorbell_init(&q->doorbell, device, number, vector, apic_id);
}

/* Queues whose eventfd is the same share a vector: the last there is. */
unsigned int
rx_queue_vector(uint16_t port, uint16_t queue)
{
	const int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(port, queue);
	uint16_t first = queue;

	while (fd >= 0 && first > 0 &&
	       rte_eth_dev_rx_intr_ctl_q_get_fd(port, first - 1) == fd)
		first--;
	return RTE_INTR_VEC_RXTX_OFFSET + first;
}

int
rx_queues_try(struct rx_queue *const queues[], unsigned int count,
		struct failure *failure)
{
	if (rx_queues_arm(queues, count, failure) != 0)
		return -1;
	rx_queues_disarm(queues, count);
	return 0;
}

int
rx_queues_arm(struct rx_queue *const queues[], unsigned int count,
		struct failure *failure)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (likely(rx_interrupt_arm(&queues[i]->rx_interrupt,
				failure) == 0))
			continue;
		rx_queues_disarm(queues, i);
		return -1;
	}
	return 0;
}

void
rx_queues_disarm(struct rx_queue *const queues[], unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		rx_interrupt_disarm(&queues[i]->rx_interrupt);
}

/* One of several that share a vector has its entry. */
static bool
is_installed(struct rx_queue *const queues[], unsigned int index)
{
	unsigned int i;

	for (i = 0; i < index; i++)
		if (rx_queue_shares_vector(queues[i], queues[index]))
			return true;
	return false;
}

int
rx_queues_install(struct rx_queue *const queues[], unsigned int count,
		enum rx_queue_rings rings, struct failure *failure)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct doorbell *doorbell = &queues[i]->doorbell;

		if (is_installed(queues, i) ||
		    doorbell_install(doorbell,
				rings == RX_QUEUE_RINGS_DOORBELL ?
				doorbell->number : DOORBELL_PV_KICK,
				failure) == 0)
			continue;
		rx_queues_restore(queues, i);
		return -1;
	}
	return 0;
}

void
rx_queues_restore(struct rx_queue *const queues[], unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		doorbell_restore(&queues[i]->doorbell);
}

bool
rx_queues_overwritten(struct rx_queue *const queues[], unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (doorbell_check(&queues[i]->doorbell) ==
				DOORBELL_OVERWRITTEN)
			return true;
	return false;
}
