// SPDX-License-Identifier: Apache-2.0
#ifndef OPTIONS_H
#define OPTIONS_H

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "pattern.h"

/** The command line. */
struct options {
	const char *interface;
	uint32_t count;		/**< packets that count */
	uint32_t warmup;	/**< packets sent before them, not in any figure */
	struct pattern pattern;
	uint64_t seed;
	unsigned int size;	/**< of the frame, with its 4-byte check sum, bytes */
	struct ether_addr destination_mac;
	struct in_addr destination_ip;
	unsigned int fifo_priority;	/**< 0: not real-time */
	int cpu;			/**< -1: any */
	int busy_cpu;		/**< -1: none is kept busy */
	uint64_t quiet_us;	/**< at least, from a reply to the next packet */
	int busy_policy;	/**< SCHED_IDLE or SCHED_OTHER */
	int watch_cpu;		/**< -1: no CPU's idle time is read */
	unsigned int destinations;	/**< served in turn; MACs from destination_mac on */
	uint64_t spin_us;	/**< before a packet and for its return */
	unsigned int linger_ms;	/**< wait for stragglers after the last packet */
	uint64_t late_us;	/**< round trips above this are late; 0: none is */
	const char *samples;	/**< file for one line a packet, or NULL */
	bool qdisc_bypass;
	bool json;
	bool progress;
};

#define SIZE_MIN 64
#define SIZE_MAX_BYTES 1518
#define COUNT_MAX 10000000
#define DESTINATIONS_MAX 64

/**
 * Parse.  Errors and --help are printed.
 * @return 0: go on; 1: help was asked for; -1: wrong
 */
int options_parse(struct options *options, int argc, char **argv);

#endif
