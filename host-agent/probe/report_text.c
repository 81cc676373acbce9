/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "report.h"

static const char *const titles[WAKE_KINDS] = {
	[WAKE_BY_VECTOR] = "fixed vector, injected",
	[WAKE_BY_PV_KICK] = "PV kick, nothing injected",
	[WAKE_BY_DOORBELL] = "doorbell (patched KVM)",
};

static void
print_row(const struct finding *finding, const struct wake_plan *plan)
{
	const struct hdr *hdr = &finding->latency;

	printf("%-26s  %-9s  %-12s", titles[finding->path.kind],
		finding->path.from_other_cpu ? "another" : "its own",
		finding->path.halt_polling ? "polling" : "not polling");
	if (finding->outcome != WAKE_MEASURED) {
		printf("  %s\n", finding_why_not(finding, plan));
		return;
	}
	printf("%8llu %8llu %8llu %8llu\n", (unsigned long long)hdr->min,
		(unsigned long long)hdr_percentile(hdr, 500000),
		(unsigned long long)hdr_percentile(hdr, 990000),
		(unsigned long long)hdr->max);
}

/* The one that is compared: from another CPU or the own one, not polling. */
static const struct finding *
find(const struct findings *findings, enum wake_kind kind)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->all[i];

		if (finding->path.kind == kind && !finding->path.from_other_cpu &&
		    !finding->path.halt_polling &&
		    finding->outcome == WAKE_MEASURED)
			return finding;
	}
	return NULL;
}

static void
print_savings(const struct findings *findings)
{
	const struct finding *injected = find(findings, WAKE_BY_VECTOR);
	enum wake_kind kind;

	if (injected == NULL)
		return;
	puts("");
	for (kind = WAKE_BY_PV_KICK; kind < WAKE_KINDS; kind++) {
		const struct finding *other = find(findings, kind);

		if (other != NULL)
			printf("%s: %lld ns less than injected at the median, in KVM alone.\n",
				wake_kind_name(kind),
				(long long)hdr_percentile(&injected->latency, 500000) -
				(long long)hdr_percentile(&other->latency, 500000));
	}
	puts("A guest that is injected to then runs its handler, eventfd and epoll, which the others do not: not measured here.");
}

void
report_text(const struct findings *findings)
{
	const struct host *host = findings->host;
	size_t i;

	printf("%s, %s\n", host->kernel, host->cpu);
	printf("vCPU on CPU %d, %u wakes each in ten rounds, ns of the host's TSC; threads %s\n\n",
		findings->plan->vcpu_cpu, findings->plan->wakes * ROUNDS,
		findings->plan->is_realtime ? "SCHED_FIFO" :
		"of ordinary priority (root measures with SCHED_FIFO)");
	printf("%-26s  %-9s  %-12s%8s %8s %8s %8s\n", "woken by", "from CPU",
		"KVM", "min", "p50", "p99", "max");
	for (i = 0; i < findings->count; i++)
		print_row(&findings->all[i], findings->plan);
	print_savings(findings);
	puts("");
	for (i = 0; i < host->note_count; i++)
		printf("- %s\n", host->notes[i]);
}
