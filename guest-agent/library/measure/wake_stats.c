/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stddef.h>
#include <string.h>

#include "wake_stats.h"

void
wake_stats_reset(struct wake_stats *stats)
{
	memset(stats, 0, offsetof(struct wake_stats, latency));
	hdr_reset(&stats->latency);
}

uint64_t
wake_stats_waits(const struct wake_stats *stats)
{
	uint64_t waits = 0;
	unsigned int i;

	for (i = 0; i < WAKE_REASONS; i++)
		waits += stats->wakes[i];
	return waits;
}

void
wake_stats_add(struct wake_stats *sum, const struct wake_stats *other)
{
	unsigned int i;

	sum->immediate += other->immediate;
	sum->ring_clock_errors += other->ring_clock_errors;
	sum->cycles += other->cycles;
	for (i = 0; i < WAKE_REASONS; i++)
		sum->wakes[i] += other->wakes[i];
	hdr_add(&sum->latency, &other->latency);
}
