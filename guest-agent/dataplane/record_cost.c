/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */

/**
 * @file
 * Counts nothing but what recording costs: run under an instruction counter
 * such as valgrind's callgrind, once with and once without; the difference,
 * divided by the number of packets, is the cost of one.
 *
 *	record-cost nothing|wake|packet PACKETS
 *	record-cost values < NUMBERS
 *
 * "wake" records a wait with its latency, "packet" all that is counted from
 * one packet to the next when the lcore sleeps before each: two empty polls,
 * the wait, and the poll that finds the packet.
 *
 * "values" records what it reads and prints the histogram, so that its counts
 * can be compared with another implementation's.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

#define SAMPLES		1024	/* a power of two */
#define TSC_KHZ		2100000

struct sample {
	struct wake wake;
	uint64_t before;
	uint64_t after;
};

static struct sample samples[SAMPLES];
static struct stats stats;

/* From 1 us to 1 s, so that many buckets and both branches of the extremes are
 * met; the same in every run.
 */
static void
make_samples(void)
{
	uint64_t random = 1;
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		uint64_t scale, ns;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		scale = 1000ULL << (random >> 59 & 15);
		ns = scale + (random >> 32) % scale;
		samples[i].before = 1000000;
		samples[i].wake.reason = WAKE_PACKET;
		samples[i].wake.ring_tsc = 2000000 + i;
		samples[i].after = samples[i].wake.ring_tsc +
			ns * TSC_KHZ / 1000000;
	}
}

/* Each loop reads its sample and keeps it in registers, as the lcore has it;
 * the compiler may not know more of it than that.
 */
#define FOR_EACH_SAMPLE(n, wake, before, after)				\
	for (; n > 0; n--) {						\
		const struct sample *sample = &samples[n & (SAMPLES - 1)]; \
		struct wake wake = sample->wake;			\
		uint64_t before = sample->before, after = sample->after; \
		__asm__ volatile("" : "+r"(wake.reason),		\
			"+r"(wake.ring_tsc), "+r"(before), "+r"(after) :: "memory");

static __rte_noinline void
run_nothing(uint64_t n, uint64_t tsc_khz)
{
	FOR_EACH_SAMPLE(n, wake, before, after)
		uint16_t one = 1;

		__asm__ volatile("" : "+r"(one) : "r"(tsc_khz));
	}
}

static __rte_noinline void
run_wake(uint64_t n, uint64_t tsc_khz)
{
	FOR_EACH_SAMPLE(n, wake, before, after)
		uint16_t one = 1;

		__asm__ volatile("" : "+r"(one));
		wake_stats_count(&stats.waits, &wake, before, after, tsc_khz);
	}
}

static __rte_noinline void
run_packet(uint64_t n, uint64_t tsc_khz)
{
	FOR_EACH_SAMPLE(n, wake, before, after)
		uint16_t one = 1;

		__asm__ volatile("" : "+r"(one));
		/* Not one addition of all: there are calls between them. */
		stats.polls++;
		__asm__ volatile("" ::: "memory");
		stats.polls++;
		__asm__ volatile("" ::: "memory");
		wake_stats_count(&stats.waits, &wake, before, after, tsc_khz);
		__asm__ volatile("" ::: "memory");
		stats.polls++;
		__asm__ volatile("" ::: "memory");
		stats_count_packets(&stats, one, one);
	}
}

static int
record_values(void)
{
	struct hdr *hdr = &stats.waits.latency;
	unsigned long long value;
	char *text;

	while (scanf("%llu", &value) == 1)
		hdr_record(hdr, value);
	text = hdr_encode(hdr);
	if (text == NULL)
		return 1;
	printf("{\"count\":\"%llu\",\"sum\":\"%llu\",\"min\":\"%llu\",\"max\":\"%llu\",\"data\":\"%s\"}\n",
		(unsigned long long)hdr_count(hdr),
		(unsigned long long)hdr->sum, (unsigned long long)hdr->min,
		(unsigned long long)hdr->max, text);
	free(text);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(uint64_t n, uint64_t tsc_khz);
	} modes[] = {
		{ "nothing", run_nothing },
		{ "wake", run_wake },
		{ "packet", run_packet },
	};
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned int i;

	make_samples();
	stats_reset(&stats);
	if (argc == 2 && strcmp(argv[1], "values") == 0)
		return record_values();
	for (i = 0; n > 0 && i < RTE_DIM(modes); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		modes[i].run(n, TSC_KHZ);
		printf("%llu\n", (unsigned long long)hdr_count(&stats.waits.latency));
		return 0;
	}
	fprintf(stderr, "usage: record-cost nothing|wake|packet PACKETS, or values\n");
	return 2;
}
