/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <string.h>

#include "stats.h"

void
stats_reset(struct stats *stats)
{
	memset(stats, 0, offsetof(struct stats, wake_latency));
	hdr_reset(&stats->wake_latency);
}
