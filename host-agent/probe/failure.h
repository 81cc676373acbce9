/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_FAILURE_H
#define PROBE_FAILURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Where a program cannot do its work on this machine. */
#define EXIT_UNSUPPORTED 4

/** Ends the program: what could not be done, and errno's text. */
#define die(...) do { \
	int errno_ = errno; \
	fprintf(stderr, "%s: ", program_invocation_short_name); \
	fprintf(stderr, __VA_ARGS__); \
	fprintf(stderr, ": %s\n", strerror(errno_)); \
	exit(1); \
} while (0)

/** Ends the program: this machine cannot do it, and what to do about it. */
#define unsupported(...) do { \
	fprintf(stderr, "%s: ", program_invocation_short_name); \
	fprintf(stderr, __VA_ARGS__); \
	fprintf(stderr, "\n"); \
	exit(EXIT_UNSUPPORTED); \
} while (0)

#endif /* PROBE_FAILURE_H */
