/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef OPTIONS_H
#define OPTIONS_H

/** @file The program's own command line, after EAL's and "--". */

#include <stdbool.h>
#include <stdint.h>

#include "wait.h"

struct options {
	enum wait_policy_id policy;
	uint64_t idle_threshold_us;	/**< 0: sleep at the first empty poll */
	uint64_t wait_timeout_us;	/**< 0: none */
	unsigned int doorbell;		/**< 1 to 31 */
	unsigned int fifo_priority;	/**< of the lcore; 0: leave it alone */
	uint64_t tsc_khz;		/**< 0: find out */
	uint64_t arm_delay_us;		/**< test aid; 0: none */
	bool pause;			/**< PAUSE after an empty poll */
	bool promiscuous;
	bool set_irq_affinity;
};

/** Longest idle threshold and timeout, microseconds. */
#define OPTIONS_MAX_US	60000000ULL

/**
 * Where the program's own words begin in its command line.
 * @return index of "--", which stands for the program's name then; argc if
 *	there are none
 */
int options_begin(int argc, char **argv);

/**
 * Parse.  Errors and --help are printed.
 * @return 0: go on; 1: help was asked for; -1: wrong
 */
int options_parse(struct options *options, int argc, char **argv);

/** Parse a whole decimal number of at most max. @return 0 or -1 */
int options_parse_number(const char *text, uint64_t max, uint64_t *value);

#endif /* OPTIONS_H */
