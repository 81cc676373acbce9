/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "log.h"
#include "ports.h"

static struct watched_port ports[RTE_MAX_ETHPORTS];

struct watched_port *
port_get(uint16_t id)
{
	return &ports[id];
}

static int
on_event(uint16_t id, enum rte_eth_event_type type, void *arg __rte_unused,
		void *param __rte_unused)
{
	__atomic_fetch_or(&ports[id].events,
		type == RTE_ETH_EVENT_RECOVERY_SUCCESS ?
		PORT_WORKS : PORT_BREAKS, __ATOMIC_RELEASE);
	lcore_call_control();
	return 0;
}

static const enum rte_eth_event_type heeded[] = {
	RTE_ETH_EVENT_INTR_RESET,
	RTE_ETH_EVENT_INTR_RMV,
	RTE_ETH_EVENT_ERR_RECOVERING,
	RTE_ETH_EVENT_RECOVERY_SUCCESS,
	RTE_ETH_EVENT_RECOVERY_FAILED,
};

uint32_t
port_take_events(struct watched_port *port)
{
	return __atomic_exchange_n(&port->events, 0, __ATOMIC_ACQ_REL);
}

void
port_set_up(struct watched_port *port)
{
	struct failure failure;
	uint16_t i;

	for (i = 0; i < port->count; i++)
		if (rx_queue_init(&port->queues[i].rx, port->id, i,
				port->driver, port->is_pci ? &port->pci : NULL,
				&failure) != 0)
			LOG(NOTICE, "port %u queue %u: the driver's own way to interrupts is used: %s",
				port->id, i, failure.text);
}

static int
describe(struct watched_port *port, uint16_t id)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_eth_dev_info info;
	struct failure ignored;
	int ret = rte_eth_dev_info_get(id, &info);

	if (ret == 0)
		ret = rte_eth_dev_get_name_by_port(id, name);
	if (ret != 0)
		return ret;
	port->id = id;
	port->count = info.nb_rx_queues;
	snprintf(port->driver, sizeof(port->driver), "%s",
		info.driver_name != NULL ? info.driver_name : "unknown");
	if (!port->is_pci)
		port->is_pci = pci_device_open(&port->pci, name, &ignored) == 0;
	return 0;
}

static int
add_callbacks(struct watched_port *port)
{
	uint16_t i;

	for (i = 0; i < port->count; i++) {
		struct watched_queue *q = &port->queues[i];

		q->callback = rte_eth_add_rx_callback(port->id, i,
				lcore_on_poll, q);
		if (q->callback == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void
remove_callbacks(struct watched_port *port)
{
	uint16_t i;

	for (i = 0; i < port->count; i++) {
		struct watched_queue *q = &port->queues[i];

		if (q->callback != NULL)
			rte_eth_remove_rx_callback(port->id, i, q->callback);
		q->callback = NULL;
	}
}

int
port_watch(uint16_t id)
{
	struct watched_port *port = &ports[id];
	unsigned int i;
	int ret;

	ret = describe(port, id);
	if (ret != 0)
		return ret;
	/* A poll that is still under way may hold the previous queues. */
	port->queues = rte_zmalloc("vmcall queues",
		port->count * sizeof(port->queues[0]), 0);
	if (port->queues == NULL)
		return -ENOMEM;
	port_set_up(port);
	port->is_down = false;
	port->is_watched = true;
	for (i = 0; i < RTE_DIM(heeded); i++)
		rte_eth_dev_callback_register(id, heeded[i], on_event, NULL);
	ret = add_callbacks(port);
	if (ret != 0)
		port_unwatch(port);
	return ret;
}

void
port_unwatch(struct watched_port *port)
{
	unsigned int i;

	remove_callbacks(port);
	for (i = 0; i < RTE_DIM(heeded); i++)
		rte_eth_dev_callback_unregister(port->id, heeded[i], on_event,
			NULL);
	port->is_watched = false;
}
