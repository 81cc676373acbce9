/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "wake_replies.h"
#include "wake_stats.h"
#include "wake_times.h"

#define CHUNK			(RTE_TEL_MAX_STRING_LEN - 1)
/* DPDK cuts a reply at 16 KiB; what is beside the data needs far below 1. */
#define DATA_MAX		(15 * 1024)

void
wake_replies_failure(struct rte_tel_data *d, const struct failure *failure)
{
	rte_tel_data_add_dict_string(d, "code", failure->code);
	rte_tel_data_add_dict_string(d, "error", failure->text);
}

void
wake_replies_reset(struct rte_tel_data *d, const struct failure *failure)
{
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "reset", failure->code[0] == '\0');
	wake_replies_failure(d, failure);
}

void
wake_replies_stats(struct rte_tel_data *d, const struct wake_stats *stats,
		uint64_t tsc_khz)
{
	unsigned int i;

	rte_tel_data_add_dict_u64(d, "waits", wake_stats_waits(stats));
	rte_tel_data_add_dict_u64(d, "waits_immediate", stats->immediate);
	rte_tel_data_add_dict_u64(d, "ring_clock_errors",
		stats->ring_clock_errors);
	rte_tel_data_add_dict_u64(d, "waited_us",
		(uint64_t)((__uint128_t)stats->cycles * 1000 / tsc_khz));
	for (i = 0; i < WAKE_REASONS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "wakes_%s", wake_reason_name(i));
		rte_tel_data_add_dict_u64(d, name, stats->wakes[i]);
	}
}

/* An array of strings: a string may have 127 characters in DPDK's telemetry. */
static int
add_chunks(struct rte_tel_data *d, const char *name, const char *text)
{
	struct rte_tel_data *array = rte_tel_data_alloc();
	char chunk[CHUNK + 1];
	size_t at, length = strlen(text);

	if (array == NULL)
		return -1;
	rte_tel_data_start_array(array, RTE_TEL_STRING_VAL);
	for (at = 0; at < length; at += CHUNK) {
		snprintf(chunk, sizeof(chunk), "%s", text + at);
		rte_tel_data_add_array_string(array, chunk);
	}
	return rte_tel_data_add_dict_container(d, name, array, 0);
}

void
wake_replies_histogram(struct rte_tel_data *d, const struct hdr *hdr)
{
	const uint64_t count = hdr_count(hdr);
	char *text = hdr_encode(hdr);
	struct failure failure;

	failure_clear(&failure);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "unit", "ns");
	rte_tel_data_add_dict_u64(d, "count", count);
	rte_tel_data_add_dict_u64(d, "min", count != 0 ? hdr->min : 0);
	rte_tel_data_add_dict_u64(d, "max", hdr->max);
	rte_tel_data_add_dict_u64(d, "sum", hdr->sum);
	rte_tel_data_add_dict_u64(d, "avg", count != 0 ? hdr->sum / count : 0);
	rte_tel_data_add_dict_u64(d, "p50", hdr_percentile(hdr, 500000));
	rte_tel_data_add_dict_u64(d, "p90", hdr_percentile(hdr, 900000));
	rte_tel_data_add_dict_u64(d, "p99", hdr_percentile(hdr, 990000));
	rte_tel_data_add_dict_u64(d, "p999", hdr_percentile(hdr, 999000));
	rte_tel_data_add_dict_string(d, "encoding", "hdr-v2-compressed-base64");
	if (text == NULL)
		failure_set(&failure, "ENOMEM", "no memory to encode");
	else if (strlen(text) > DATA_MAX)
		failure_set(&failure, "EMSGSIZE",
			"%zu characters do not fit into a telemetry reply: reset and read more often",
			strlen(text));
	else if (add_chunks(d, "data", text) != 0)
		failure_set(&failure, "ENOMEM", "no memory for the reply");
	wake_replies_failure(d, &failure);
	free(text);
}

void
wake_replies_times(struct rte_tel_data *d, struct wake_times *times,
		const char *params, uint64_t tsc_khz)
{
	struct failure failure;
	uint32_t count = 0;
	char *text = NULL;

	failure_clear(&failure);
	if (params == NULL)
		text = wake_times_take(times, DATA_MAX, &count);
	else if (strcmp(params, "start") == 0)
		wake_times_start(times);
	else if (strcmp(params, "stop") == 0)
		wake_times_stop(times);
	else
		failure_set(&failure, "EINVAL", "%.32s: wanted start or stop",
			params);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "on", wake_times_wanted(times));
	rte_tel_data_add_dict_u64(d, "tsc_khz", tsc_khz);
	rte_tel_data_add_dict_u64(d, "count", count);
	rte_tel_data_add_dict_u64(d, "missed", wake_times_missed(times));
	if (params == NULL &&
	    (text == NULL || add_chunks(d, "data", text) != 0))
		failure_set(&failure, "ENOMEM", "no memory for the reply");
	wake_replies_failure(d, &failure);
	free(text);
}
