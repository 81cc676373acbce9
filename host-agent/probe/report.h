/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_REPORT_H
#define PROBE_REPORT_H

/** @file What was found: for people, and as a result document (src/results). */

#include <stddef.h>

#include "host.h"
#include "wake.h"

struct finding {
	struct wake_path path;
	enum wake_outcome outcome;
	struct hdr latency;
};

struct findings {
	const struct host *host;
	const struct wake_plan *plan;
	/** "bare-metal", "nested-hardware", "instruction" or "realtime". */
	const char *clock;
	const struct finding *all;
	size_t count;
};

void report_text(const struct findings *findings);

/** @return 0, or -1 if there is no memory */
int report_json(const struct findings *findings);

#endif /* PROBE_REPORT_H */
