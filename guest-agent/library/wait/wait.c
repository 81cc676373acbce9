/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <string.h>

#include "wait.h"

static const struct wait_policy *const policies[WAIT_POLICIES] = {
	[WAIT_POLICY_POLL] = &wait_poll,
	[WAIT_POLICY_INTERRUPT] = &wait_interrupt,
	[WAIT_POLICY_PV_KICK] = &wait_pv_kick,
	[WAIT_POLICY_VMCALL] = &wait_vmcall,
#ifdef VMCALL_SIMULATION
	[WAIT_POLICY_SIMULATION] = &wait_simulation,
#endif
};

void
wait_context_init(struct wait_context *context, struct kvm_guest *kvm,
		int wake_fd)
{
	*context = (struct wait_context) {
		.kvm = kvm,
		.wake_fd = wake_fd,
		.claim = VCPU_CLAIM_NONE,
		.epoll_fd = -1,
	};
}

const struct wait_policy *
wait_policy_get(enum wait_policy_id id)
{
	return policies[id];
}

int
wait_policy_install(enum wait_policy_id id, struct wait_context *context,
		struct failure *failure)
{
	const struct wait_policy *policy = policies[id];

	return policy->install == NULL ? 0 : policy->install(context, failure);
}

void
wait_policy_remove(enum wait_policy_id id, struct wait_context *context)
{
	if (policies[id]->remove != NULL)
		policies[id]->remove(context);
}

bool
wait_policy_parse(const char *name, enum wait_policy_id *id)
{
	unsigned int i;

	for (i = 0; i < WAIT_POLICIES; i++) {
		if (strcmp(policies[i]->name, name) == 0) {
			*id = i;
			return true;
		}
	}
	return false;
}
