// SPDX-License-Identifier: Apache-2.0
/* The gaps of vmcall-generator: gaps PATTERN INTERVAL-US SEED COUNT. */
#include "pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct pattern pattern = { 0 };
	struct pattern_state state;
	long i;

	if (argc != 5 || pattern_parse(&pattern, argv[1]) != 0)
		return 2;
	pattern.interval_ns = strtoull(argv[2], NULL, 10) * 1000;
	pattern_start(&state, strtoull(argv[3], NULL, 10));
	for (i = 1; i < atol(argv[4]); i++)
		printf("%" PRIu64 "\n", pattern_gap(&pattern, &state));
	return 0;
}
