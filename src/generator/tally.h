// SPDX-License-Identifier: Apache-2.0
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

#include "hdr.h"

#define TALLY_LIST_MAX 16

/** One packet. */
struct tally_packet {
	uint64_t sent_ns;	/**< 0: not sent */
	uint64_t rtt_ns;	/**< valid if returned */
	uint8_t returned;
};

/**
 * What became of each packet.  The first "warmup" numbers are followed, so that
 * their stragglers are known, but are in no figure except warmup_lost.
 */
struct tally {
	struct tally_packet *packets;
	uint32_t warmup;
	uint32_t total;		/**< with the warm-up */
	uint64_t late_ns;	/**< 0: none is late */
	uint32_t sent;
	uint32_t received;
	uint32_t duplicate;
	uint32_t late;
	uint32_t reordered;
	uint32_t foreign;	/**< frames of others, and of earlier runs */
	uint32_t send_failures;
	uint32_t postponed;	/**< sent later than planned, by --quiet-us */
	uint32_t highest;	/**< 1 + highest number returned; 0: none yet */
	uint64_t lag_sum_ns;	/**< send time less planned time */
	uint64_t lag_max_ns;
	/** What the busy process got, and out of how much; 0 and 0: none ran. */
	uint64_t busy_cpu_ns;
	uint64_t busy_wall_ns;
	uint64_t busy_work;
	/** How long the watched CPU was idle, and out of how much; 0 and 0: none. */
	uint64_t idle_ns;
	uint64_t idle_wall_ns;
	struct hdr rtt;
};

/** Figures taken at the end, from all round trips, sorted. */
struct tally_summary {
	uint64_t min, avg, p50, p90, p99, p999, max, sum;
};

/** Make it ready, with all its memory.  @return 0, or -1 if there is none */
int tally_init(struct tally *tally, uint32_t warmup, uint32_t count,
	       uint64_t late_ns);
void tally_free(struct tally *tally);

/** A packet left, lag_ns after its planned time. */
void tally_sent(struct tally *tally, uint32_t sequence, uint64_t sent_ns,
		uint64_t lag_ns);

/** A packet will leave later than planned. */
void tally_postponed(struct tally *tally, uint32_t sequence);

/** A packet of this run came back. */
void tally_returned(struct tally *tally, uint32_t sequence, uint64_t now_ns);

/** Packets sent that did not come back; the warm-up's apart. */
uint32_t tally_lost(const struct tally *tally);
uint32_t tally_warmup_lost(const struct tally *tally);

/**
 * Exact minimum, average, maximum and percentiles (nearest rank).
 * @return 0, or -1 if nothing came back or there is no memory
 */
int tally_summarize(const struct tally *tally, struct tally_summary *summary);

#endif
