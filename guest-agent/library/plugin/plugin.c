/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include <libvmcall.h>

#include "failure.h"
#include "got.h"
#include "lcore.h"
#include "log.h"
#include "settings.h"

/* Loaded by EAL's -d, or by LD_PRELOAD, into a program that knows nothing of
 * this.  No event of DPDK tells that a port is configured or started, so the
 * calls that do it are led through here.
 */

static __typeof__(rte_eth_dev_configure) *configure;
static __typeof__(rte_eth_dev_start) *start;
static __typeof__(rte_eth_dev_stop) *stop;

static struct settings settings;

/* As the program wanted a port, where we asked for RX interrupts beside. */
static struct {
	bool is_changed;
	uint16_t rx, tx;
	struct rte_eth_conf conf;
} wanted[RTE_MAX_ETHPORTS];

static bool
is_ours(uint16_t port)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	return port < RTE_MAX_ETHPORTS &&
		rte_eth_dev_get_name_by_port(port, name) == 0 &&
		settings_has_port(&settings, name);
}

static int
hooked_configure(uint16_t port, uint16_t rx, uint16_t tx,
		const struct rte_eth_conf *conf)
{
	struct rte_eth_conf mine;
	int ret;

	if (conf == NULL || conf->intr_conf.rxq || !is_ours(port))
		return configure(port, rx, tx, conf);
	mine = *conf;
	vmcall_port_conf(&mine);
	ret = configure(port, rx, tx, &mine);
	wanted[port].is_changed = ret == 0;
	wanted[port].rx = rx;
	wanted[port].tx = tx;
	wanted[port].conf = *conf;
	if (ret == 0)
		return 0;
	LOG(NOTICE, "port %u: no RX interrupts (%s): it is polled", port,
		rte_strerror(-ret));
	return configure(port, rx, tx, conf);
}

/* A driver may notice only now that it cannot have them. */
static int
start_as_wanted(uint16_t port, int refused)
{
	int ret;

	LOG(NOTICE, "port %u does not start with RX interrupts (%s): it is polled",
		port, rte_strerror(-refused));
	wanted[port].is_changed = false;
	ret = configure(port, wanted[port].rx, wanted[port].tx,
		&wanted[port].conf);
	return ret == 0 ? start(port) : ret;
}

/* Once, now that EAL is there. */
static void
begin(void)
{
	static bool is_begun;
	unsigned int i;
	int ret;

	if (is_begun)
		return;
	is_begun = true;
	for (i = 0; settings.some_lcores && i < RTE_MAX_LCORE; i++)
		lcore_get(i)->is_excluded = !settings.lcores[i];
	ret = vmcall_init(&settings.options);
	if (ret != 0)
		LOG(ERR, "nothing is done: %s", rte_strerror(-ret));
}

static int
hooked_start(uint16_t port)
{
	int ret = start(port);

	if (!is_ours(port))
		return ret;
	if (ret != 0 && wanted[port].is_changed)
		return start_as_wanted(port, ret);
	if (ret != 0)
		return ret;
	begin();
	ret = vmcall_port_enable(port);
	if (ret != 0 && ret != -EEXIST)
		LOG(ERR, "port %u is not managed: %s", port,
			rte_strerror(-ret));
	return 0;
}

static int
hooked_stop(uint16_t port)
{
	if (is_ours(port))
		vmcall_port_disable(port);
	return stop(port);
}

static const struct got_hook hooks[] = {
	{ "rte_eth_dev_configure", hooked_configure, (void **)&configure },
	{ "rte_eth_dev_start", hooked_start, (void **)&start },
	{ "rte_eth_dev_stop", hooked_stop, (void **)&stop },
};

RTE_INIT(load)
{
	struct failure failure;

	if (settings_read(&settings, &failure) != 0) {
		fprintf(stderr, "vmcall: nothing is done: %s: %s\n",
			failure.code, failure.text);
		return;
	}
	if (got_replace(hooks, RTE_DIM(hooks)) <= 0)
		fputs("vmcall: nothing is done: this program calls no shared ethdev library: is its DPDK linked in?\n",
			stderr);
}
