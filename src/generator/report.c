// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_pattern(const struct pattern *p)
{
	printf("\"pattern\":\"%s\"", pattern_name(p));
	switch (p->kind) {
	case PATTERN_CONSTANT:
		printf(",\"interval_ns\":%" PRIu64, p->interval_ns);
		break;
	case PATTERN_UNIFORM:
		printf(",\"low_ns\":%" PRIu64 ",\"high_ns\":%" PRIu64, p->low_ns,
		       p->high_ns);
		break;
	case PATTERN_POISSON:
		printf(",\"mean_ns\":%" PRIu64, p->mean_ns);
		break;
	case PATTERN_BURST:
		printf(",\"burst\":%u,\"gap_ns\":%" PRIu64, p->burst, p->gap_ns);
		break;
	case PATTERN_PAIR:
		printf(",\"gap_ns\":%" PRIu64, p->gap_ns);
		/* fall through */
	case PATTERN_SWEEP:
		printf(",\"from_ns\":%" PRIu64 ",\"to_ns\":%" PRIu64
		       ",\"step_ns\":%" PRIu64, p->low_ns, p->high_ns, p->step_ns);
		break;
	}
}

static void print_set_up(const struct options *o)
{
	char mac[sizeof("00:00:00:00:00:00")], ip[INET_ADDRSTRLEN];
	const uint8_t *m = o->destination_mac.ether_addr_octet;

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
		 m[2], m[3], m[4], m[5]);
	inet_ntop(AF_INET, &o->destination_ip, ip, sizeof(ip));
	printf("{\"generator\":\"vmcall-generator\",\"clock\":\"CLOCK_MONOTONIC\","
	       "\"interface\":\"%s\",", o->interface);
	print_pattern(&o->pattern);
	printf(",\"seed\":%" PRIu64 ",\"count\":%u,\"warmup\":%u,\"size\":%u,"
	       "\"destination_mac\":\"%s\",\"destination_ip\":\"%s\","
	       "\"fifo_priority\":%u,\"cpu\":%d,\"linger_ms\":%u,"
	       "\"late_us\":%" PRIu64 ",\"quiet_us\":%" PRIu64
	       ",\"qdisc_bypass\":%s", o->seed, o->count,
	       o->warmup, o->size, mac, ip, o->fifo_priority, o->cpu,
	       o->linger_ms, o->late_us, o->quiet_us, o->qdisc_bypass ? "true" : "false");
}

static void print_counts(const struct tally *t)
{
	printf(",\"sent\":%u,\"received\":%u,\"lost\":%u,\"duplicate\":%u,"
	       "\"late\":%u,\"reordered\":%u,\"foreign\":%u,"
	       "\"send_failures\":%u,\"postponed\":%u,\"warmup_lost\":%u", t->sent,
	       t->received, tally_lost(t), t->duplicate, t->late, t->reordered,
	       t->foreign, t->send_failures, t->postponed, tally_warmup_lost(t));
	printf(",\"send_lag_ns\":{\"avg\":%" PRIu64 ",\"max\":%" PRIu64 "}",
	       t->sent != 0 ? t->lag_sum_ns / t->sent : 0, t->lag_max_ns);
}

static void print_rtt(const struct tally *tally)
{
	struct tally_summary s;

	if (tally_summarize(tally, &s) != 0) {
		printf(",\"rtt_ns\":null");
		return;
	}
	printf(",\"rtt_ns\":{\"min\":%" PRIu64 ",\"avg\":%" PRIu64
	       ",\"p50\":%" PRIu64 ",\"p90\":%" PRIu64 ",\"p99\":%" PRIu64
	       ",\"p999\":%" PRIu64 ",\"max\":%" PRIu64 ",\"sum\":%" PRIu64 "}"
	       ",\"percentiles\":\"exact, nearest rank\"", s.min, s.avg, s.p50,
	       s.p90, s.p99, s.p999, s.max, s.sum);
}

static void print_busy(const struct tally *t)
{
	if (t->busy_wall_ns != 0)
		printf(",\"busy\":{\"cpu_ns\":%" PRIu64 ",\"wall_ns\":%" PRIu64
		       ",\"work\":%" PRIu64 "}", t->busy_cpu_ns, t->busy_wall_ns,
		       t->busy_work);
	if (t->idle_wall_ns != 0)
		printf(",\"watched\":{\"idle_ns\":%" PRIu64 ",\"wall_ns\":%" PRIu64
		       "}", t->idle_ns, t->idle_wall_ns);
}

static void print_lists(const struct tally *t)
{
	const struct tally_packet *p;
	uint32_t i, n = 0;

	printf(",\"first_lost\":[");
	for (i = t->warmup; i < t->total && n < TALLY_LIST_MAX; i++) {
		p = &t->packets[i];
		if (p->sent_ns != 0 && !p->returned)
			printf("%s%u", n++ != 0 ? "," : "", i);
	}
	printf("],\"first_late\":[");
	for (n = 0, i = t->warmup; i < t->total && n < TALLY_LIST_MAX; i++) {
		p = &t->packets[i];
		if (t->late_ns != 0 && p->returned && p->rtt_ns > t->late_ns)
			printf("%s{\"sequence\":%u,\"rtt_ns\":%" PRIu64 "}",
			       n++ != 0 ? "," : "", i, p->rtt_ns);
	}
	printf("]");
}

int report_json(const struct options *options, const struct tally *tally)
{
	char *histogram = hdr_encode(&tally->rtt);

	if (histogram == NULL) {
		fputs("vmcall-generator: no memory to encode the histogram\n",
		      stderr);
		return -1;
	}
	print_set_up(options);
	print_counts(tally);
	print_rtt(tally);
	printf(",\"histogram\":\"%s\",\"encoding\":\"hdr-v2-compressed-base64\"",
	       histogram);
	print_busy(tally);
	print_lists(tally);
	printf("}\n");
	free(histogram);
	return fflush(stdout);
}

int report_text(const struct options *options, const struct tally *tally)
{
	struct tally_summary s;

	printf("%s, %s: sent %u, received %u, lost %u, late %u, duplicate %u, reordered %u\n",
	       options->interface, pattern_name(&options->pattern), tally->sent,
	       tally->received, tally_lost(tally), tally->late, tally->duplicate,
	       tally->reordered);
	if (tally_summarize(tally, &s) == 0)
		printf("round trip, us: min %.3f  avg %.3f  max %.3f  p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f\n",
		       (double)s.min / 1e3, (double)s.avg / 1e3,
		       (double)s.max / 1e3, (double)s.p50 / 1e3,
		       (double)s.p90 / 1e3, (double)s.p99 / 1e3,
		       (double)s.p999 / 1e3);
	return fflush(stdout);
}

int report_samples(const struct options *options, const struct tally *tally)
{
	const struct tally_packet *p;
	FILE *file;
	uint32_t i;

	if (options->samples == NULL)
		return 0;
	file = fopen(options->samples, "we");
	if (file == NULL)
		goto failed;
	fputs("sequence,sent_ns,rtt_ns\n", file);
	for (i = tally->warmup; i < tally->total; i++) {
		p = &tally->packets[i];
		if (p->returned)
			fprintf(file, "%u,%" PRIu64 ",%" PRIu64 "\n", i,
				p->sent_ns, p->rtt_ns);
		else if (p->sent_ns != 0)
			fprintf(file, "%u,%" PRIu64 ",\n", i, p->sent_ns);
	}
	if (fclose(file) == 0)
		return 0;
failed:
	fprintf(stderr, "vmcall-generator: --samples %s: %s\n", options->samples,
		strerror(errno));
	return -1;
}
