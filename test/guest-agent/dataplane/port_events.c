/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */

/**
 * @file
 * Preloaded into the dataplane: does to port 0 what a driver does when its NIC
 * is in trouble.
 *
 *	/test/event,reset|removed	the event as the driver would raise it
 *	/test/refuse,ERRNO		rx_intr_enable fails from now on (or from the
 *					start on: environment VMCALL_TEST_REFUSE)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_telemetry.h>

/* DPDK's, for drivers: not in its public headers. */
extern char rte_eth_devices[];
int rte_eth_dev_callback_process(void *dev,
		enum rte_eth_event_type event, void *param);

static int refusal;

int
rte_eth_dev_rx_intr_enable(uint16_t port, uint16_t queue)
{
	static int (*real)(uint16_t port, uint16_t queue);

	if (refusal != 0)
		return -refusal;
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "rte_eth_dev_rx_intr_enable");
	return real(port, queue);
}

static int
on_event(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	enum rte_eth_event_type event = RTE_ETH_EVENT_UNKNOWN;

	if (params != NULL && strcmp(params, "reset") == 0)
		event = RTE_ETH_EVENT_INTR_RESET;
	else if (params != NULL && strcmp(params, "removed") == 0)
		event = RTE_ETH_EVENT_INTR_RMV;
	rte_eth_dev_callback_process(rte_eth_devices, event, NULL);
	rte_tel_data_start_dict(d);
	return 0;
}

static int
on_refuse(const char *cmd __rte_unused, const char *params,
		struct rte_tel_data *d)
{
	refusal = atoi(params);
	rte_tel_data_start_dict(d);
	return 0;
}

RTE_INIT(register_commands)
{
	if (getenv("VMCALL_TEST_REFUSE") != NULL)
		refusal = atoi(getenv("VMCALL_TEST_REFUSE"));
	rte_telemetry_register_cmd("/test/event", on_event, "Raise an event.");
	rte_telemetry_register_cmd("/test/refuse", on_refuse, "Refuse to arm.");
}
