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
};

const struct wait_policy *
wait_policy_get(enum wait_policy_id id)
{
	return policies[id];
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
