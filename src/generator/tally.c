// SPDX-License-Identifier: Apache-2.0
#include "tally.h"

#include <stdlib.h>
#include <string.h>

int tally_init(struct tally *tally, uint32_t warmup, uint32_t count,
	       uint64_t late_ns)
{
	memset(tally, 0, sizeof(*tally));
	hdr_reset(&tally->rtt);
	tally->warmup = warmup;
	tally->total = warmup + count;
	tally->late_ns = late_ns;
	tally->packets = calloc(tally->total, sizeof(*tally->packets));
	return tally->packets != NULL ? 0 : -1;
}

void tally_free(struct tally *tally)
{
	free(tally->packets);
	tally->packets = NULL;
}

void tally_sent(struct tally *tally, uint32_t sequence, uint64_t sent_ns,
		uint64_t lag_ns)
{
	tally->packets[sequence].sent_ns = sent_ns;
	if (sequence < tally->warmup)
		return;
	tally->sent++;
	tally->lag_sum_ns += lag_ns;
	if (lag_ns > tally->lag_max_ns)
		tally->lag_max_ns = lag_ns;
}

void tally_postponed(struct tally *tally, uint32_t sequence)
{
	if (sequence >= tally->warmup && sequence < tally->total)
		tally->postponed++;
}

void tally_returned(struct tally *tally, uint32_t sequence, uint64_t now_ns)
{
	struct tally_packet *packet;

	if (sequence >= tally->total ||
	    tally->packets[sequence].sent_ns == 0) {
		tally->foreign++;
		return;
	}
	packet = &tally->packets[sequence];
	if (packet->returned) {
		if (sequence >= tally->warmup)
			tally->duplicate++;
		return;
	}
	packet->returned = 1;
	packet->rtt_ns = now_ns - packet->sent_ns;
	if (sequence >= tally->warmup) {
		tally->received++;
		hdr_record(&tally->rtt, packet->rtt_ns);
		if (tally->late_ns != 0 && packet->rtt_ns > tally->late_ns)
			tally->late++;
		if (sequence + 1 < tally->highest)
			tally->reordered++;
	}
	if (sequence + 1 > tally->highest)
		tally->highest = sequence + 1;
}

static uint32_t lost_between(const struct tally *tally, uint32_t from, uint32_t to)
{
	uint32_t i, lost = 0;

	for (i = from; i < to; i++)
		lost += tally->packets[i].sent_ns != 0 &&
			!tally->packets[i].returned;
	return lost;
}

uint32_t tally_lost(const struct tally *tally)
{
	return lost_between(tally, tally->warmup, tally->total);
}

uint32_t tally_warmup_lost(const struct tally *tally)
{
	return lost_between(tally, 0, tally->warmup);
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest value that at least so many per thousand do not exceed. */
static uint64_t nearest_rank(const uint64_t *sorted, uint32_t count,
			     uint32_t per_mille)
{
	uint64_t rank = ((uint64_t)count * per_mille + 999) / 1000;

	return sorted[rank == 0 ? 0 : rank - 1];
}

int tally_summarize(const struct tally *tally, struct tally_summary *summary)
{
	uint64_t *sorted;
	uint32_t i, n = 0;

	memset(summary, 0, sizeof(*summary));
	if (tally->received == 0)
		return -1;
	sorted = malloc(tally->received * sizeof(*sorted));
	if (sorted == NULL)
		return -1;
	for (i = tally->warmup; i < tally->total; i++)
		if (tally->packets[i].returned)
			sorted[n++] = tally->packets[i].rtt_ns;
	qsort(sorted, n, sizeof(*sorted), compare);
	*summary = (struct tally_summary){
		.min = sorted[0],
		.avg = tally->rtt.sum / n,
		.p50 = nearest_rank(sorted, n, 500),
		.p90 = nearest_rank(sorted, n, 900),
		.p99 = nearest_rank(sorted, n, 990),
		.p999 = nearest_rank(sorted, n, 999),
		.max = sorted[n - 1],
		.sum = tally->rtt.sum,
	};
	free(sorted);
	return 0;
}
