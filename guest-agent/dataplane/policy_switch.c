/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <pthread.h>

#include "control.h"
#include "failure.h"
#include "forward.h"
#include "policy_switch.h"

struct request {
	struct forward *forward;
	unsigned int timeout_ms;
};

static int
ask(const struct request *asker, enum control_kind kind,
		enum wait_policy_id policy, struct failure *failure)
{
	const struct control_request request = {
		.kind = kind,
		.policy = policy,
	};

	return control_submit(asker->forward->control, &request,
		asker->timeout_ms, failure);
}

/* The lcore polls and does not sleep, so that nothing waits for the NIC. */
static int
switch_held(const struct request *asker, enum wait_policy_id policy,
		struct failure *failure)
{
	struct forward *forward = asker->forward;
	const enum wait_policy_id old = forward->policy;
	struct failure ignored;
	int ret;

	wait_policy_remove(old, forward->wait);
	ret = ask(asker, CONTROL_SET_POLICY, policy, failure);
	if (ret == 0) {
		ret = wait_policy_install(policy, forward->wait, failure);
		if (ret == 0)
			return 0;
		ask(asker, CONTROL_SET_POLICY, old, &ignored);
	}
	if (wait_policy_install(forward->policy, forward->wait, &ignored) != 0)
		ask(asker, CONTROL_SET_POLICY, WAIT_POLICY_INTERRUPT, &ignored);
	return ret;
}

static int
switch_from(const struct request *asker, enum wait_policy_id policy,
		struct failure *failure)
{
	const enum wait_policy_id old = asker->forward->policy;
	struct failure ignored;
	int ret;

	if (policy == old)
		return 0;
	if (wait_policy_get(old)->remove == NULL &&
	    wait_policy_get(policy)->install == NULL)
		return ask(asker, CONTROL_SET_POLICY, policy, failure);
	if (ask(asker, CONTROL_HOLD, old, failure) != 0)
		return -1;
	ret = switch_held(asker, policy, failure);
	ask(asker, CONTROL_RELEASE, policy, &ignored);
	return ret;
}

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

int
policy_switch(struct forward *forward, enum wait_policy_id policy,
		unsigned int timeout_ms, struct failure *failure)
{
	const struct request asker = {
		.forward = forward,
		.timeout_ms = timeout_ms,
	};
	int ret;

	pthread_mutex_lock(&one_at_a_time);
	ret = switch_from(&asker, policy, failure);
	pthread_mutex_unlock(&one_at_a_time);
	return ret;
}

/* The lcore polls meanwhile.  What is in the entry is newer than what was saved
 * from it, so it is read again.
 */
static int
renew(const struct request *asker, struct failure *failure)
{
	struct forward *forward = asker->forward;
	const enum wait_policy_id policy = forward->policy;
	struct failure ignored;
	int ret;

	if (ask(asker, CONTROL_HOLD, policy, failure) != 0)
		return -1;
	wait_policy_remove(policy, forward->wait);
	ret = wait_policy_install(policy, forward->wait, failure);
	if (ret != 0)
		ask(asker, CONTROL_SET_POLICY, WAIT_POLICY_INTERRUPT, &ignored);
	ask(asker, CONTROL_RELEASE, policy, &ignored);
	return ret;
}

int
policy_renew(struct forward *forward, unsigned int timeout_ms,
		struct failure *failure)
{
	const struct request asker = {
		.forward = forward,
		.timeout_ms = timeout_ms,
	};
	int ret;

	pthread_mutex_lock(&one_at_a_time);
	ret = renew(&asker, failure);
	pthread_mutex_unlock(&one_at_a_time);
	return ret;
}
