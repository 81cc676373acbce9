/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_REPORT_H
#define PROBE_REPORT_H

/** @file What was found: for people, and as a result document (src/results). */

#include <stddef.h>

#include "host.h"
#include "wake.h"

/** The ways take turns: what else the host does then falls on all of them. */
#define ROUNDS 10

struct finding {
	struct wake_path path;
	enum wake_outcome outcome;
	/** Of all rounds. */
	struct hdr latency;
	struct hdr rounds[ROUNDS];
};

struct findings {
	const struct host *host;
	const struct wake_plan *plan;
	/** "bare-metal", "nested-hardware", "instruction" or "realtime". */
	const char *clock;
	struct finding *all;
	size_t count;
};

/** Every way to wake a vCPU, and how it went; the memory is its own. */
void findings_measure(struct findings *findings, struct vm *vm);

/** Why a way was not measured, in some words. */
const char *finding_why_not(const struct finding *finding,
		const struct wake_plan *plan);

void report_text(const struct findings *findings);

/** @return 0, or -1 if there is no memory */
int report_json(const struct findings *findings);

#endif /* PROBE_REPORT_H */
