/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <string.h>

#include <rte_atomic.h>

#include "stats.h"

void
stats_reset(struct stats *stats)
{
	memset(stats, 0, offsetof(struct stats, waits));
	wake_stats_reset(&stats->waits);
}

/* The lcore adds to the first before it adds to the second, and goes on while
 * they are read here: the second is read first.
 */
static uint64_t
difference(const uint64_t *first, const uint64_t *second)
{
	const uint64_t less = *second;

	rte_compiler_barrier();
	return *first - less;
}

uint64_t
stats_tx(const struct stats *stats)
{
	return difference(&stats->rx, &stats->tx_dropped);
}

uint64_t
stats_empty_polls(const struct stats *stats)
{
	return difference(&stats->polls, &stats->full_polls);
}

uint64_t
stats_arms(const struct stats *stats)
{
	return wake_stats_waits(&stats->waits) + stats->arms_undone;
}
