/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef PORTS_H
#define PORTS_H

/** @file The ports that are managed, and their RX queues. */

#include <stdbool.h>
#include <stdint.h>

#include "lcore.h"
#include "pci_device.h"

struct watched_port {
	bool is_watched;
	/** Its driver recovers, or waits for a reset: nobody sleeps on it. */
	bool is_down;
	uint32_t events;	/**< bits of enum port_trouble; atomic */
	uint16_t id;
	uint16_t count;
	char driver[32];
	struct pci_device pci;
	bool is_pci;
	struct watched_queue *queues;
};

enum port_trouble {
	PORT_BREAKS = 1 << 0,
	PORT_WORKS = 1 << 1,
};

/** The port of an id below RTE_MAX_ETHPORTS, watched or not. */
struct watched_port *port_get(uint16_t id);

/** Watch a started port. @return 0 or a negative errno value */
int port_watch(uint16_t id);

/** Its queues' callbacks are taken away; its lcores are held or idle. */
void port_unwatch(struct watched_port *port);

/** Set up its queues' interrupts, after its driver did. */
void port_set_up(struct watched_port *port);

/** @return bits of enum port_trouble since the last call */
uint32_t port_take_events(struct watched_port *port);

#endif /* PORTS_H */
