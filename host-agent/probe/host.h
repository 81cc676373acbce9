/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_HOST_H
#define PROBE_HOST_H

/** @file What this host is, and what of it affects the wake of a vCPU. */

#include <stdbool.h>

#define HOST_TEXT 128
#define HOST_NOTES 12

struct host {
	char kernel[HOST_TEXT];
	char cpu[HOST_TEXT];
	bool is_virtual;	/**< a hypervisor is below it */
	bool is_preempt_rt;
	/** KVM may post interrupts to a running vCPU (APICv, AVIC). */
	bool posts;
	/** What stands in the way, a sentence each. */
	char notes[HOST_NOTES][256];
	unsigned int note_count;
};

void host_read(struct host *host);

#endif /* PROBE_HOST_H */
