/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <rte_common.h>

#include "wait.h"

/* Polling: the CPU is never given away. */

static int
poll_enter(struct wait_context *context __rte_unused,
	   struct failure *failure __rte_unused)
{
	return 0;
}

static void
poll_leave(struct wait_context *context __rte_unused)
{
}

const struct wait_policy wait_poll = {
	.name = "poll",
	.enter = poll_enter,
	.leave = poll_leave,
};
