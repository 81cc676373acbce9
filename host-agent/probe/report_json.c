/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "report.h"

#define PROBE_VERSION "0.1.0"

typedef unsigned long long ull;

/* Text of files of the system: what JSON does not take is left out. */
static void
print_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++)
		if (*text >= ' ' && *text != '"' && *text != '\\' && *text != 127)
			putchar(*text);
	putchar('"');
}

static void
print_latency(const struct hdr *hdr)
{
	const uint64_t count = hdr_count(hdr);

	/* Percentiles are of the histogram, whose three digits may round above
	 * the exact maximum.
	 */
	printf("{\"min\":%llu,\"avg\":%.3f,\"p50\":%llu,\"p90\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu}",
		(ull)hdr->min, (double)hdr->sum / (double)count,
		(ull)hdr_percentile(hdr, 500000), (ull)hdr_percentile(hdr, 900000),
		(ull)hdr_percentile(hdr, 990000), (ull)hdr_percentile(hdr, 999000),
		(ull)hdr->max);
}

static void
print_name(const struct wake_path *path)
{
	printf("%s%s%s", wake_kind_name(path->kind),
		path->from_other_cpu ? "-other-cpu" : "",
		path->halt_polling ? "-halt-polling" : "");
}

static int
print_histogram(const struct hdr *hdr)
{
	char *text = hdr_encode(hdr);

	if (text == NULL)
		return -1;
	printf("\"latency_ns\":");
	print_latency(hdr);
	printf(",\"latency_histogram\":\"%s\"", text);
	free(text);
	return 0;
}

static int
print_rounds(const struct finding *finding)
{
	const char *comma = "";
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		const ull count = hdr_count(&finding->rounds[i]);

		if (count == 0)
			continue;
		printf("%s{\"index\":%u,\"sent\":%llu,\"received\":%llu,",
			comma, i, count, count);
		comma = ",";
		if (print_histogram(&finding->rounds[i]) != 0)
			return -1;
		putchar('}');
	}
	return 0;
}

static int
print_path(const struct finding *finding)
{
	const ull count = hdr_count(&finding->latency);

	printf("{\"name\":\"");
	print_name(&finding->path);
	printf("\",\"title\":\"tiny VM, %s, from %s CPU%s\",",
		wake_kind_name(finding->path.kind),
		finding->path.from_other_cpu ? "another" : "its own",
		finding->path.halt_polling ? ", KVM polling" : "");
	printf("\"sent\":%llu,\"received\":%llu,\"lost\":0,\"duplicate\":0,\"late\":0,\"reordered\":0,",
		count, count);
	if (print_histogram(&finding->latency) != 0)
		return -1;
	printf(",\"added_ns\":null,\"exits_per_packet\":null,\"exits_by_reason\":null,\"timer_ticks_per_packet\":null,\"injected_interrupts_per_packet\":null,\"cpu_handed_back\":null,\"wake_latency_ns\":null,\"dataplane\":{},\"kvm\":{},\"rounds\":[");
	if (print_rounds(finding) != 0)
		return -1;
	printf("]}");
	return 0;
}

static void
print_begin(const struct findings *findings)
{
	const time_t now = time(NULL);
	char made[32];

	strftime(made, sizeof(made), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	printf("{\"format\":\"vmcall-result\",\"version\":3,\"made\":\"%s\",\"made_by\":{\"name\":\"vmcall-probe\",\"version\":\"" PROBE_VERSION "\"},",
		made);
	printf("\"clock\":\"%s\",\"quantity\":\"wake-latency\",\"resolution_ns\":1,\"retries\":0,\"failed_attempts\":[],",
		findings->clock);
	printf("\"traffic\":{\"pattern\":\"one wake at a time\",\"packets\":%u,\"rounds\":%d,\"interval_us\":null,\"idle_threshold_us\":null,\"handback_idle_threshold_us\":null,\"seed\":null},\"paths\":[",
		findings->plan->wakes * ROUNDS, ROUNDS);
}

/* The document has only what was measured. */
static void
print_absent(const struct findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->all[i];

		if (finding->outcome == WAKE_MEASURED)
			continue;
		printf(",\"");
		print_name(&finding->path);
		printf(": %s\"", finding_why_not(finding, findings->plan));
	}
}

static void
print_end(const struct findings *findings)
{
	const struct host *host = findings->host;
	unsigned int i;

	printf("],\"references\":[],\"targets\":[],\"platform\":{\"hostKernel\":");
	print_string(host->kernel);
	printf(",\"hostCpu\":");
	print_string(host->cpu);
	printf(",\"preemptRt\":\"%s\",\"postedInterrupts\":\"%s\",\"threads\":\"%s\"},\"notes\":[",
		host->is_preempt_rt ? "yes" : "no", host->posts ? "yes" : "no",
		findings->plan->is_realtime ? "SCHED_FIFO" : "SCHED_OTHER");
	print_string("From the write to an eventfd in the host to the first instruction of a guest without a kernel.");
	for (i = 0; i < host->note_count; i++) {
		putchar(',');
		print_string(host->notes[i]);
	}
	print_absent(findings);
	printf("],\"repeat\":\"vmcall-probe --json --cpu %d --wakes %u\"}\n",
		findings->plan->vcpu_cpu, findings->plan->wakes * ROUNDS);
}

int
report_json(const struct findings *findings)
{
	const char *comma = "";
	size_t i;

	print_begin(findings);
	for (i = 0; i < findings->count; i++) {
		if (findings->all[i].outcome != WAKE_MEASURED ||
		    hdr_count(&findings->all[i].latency) == 0)
			continue;
		printf("%s", comma);
		comma = ",";
		if (print_path(&findings->all[i]) != 0)
			return -1;
	}
	print_end(findings);
	return 0;
}
