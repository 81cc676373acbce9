/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
/* rte_eth_get_monitor_addr() is experimental in 22.11. */
#define ALLOW_EXPERIMENTAL_API
#include <string.h>

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_memory.h>
#include <rte_power_intrinsics.h>

#include "failure.h"
#include "rx_look.h"

#define DESCRIPTOR_SIZE 16

/* Bytes from the queue's begin, as DPDK 22.11 to 25.11 have it: the ring's
 * address, its length, the index of the next descriptor; then the word of a
 * descriptor, and its bit DD (descriptor done).
 */
struct rx_queue_layout {
	const char *driver;
	size_t ring, length, next;
	size_t word;
	uint64_t done;
};

static const struct rx_queue_layout layouts[] = {
	/* drivers/net/e1000/em_rxtx.c; status is byte 12 of a descriptor. */
	{ .driver = "net_e1000_em", .ring = 8, .length = 72, .next = 74,
	  .word = 8, .done = 1ULL << 32 },
	/* drivers/net/e1000/igb_rxtx.c; status is in bytes 8 to 11. */
	{ .driver = "net_e1000_igb", .ring = 8, .length = 64, .next = 66,
	  .word = 8, .done = 1 },
	{ .driver = "net_e1000_igb_vf", .ring = 8, .length = 64, .next = 66,
	  .word = 8, .done = 1 },
};

static const uint8_t *
queue_of(const struct rx_look *look)
{
	return rte_eth_fp_ops[look->port].rxq.data[look->queue];
}

static uint16_t
index_at(const uint8_t *queue, size_t offset)
{
	return *(const uint16_t *)(queue + offset);
}

static uint8_t *
ring_of(const uint8_t *queue, const struct rx_queue_layout *layout)
{
	return *(uint8_t *const *)(queue + layout->ring);
}

/* Does the queue look as the table says? */
static bool
is_believable(const struct rx_look *look, const struct rx_queue_layout *layout)
{
	const uint8_t *queue = queue_of(look);
	struct rte_eth_rxq_info info;
	uint16_t length;
	uint8_t *ring;

	if (rte_eth_rx_queue_info_get(look->port, look->queue, &info) != 0)
		return false;
	length = index_at(queue, layout->length);
	ring = ring_of(queue, layout);
	return length == info.nb_desc &&
		index_at(queue, layout->next) < length &&
		((uintptr_t)ring & (DESCRIPTOR_SIZE - 1)) == 0 &&
		rte_mem_virt2memseg(ring, NULL) != NULL &&
		rte_mem_virt2memseg(ring + (length - 1) * DESCRIPTOR_SIZE,
			NULL) != NULL;
}

static const struct rx_queue_layout *
layout_of(const char *driver)
{
	size_t i;

	for (i = 0; i < RTE_DIM(layouts); i++)
		if (strcmp(layouts[i].driver, driver) == 0)
			return &layouts[i];
	return NULL;
}

int
rx_look_init(struct rx_look *look, uint16_t port, uint16_t queue,
		const char *driver, struct failure *failure)
{
	struct rte_power_monitor_cond condition;

	*look = (struct rx_look) { .port = port, .queue = queue };
	if (rte_eth_get_monitor_addr(port, queue, &condition) == 0)
		return 0;
	look->layout = layout_of(driver);
	if (look->layout == NULL)
		return failure_set(failure, "ENOTSUP",
			"%s does not tell where its next descriptor is (rte_eth_get_monitor_addr)",
			driver);
	if (!is_believable(look, look->layout))
		return failure_set(failure, "ENOTSUP",
			"the RX queue of %s is not as in DPDK 22.11 to 25.11",
			driver);
	return 0;
}

static uint64_t
mask_of(uint8_t bytes)
{
	return bytes >= sizeof(uint64_t) ? UINT64_MAX :
		(1ULL << bytes * 8) - 1;
}

/* Whatever the driver looks for, it is not there while the word is as it is. */
static void
look_by_ethdev(const struct rx_look *look, struct vmcall_look *word)
{
	struct rte_power_monitor_cond condition;
	uintptr_t address;
	unsigned int shift;
	uint64_t all;

	if (rte_eth_get_monitor_addr(look->port, look->queue, &condition) != 0) {
		/* Never the same: nobody halts. */
		*word = (struct vmcall_look) {
			.address = (uintptr_t)&look->layout,
			.value = 1,
		};
		return;
	}
	address = (uintptr_t)condition.addr;
	shift = (address & (sizeof(uint64_t) - 1)) * 8;
	all = *(volatile uint64_t *)RTE_ALIGN_FLOOR(address, sizeof(uint64_t));
	word->address = RTE_ALIGN_FLOOR(address, sizeof(uint64_t));
	word->mask = mask_of(condition.size) << shift;
	word->value = all & word->mask;
	if (condition.fn((all >> shift) & mask_of(condition.size),
			condition.opaque) != 0)
		word->value = ~word->value;
}

void
rx_look_at(const struct rx_look *look, struct vmcall_look *word)
{
	const struct rx_queue_layout *layout = look->layout;
	const uint8_t *queue = queue_of(look);

	if (layout == NULL) {
		look_by_ethdev(look, word);
		return;
	}
	word->address = (uintptr_t)(ring_of(queue, layout) +
		index_at(queue, layout->next) * DESCRIPTOR_SIZE + layout->word);
	word->mask = layout->done;
	word->value = 0;
}

const char *
rx_look_way(const struct rx_look *look)
{
	return look->layout != NULL ? look->layout->driver : "ethdev";
}
