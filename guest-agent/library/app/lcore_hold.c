/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failure.h"
#include "lcore.h"
#include "lcore_hold.h"

#define LOOK_US		100
#define PATIENCE_US	2000000

static int
membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

int
lcore_hold_init(struct failure *failure)
{
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
		return 0;
	return failure_errno(failure, errno,
		"membarrier: %s (Linux 4.14 or newer is needed)",
		strerror(errno));
}

void
lcore_wake(struct lcore *l)
{
	const uint64_t one = 1;

	/* It fails only if the counter is full: then it is set. */
	if (write(l->wait.wake_fd, &one, sizeof(one)) < 0)
		errno = 0;
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

int
lcore_hold(struct lcore *l, struct failure *failure)
{
	unsigned int us;

	__atomic_fetch_or(&l->attention, LCORE_HELD, __ATOMIC_SEQ_CST);
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	for (us = 0; us < PATIENCE_US; us += LOOK_US) {
		if (__atomic_load_n(&l->busy, __ATOMIC_ACQUIRE) == 0) {
			lcore_stop_waiting(l);
			return 0;
		}
		if (__atomic_load_n(&l->is_asleep, __ATOMIC_ACQUIRE))
			lcore_wake(l);
		usleep(LOOK_US);
	}
	lcore_release(l);
	return failure_set(failure, "ETIMEDOUT",
		"lcore %u does not come back: does its CPU get time?", l->id);
}

void
lcore_release(struct lcore *l)
{
	__atomic_fetch_and(&l->attention, ~LCORE_HELD, __ATOMIC_RELEASE);
}

void
lcore_ask_to_enter(struct lcore *l, enum wait_policy_id policy)
{
	l->entering = policy;
	l->is_entering = true;
	__atomic_fetch_or(&l->attention, LCORE_ENTER, __ATOMIC_RELEASE);
}

bool
lcore_has_answered(const struct lcore *l)
{
	return (__atomic_load_n(&l->attention, __ATOMIC_ACQUIRE) &
		LCORE_ENTER) == 0;
}

void
lcore_take_back(struct lcore *l)
{
	if (!l->is_entering)
		return;
	if (lcore_has_answered(l) && l->entered == 0)
		wait_policy_get(l->entering)->leave(&l->wait);
	__atomic_fetch_and(&l->attention, ~LCORE_ENTER, __ATOMIC_SEQ_CST);
	l->is_entering = false;
}
