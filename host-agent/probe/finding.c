/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

static const struct wake_path paths[] = {
	{ WAKE_BY_VECTOR, false, false },
	{ WAKE_BY_PV_KICK, false, false },
	{ WAKE_BY_DOORBELL, false, false },
	{ WAKE_BY_VECTOR, true, false },
	{ WAKE_BY_PV_KICK, true, false },
	{ WAKE_BY_DOORBELL, true, false },
	{ WAKE_BY_VECTOR, true, true },
	{ WAKE_BY_PV_KICK, true, true },
	{ WAKE_BY_DOORBELL, true, true },
};

#define PATHS (sizeof(paths) / sizeof(paths[0]))

static void
measure_round(struct findings *findings, struct vm *vm, unsigned int round)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->all[i];

		/* What fails once is left: it took a second. */
		if (finding->outcome != WAKE_MEASURED)
			continue;
		hdr_reset(&finding->rounds[round]);
		finding->outcome = wake_measure(vm, findings->plan,
			&finding->path, &finding->rounds[round],
			&finding->latency);
	}
}

void
findings_measure(struct findings *findings, struct vm *vm)
{
	static struct finding all[PATHS];
	unsigned int round;
	size_t i;

	findings->all = all;
	findings->count = PATHS;
	for (i = 0; i < PATHS; i++) {
		all[i].path = paths[i];
		all[i].outcome = WAKE_MEASURED;
		hdr_reset(&all[i].latency);
	}
	for (round = 0; round < ROUNDS; round++)
		measure_round(findings, vm, round);
}

const char *
finding_why_not(const struct finding *finding, const struct wake_plan *plan)
{
	if (finding->outcome == WAKE_NEVER)
		return "not woken within a second";
	if (finding->path.from_other_cpu && plan->other_cpu < 0)
		return "there is no other CPU";
	if (finding->path.kind == WAKE_BY_DOORBELL)
		return "this KVM is without the series";
	return "this KVM does not take halt polling from a VMM";
}
