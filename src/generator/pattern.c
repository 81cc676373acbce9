// SPDX-License-Identifier: Apache-2.0
#include "pattern.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 4

static const char *const names[] = {
	[PATTERN_CONSTANT] = "constant",
	[PATTERN_UNIFORM] = "uniform",
	[PATTERN_POISSON] = "poisson",
	[PATTERN_BURST] = "burst",
	[PATTERN_SWEEP] = "sweep",
	[PATTERN_PAIR] = "pair",
};

/* How many values follow the name. */
static const int value_counts[] = {
	[PATTERN_CONSTANT] = 0,
	[PATTERN_UNIFORM] = 2,
	[PATTERN_POISSON] = 1,
	[PATTERN_BURST] = 2,
	[PATTERN_SWEEP] = 3,
	[PATTERN_PAIR] = 4,
};

/* ":N:N...", exactly wanted of them.  @return 0 or -1 */
static int parse_values(const char *text, int wanted, uint64_t *values)
{
	char *end;
	int i;

	for (i = 0; i < wanted; i++) {
		if (text[0] != ':' || !isdigit((unsigned char)text[1]))
			return -1;
		errno = 0;
		values[i] = strtoull(text + 1, &end, 10);
		if (errno != 0 || values[i] > PATTERN_MAX_GAP_NS)
			return -1;
		text = end;
	}
	return *text == '\0' ? 0 : -1;
}

/* @return 0 or -1 */
static int take_values(struct pattern *pattern, const uint64_t *values)
{
	switch (pattern->kind) {
	case PATTERN_CONSTANT:
		return 0;
	case PATTERN_UNIFORM:
		pattern->low_ns = values[0] * 1000;
		pattern->high_ns = values[1] * 1000;
		return values[0] <= values[1] &&
			pattern->high_ns <= PATTERN_MAX_GAP_NS ? 0 : -1;
	case PATTERN_POISSON:
		pattern->mean_ns = values[0] * 1000;
		return values[0] > 0 &&
			pattern->mean_ns <= PATTERN_MAX_GAP_NS ? 0 : -1;
	case PATTERN_BURST:
		pattern->burst = (uint32_t)values[0];
		pattern->gap_ns = values[1] * 1000;
		return values[0] > 0 && values[0] <= UINT32_MAX &&
			pattern->gap_ns <= PATTERN_MAX_GAP_NS ? 0 : -1;
	case PATTERN_PAIR:
		pattern->gap_ns = values[3] * 1000;
		if (pattern->gap_ns > PATTERN_MAX_GAP_NS)
			return -1;
		/* fall through */
	case PATTERN_SWEEP:
		pattern->low_ns = values[0];
		pattern->high_ns = values[1];
		pattern->step_ns = values[2];
		return values[0] <= values[1] && values[2] > 0 ? 0 : -1;
	}
	return -1;
}

int pattern_parse(struct pattern *pattern, const char *text)
{
	const size_t length = strcspn(text, ":");
	struct pattern parsed = { .interval_ns = pattern->interval_ns };
	uint64_t values[VALUES_MAX] = { 0 };
	unsigned int kind;

	for (kind = 0; kind < sizeof(names) / sizeof(names[0]); kind++) {
		if (strlen(names[kind]) != length ||
		    strncmp(names[kind], text, length) != 0)
			continue;
		parsed.kind = kind;
		if (parse_values(text + length, value_counts[kind], values) != 0 ||
		    take_values(&parsed, values) != 0)
			return -1;
		*pattern = parsed;
		return 0;
	}
	return -1;
}

const char *pattern_name(const struct pattern *pattern)
{
	return names[pattern->kind];
}

void pattern_start(struct pattern_state *state, uint64_t seed)
{
	state->random = seed;
	state->sent = 0;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(struct pattern_state *state)
{
	uint64_t z = state->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* Even in (0, 1]: never 0, for a logarithm is taken of it. */
static double next_unit(struct pattern_state *state)
{
	return (double)((next_random(state) >> 11) + 1) * 0x1p-53;
}

static uint64_t sweep(const struct pattern *pattern, uint32_t i)
{
	uint64_t range = (pattern->high_ns - pattern->low_ns) / pattern->step_ns + 1;

	return pattern->low_ns + i % range * pattern->step_ns;
}

uint64_t pattern_gap(const struct pattern *pattern, struct pattern_state *state)
{
	const uint32_t i = state->sent++;
	uint64_t range;
	double gap;

	switch (pattern->kind) {
	case PATTERN_UNIFORM:
		range = pattern->high_ns - pattern->low_ns + 1;
		return pattern->low_ns +
			(uint64_t)((__uint128_t)next_random(state) * range >> 64);
	case PATTERN_POISSON:
		gap = -log(next_unit(state)) * (double)pattern->mean_ns;
		return gap < (double)PATTERN_MAX_GAP_NS ? (uint64_t)gap :
			PATTERN_MAX_GAP_NS;
	case PATTERN_BURST:
		return (i + 1) % pattern->burst == 0 ? pattern->gap_ns : 0;
	case PATTERN_SWEEP:
		return sweep(pattern, i);
	case PATTERN_PAIR:
		return i % 2 == 0 ? sweep(pattern, i / 2) : pattern->gap_ns;
	case PATTERN_CONSTANT:
		break;
	}
	return pattern->interval_ns;
}
