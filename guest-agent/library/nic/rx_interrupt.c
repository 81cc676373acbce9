/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "driver_quirks.h"
#include "failure.h"
#include "pci_device.h"
#include "rx_interrupt.h"

#define FIRED_US 1000	/* more than an interrupt takes */

/* Drivers keep one word of enabled interrupts a port, and several lcores may
 * want to change it.
 */
static rte_spinlock_t port_locks[RTE_MAX_ETHPORTS];

static int
init_by_registers(struct rx_interrupt *rx, const struct pci_device *device,
		struct failure *failure)
{
	if (rx->queue != 0)
		return 0;
	if (nic_82574_match(device)) {
		if (nic_82574_init(&rx->nic_82574, device, failure) != 0)
			return -1;
		rx->way = RX_INTERRUPT_82574;
	} else if (nic_82576vf_match(device)) {
		if (nic_82576vf_init(&rx->nic_82576vf, device, failure) != 0)
			return -1;
		rx->way = RX_INTERRUPT_82576VF;
	}
	return 0;
}

int
rx_interrupt_init(struct rx_interrupt *rx, uint16_t port, uint16_t queue,
		const char *driver, const struct pci_device *device,
		struct failure *failure)
{
	int ret = 0;

	rx->way = RX_INTERRUPT_ETHDEV;
	rx->port = port;
	rx->queue = queue;
	rx->driver = driver;
	rx->driver_quirks = driver_quirks(driver);
	if (rx->driver_quirks & DRIVER_ALWAYS_ARMED)
		rx->way = RX_INTERRUPT_ALWAYS;
	else if (device != NULL)
		ret = init_by_registers(rx, device, failure);
	/* iavf and ice come up with the interrupt on, and then write a
	 * descriptor back only when it fires: a program that polls would wait.
	 */
	rx_interrupt_disarm(rx);
	return ret;
}

const char *
rx_interrupt_way_name(enum rx_interrupt_way way)
{
	static const char *const names[] = {
		[RX_INTERRUPT_ETHDEV] = "ethdev",
		[RX_INTERRUPT_82574] = "82574",
		[RX_INTERRUPT_82576VF] = "82576vf",
		[RX_INTERRUPT_ALWAYS] = "always",
	};

	return names[way];
}

static int
refused(const struct rx_interrupt *rx, int ret, struct failure *failure)
{
	if (ret == -ENOTSUP)
		return failure_set(failure, "ENOTSUP",
			"port %u: driver %s cannot arm an RX interrupt, so nothing would end a sleep",
			rx->port, rx->driver);
	return failure_errno(failure, -ret,
		"port %u: driver %s refuses to arm its RX interrupt: %s",
		rx->port, rx->driver, strerror(-ret));
}

int
rx_interrupt_arm(const struct rx_interrupt *rx, struct failure *failure)
{
	int ret;

	switch (rx->way) {
	case RX_INTERRUPT_82574:
		nic_82574_arm(&rx->nic_82574);
		return 0;
	case RX_INTERRUPT_82576VF:
		nic_82576vf_arm(&rx->nic_82576vf);
		return 0;
	case RX_INTERRUPT_ALWAYS:
		return 0;
	case RX_INTERRUPT_ETHDEV:
		break;
	}
	rte_spinlock_lock(&port_locks[rx->port]);
	ret = rte_eth_dev_rx_intr_enable(rx->port, rx->queue);
	rte_spinlock_unlock(&port_locks[rx->port]);
	return likely(ret == 0) ? 0 : refused(rx, ret, failure);
}

void
rx_interrupt_disarm(const struct rx_interrupt *rx)
{
	switch (rx->way) {
	case RX_INTERRUPT_82574:
		nic_82574_disarm(&rx->nic_82574);
		break;
	case RX_INTERRUPT_82576VF:
		nic_82576vf_disarm(&rx->nic_82576vf);
		break;
	case RX_INTERRUPT_ALWAYS:
		break;
	case RX_INTERRUPT_ETHDEV:
		if (rx->driver_quirks & DRIVER_NEVER_DISARM)
			break;
		rte_spinlock_lock(&port_locks[rx->port]);
		rte_eth_dev_rx_intr_disable(rx->port, rx->queue);
		rte_spinlock_unlock(&port_locks[rx->port]);
		break;
	}
}

void
rx_interrupt_fire(const struct rx_interrupt *rx)
{
	switch (rx->way) {
	case RX_INTERRUPT_82574:
		nic_82574_arm(&rx->nic_82574);
		nic_82574_write(&rx->nic_82574, NIC_82574_ICS,
			rx->nic_82574.cause);
		break;
	case RX_INTERRUPT_82576VF:
		nic_82576vf_arm(&rx->nic_82576vf);
		nic_82576vf_write(&rx->nic_82576vf, NIC_82576VF_EICS,
			rx->nic_82576vf.cause);
		break;
	case RX_INTERRUPT_ALWAYS:
	case RX_INTERRUPT_ETHDEV:
		return;
	}
	rte_delay_us_sleep(FIRED_US);
	rx_interrupt_disarm(rx);
}
