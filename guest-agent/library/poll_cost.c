/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */

/**
 * @file
 * What an RX queue that is managed costs: nanoseconds of a poll that finds
 * nothing, and of one that finds a full burst, without and with.
 *
 *	poll-cost --no-huge -m 64 --no-pci --vdev net_null0,no-rx=1 --vdev net_null1
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <libvmcall.h>

#define BURST	32
#define POLLS	4000000
#define ROUNDS	9

static int
start_port(uint16_t port, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { 0 };

	return rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
		rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL,
			pool) != 0 ||
		rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL) != 0 ||
		rte_eth_dev_start(port) != 0;
}

static double
poll_often(uint16_t port)
{
	struct rte_mbuf *packets[BURST];
	const uint64_t before = rte_rdtsc();
	unsigned int i;

	for (i = 0; i < POLLS; i++) {
		const uint16_t n = rte_eth_rx_burst(port, 0, packets, BURST);

		if (n != 0)
			rte_pktmbuf_free_bulk(packets, n);
	}
	return (double)(rte_rdtsc() - before) * 1e9 / rte_get_tsc_hz() / POLLS;
}

/* The least of several: what else ran only adds. */
static double
cost(uint16_t port)
{
	double least = poll_often(port);
	unsigned int i;

	for (i = 1; i < ROUNDS; i++) {
		const double ns = poll_often(port);

		if (ns < least)
			least = ns;
	}
	return least;
}

int
main(int argc, char **argv)
{
	const struct vmcall_options options = {
		.policy = VMCALL_POLICY_POLL,
		.idle_threshold_us = VMCALL_MOST_US,
		.limit_us = 1000,
	};
	struct rte_mempool *pool;
	double before[2], after[2];
	uint16_t port;

	if (rte_eal_init(argc, argv) < 0 || rte_eth_dev_count_avail() != 2)
		return EXIT_FAILURE;
	pool = rte_pktmbuf_pool_create("mbufs", 1023, 64, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL || vmcall_init(&options) != 0)
		return EXIT_FAILURE;
	for (port = 0; port < 2; port++) {
		if (start_port(port, pool) != 0)
			return EXIT_FAILURE;
		before[port] = cost(port);
	}
	for (port = 0; port < 2; port++) {
		if (vmcall_port_enable(port) != 0)
			return EXIT_FAILURE;
		poll_often(port);	/* it is learnt who polls it */
		sleep(2);
		after[port] = cost(port);
	}
	printf("{\"empty_ns\":[%.2f,%.2f],\"burst_ns\":[%.2f,%.2f]}\n",
		before[0], after[0], before[1], after[1]);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
