// SPDX-License-Identifier: Apache-2.0
#ifndef RUN_H
#define RUN_H

#include <signal.h>
#include <stdint.h>

#include "busy.h"
#include "link.h"
#include "options.h"
#include "tally.h"

/** Set by a signal handler: send no more, wait for stragglers, report. */
extern volatile sig_atomic_t run_interrupted;

/**
 * Send and receive until all packets are sent and the linger time is over.
 * Errors are printed.
 * @param run  number of this run, in each frame
 * @param busy the process whose share of its CPU is taken from the first
 *             packet that counts to the last one
 * @return 0 or -1
 */
int run(const struct options *options, const struct link *link, uint32_t run,
	const struct busy *busy, struct tally *tally);

#endif
