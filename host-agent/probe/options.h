/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_OPTIONS_H
#define PROBE_OPTIONS_H

#include <stdbool.h>

#define EXIT_USAGE	2

struct options {
	bool json;
	/** -1: the last one that may be used */
	int cpu;
	/** of each way */
	unsigned int wakes;
	/** NULL: by CPUID */
	const char *clock;
};

/** Ends the program with EXIT_USAGE on words that it does not know. */
struct options options_parse(int argc, char **argv);

#endif /* PROBE_OPTIONS_H */
