/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef PORT_H
#define PORT_H

/** @file The ethdev port: one RX queue, one TX queue. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>

#include "pci_device.h"
#include "port_event.h"

struct control;
struct failure;
struct rte_mempool;

struct port {
	uint16_t id;
	char name[RTE_ETH_NAME_MAX_LEN];
	char driver[32];
	struct rte_ether_addr mac;
	struct rte_mempool *pool;
	/** RX interrupts were set up, so that policies can be switched. */
	bool rx_interrupts;
	struct port_events events;
	struct pci_device pci;
	bool is_pci;
};

/**
 * Configure and start the first port and wait for its link (up to 9 s; a link
 * that stays down is no failure).
 * @param control whose keeper is called when the driver reports an event
 * @return 0, or -1 with the failure filled in
 */
int port_start(struct port *port, struct control *control, bool promiscuous,
		struct failure *failure);

/**
 * Stop it, reset it where its driver can, and start it again; while nobody
 * polls it.
 * @return 0, or -1 with the failure filled in: it is stopped then
 */
int port_restart(struct port *port, bool promiscuous, struct failure *failure);

/** Is its link up at this moment? */
bool port_link_is_up(const struct port *port);

/** Stop and close it. */
void port_stop(struct port *port);

#endif /* PORT_H */
