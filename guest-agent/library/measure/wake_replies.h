/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef WAKE_REPLIES_H
#define WAKE_REPLIES_H

/**
 * @file
 * What vmcall-dataplane and the library answer alike over DPDK's telemetry:
 * the guest agent reads either.
 */

#include <rte_telemetry.h>
#include <rte_version.h>

/* Its name from DPDK 23.03 on; 24.11 has no other. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_u64 rte_tel_data_add_dict_uint
#endif

struct failure;
struct hdr;
struct wake_stats;
struct wake_times;

/** "code" and "error"; empty while nothing failed. */
void wake_replies_failure(struct rte_tel_data *d, const struct failure *failure);

/** The part of /vmcall/stats that tells of waits. */
void wake_replies_stats(struct rte_tel_data *d, const struct wake_stats *stats,
		uint64_t tsc_khz);

/** All of /vmcall/reset. @param failure why it was not done; empty: it was */
void wake_replies_reset(struct rte_tel_data *d, const struct failure *failure);

/** All of /vmcall/histogram. */
void wake_replies_histogram(struct rte_tel_data *d, const struct hdr *hdr);

/**
 * All of /vmcall/wakes.
 * @param params NULL: takes the oldest ones out; "start" or "stop"
 */
void wake_replies_times(struct rte_tel_data *d, struct wake_times *times,
		const char *params, uint64_t tsc_khz);

#endif /* WAKE_REPLIES_H */
