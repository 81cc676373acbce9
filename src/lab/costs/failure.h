/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COSTS_FAILURE_H
#define COSTS_FAILURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Ends the program: what could not be done, and errno's text. */
#define die(...) do { \
	int errno_ = errno; \
	fprintf(stderr, "vmcall-costs: "); \
	fprintf(stderr, __VA_ARGS__); \
	fprintf(stderr, ": %s\n", strerror(errno_)); \
	exit(1); \
} while (0)

#endif /* COSTS_FAILURE_H */
