/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_WAKE_H
#define PROBE_WAKE_H

/**
 * @file
 * One way to wake a halted vCPU, measured: from the write that triggers it, in
 * the host, to the guest's first instruction thereafter.
 */

#include <stdbool.h>

#include <hdr.h>

#include "vm.h"

enum wake_kind {
	WAKE_BY_VECTOR,		/**< an interrupt is injected */
	WAKE_BY_PV_KICK,	/**< KVM's own, nothing is injected */
	WAKE_BY_DOORBELL,	/**< the series' yield */
	WAKE_KINDS
};

struct wake_path {
	enum wake_kind kind;
	bool from_other_cpu;
	bool halt_polling;
};

/** Where and how much. */
struct wake_plan {
	int vcpu_cpu;
	int other_cpu;		/**< -1: this machine has one */
	unsigned int wakes;	/**< of a round */
	bool is_realtime;	/**< threads run SCHED_FIFO */
};

enum wake_outcome {
	WAKE_MEASURED,
	/** The guest was not woken within a second. */
	WAKE_NEVER,
	/** This KVM does not know it, or refused it. */
	WAKE_ABSENT,
};

/** A round of wakes; their times in ns are added to both. */
enum wake_outcome wake_measure(struct vm *vm, const struct wake_plan *plan,
		const struct wake_path *path, struct hdr *round, struct hdr *all);

/** A word for it: "injected", "pv-kick", "vmcall". */
const char *wake_kind_name(enum wake_kind kind);

#endif /* PROBE_WAKE_H */
