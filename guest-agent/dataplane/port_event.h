/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef PORT_EVENT_H
#define PORT_EVENT_H

/**
 * @file
 * What drivers report of a port by themselves (rte_ethdev.h, "enum
 * rte_eth_event_type"), kept as bits until somebody takes them: a callback
 * runs in EAL's interrupt thread, where nothing long may be done.
 */

#include <stdint.h>

struct control;
struct failure;

enum port_event {
	/** The PF, or the NIC itself, wants the port reset: it is dead until then. */
	PORT_EVENT_RESET = 1 << 0,
	PORT_EVENT_REMOVED = 1 << 1,
	/** The driver recovers by itself, and reports how it went. */
	PORT_EVENT_RECOVERING = 1 << 2,
	PORT_EVENT_RECOVERED = 1 << 3,
	PORT_EVENT_RECOVERY_FAILED = 1 << 4,
	PORT_EVENT_LINK = 1 << 5,
};

struct port_events {
	uint32_t bits;		/**< enum port_event; atomic */
	struct control *control;	/**< whose keeper is called */
};

/** Listen to a port. @return 0, or -1 with the failure filled in */
int port_events_listen(struct port_events *events, uint16_t port,
		struct failure *failure);

/** Take what has come. @return bits of enum port_event */
uint32_t port_events_take(struct port_events *events);

#endif /* PORT_EVENT_H */
