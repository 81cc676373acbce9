/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef TELEMETRY_H
#define TELEMETRY_H

/**
 * @file
 * The DPDK telemetry commands under /vmcall/.  README.md has the replies.
 */

struct failure;
struct forward;
struct keeper;
struct kvm_guest;

/** What the commands show and act on; stays valid while the program runs. */
struct telemetry_context {
	struct forward *forward;
	const struct kvm_guest *kvm;
	const struct keeper *keeper;
	unsigned int lcore;
};

/** Register the commands. @return 0, or -1 with the failure filled in */
int telemetry_register(const struct telemetry_context *context,
		struct failure *failure);

#endif /* TELEMETRY_H */
