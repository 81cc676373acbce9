// SPDX-License-Identifier: Apache-2.0
#ifndef PATTERN_H
#define PATTERN_H

#include <stdint.h>

/** Longest gap between two packets: 60 s. */
#define PATTERN_MAX_GAP_NS 60000000000ULL

enum pattern_kind {
	PATTERN_CONSTANT,
	PATTERN_UNIFORM,
	PATTERN_POISSON,
	PATTERN_BURST,
	PATTERN_SWEEP,
	PATTERN_PAIR,
};

/** When packets are sent.  All times in nanoseconds. */
struct pattern {
	enum pattern_kind kind;
	uint64_t interval_ns;	/**< constant */
	uint64_t low_ns;	/**< uniform, sweep, pair */
	uint64_t high_ns;	/**< uniform, sweep, pair */
	uint64_t step_ns;	/**< sweep, pair */
	uint64_t mean_ns;	/**< poisson */
	uint64_t gap_ns;	/**< burst, pair */
	uint32_t burst;		/**< burst: packets at once */
};

/** Where a pattern has got to. */
struct pattern_state {
	uint64_t random;
	uint32_t sent;
};

/** Parse the text of --pattern.  @return 0, or -1 if it is none */
int pattern_parse(struct pattern *pattern, const char *text);

/** "constant", "uniform" and so on. */
const char *pattern_name(const struct pattern *pattern);

/** Begin; the same seed gives the same gaps. */
void pattern_start(struct pattern_state *state, uint64_t seed);

/** Time from the packet just sent to the next one, ns. */
uint64_t pattern_gap(const struct pattern *pattern, struct pattern_state *state);

#endif
