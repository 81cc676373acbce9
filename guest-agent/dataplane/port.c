/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "failure.h"
#include "port.h"

#define DESCRIPTORS	256
#define MBUFS		1023	/* both rings, one burst, and some */

static int
configure(struct port *port, bool rx_interrupts)
{
	struct rte_eth_conf conf = { .intr_conf.rxq = rx_interrupts };

	return rte_eth_dev_configure(port->id, 1, 1, &conf);
}

static int
set_up_queues(struct port *port, struct failure *failure)
{
	int socket = rte_eth_dev_socket_id(port->id);
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int ret;

	ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(port->id, 0, rx, socket, NULL,
				port->pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(port->id, 0, tx, socket, NULL);
	if (ret != 0)
		return failure_errno(failure, -ret,
			"setting up the queues of %s: %s", port->name,
			rte_strerror(-ret));
	return 0;
}

/* With RX interrupts, so that each policy can be entered while running; if
 * the device has none, without.
 */
static int
start_with(struct port *port, bool rx_interrupts, struct failure *failure)
{
	int ret = configure(port, rx_interrupts);

	if (ret != 0)
		return failure_errno(failure, -ret, "configuring %s: %s",
			port->name, rte_strerror(-ret));
	if (set_up_queues(port, failure) != 0)
		return -1;
	ret = rte_eth_dev_start(port->id);
	if (ret != 0)
		return failure_errno(failure, -ret, "starting %s: %s",
			port->name, rte_strerror(-ret));
	port->rx_interrupts = rx_interrupts;
	return 0;
}

static int
configure_and_start(struct port *port, bool promiscuous,
		struct failure *failure)
{
	if (start_with(port, true, NULL) != 0 &&
	    start_with(port, false, failure) != 0)
		return -1;
	if (promiscuous && rte_eth_promiscuous_enable(port->id) != 0)
		fprintf(stderr,
			"vmcall-dataplane: %s has no promiscuous mode; going on without\n",
			port->name);
	return 0;
}

static int
describe(struct port *port, struct failure *failure)
{
	struct rte_eth_dev_info info;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret == 0)
		ret = rte_eth_dev_get_name_by_port(port->id, port->name);
	if (ret == 0)
		ret = rte_eth_macaddr_get(port->id, &port->mac);
	if (ret != 0)
		return failure_errno(failure, -ret,
			"asking port %u about itself: %s", port->id,
			rte_strerror(-ret));
	snprintf(port->driver, sizeof(port->driver), "%s",
		info.driver_name != NULL ? info.driver_name : "unknown");
	return 0;
}

int
port_start(struct port *port, struct control *control, bool promiscuous,
		struct failure *failure)
{
	struct rte_eth_link link;
	int ret;

	memset(port, 0, sizeof(*port));
	port->id = (uint16_t)rte_eth_find_next(0);
	if (port->id >= RTE_MAX_ETHPORTS)
		return failure_set(failure, "ENODEV",
			"no port: bind the NIC to vfio-pci and name it with -a");
	if (describe(port, failure) != 0)
		return -1;
	port->pool = rte_pktmbuf_pool_create("mbufs", MBUFS, 0, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE,
			rte_eth_dev_socket_id(port->id));
	if (port->pool == NULL)
		return failure_errno(failure, rte_errno,
			"%u packet buffers: %s (more huge pages?)", MBUFS,
			rte_strerror(rte_errno));
	if (configure_and_start(port, promiscuous, failure) != 0)
		return -1;
	port->is_pci = pci_device_open(&port->pci, port->name, failure) == 0;
	/* Waits for it; one that does not come keeps nothing from starting. */
	ret = rte_eth_link_get(port->id, &link);
	RTE_SET_USED(ret);
	port->events.control = control;
	return port_events_listen(&port->events, port->id, failure);
}

int
port_restart(struct port *port, bool promiscuous, struct failure *failure)
{
	int ret;

	rte_eth_dev_stop(port->id);
	ret = rte_eth_dev_reset(port->id);
	if (ret != 0 && ret != -ENOTSUP)
		return failure_errno(failure, -ret, "resetting %s: %s",
			port->name, rte_strerror(-ret));
	return configure_and_start(port, promiscuous, failure);
}

bool
port_link_is_up(const struct port *port)
{
	struct rte_eth_link link = { 0 };

	return rte_eth_link_get_nowait(port->id, &link) == 0 &&
		link.link_status == RTE_ETH_LINK_UP;
}

void
port_stop(struct port *port)
{
	rte_eth_dev_stop(port->id);
	rte_eth_dev_close(port->id);
	rte_mempool_free(port->pool);
}
