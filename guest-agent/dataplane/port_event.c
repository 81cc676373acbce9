/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ethdev.h>

#include "control.h"
#include "failure.h"
#include "port_event.h"

static const struct {
	enum rte_eth_event_type type;
	enum port_event bit;
} events_of[] = {
	{ RTE_ETH_EVENT_INTR_RESET, PORT_EVENT_RESET },
	{ RTE_ETH_EVENT_INTR_RMV, PORT_EVENT_REMOVED },
	{ RTE_ETH_EVENT_ERR_RECOVERING, PORT_EVENT_RECOVERING },
	{ RTE_ETH_EVENT_RECOVERY_SUCCESS, PORT_EVENT_RECOVERED },
	{ RTE_ETH_EVENT_RECOVERY_FAILED, PORT_EVENT_RECOVERY_FAILED },
	{ RTE_ETH_EVENT_INTR_LSC, PORT_EVENT_LINK },
};

static int
on_event(uint16_t port __rte_unused, enum rte_eth_event_type type, void *arg,
		void *param __rte_unused)
{
	struct port_events *events = arg;
	unsigned int i;

	for (i = 0; i < RTE_DIM(events_of); i++)
		if (events_of[i].type == type)
			__atomic_fetch_or(&events->bits, events_of[i].bit,
				__ATOMIC_RELEASE);
	control_call_keeper(events->control);
	return 0;
}

int
port_events_listen(struct port_events *events, uint16_t port,
		struct failure *failure)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(events_of); i++) {
		int ret = rte_eth_dev_callback_register(port,
				events_of[i].type, on_event, events);

		if (ret != 0)
			return failure_errno(failure, -ret,
				"listening to port %u: %s", port,
				strerror(-ret));
	}
	return 0;
}

uint32_t
port_events_take(struct port_events *events)
{
	return __atomic_exchange_n(&events->bits, 0, __ATOMIC_ACQ_REL);
}
