// SPDX-License-Identifier: Apache-2.0
#ifndef REPORT_H
#define REPORT_H

#include "options.h"
#include "tally.h"

/** Print the result to stdout.  @return 0, or -1 after a message on stderr */
int report_json(const struct options *options, const struct tally *tally);
int report_text(const struct options *options, const struct tally *tally);

/** Write one line a packet to --samples.  @return 0, or -1 after a message */
int report_samples(const struct options *options, const struct tally *tally);

#endif
