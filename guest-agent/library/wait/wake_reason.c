/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include "wait.h"

static const char *const reasons[WAKE_REASONS] = {
	[WAKE_PACKET] = "packet",
	[WAKE_TIMEOUT] = "timeout",
	[WAKE_INTERRUPT] = "interrupt",
	[WAKE_KICK] = "kick",
	[WAKE_CONTROL] = "control",
	[WAKE_SPURIOUS] = "spurious",
	[WAKE_OFF] = "off",
	[WAKE_ERROR] = "error",
};

const char *
wake_reason_name(enum wake_reason reason)
{
	return reasons[reason];
}
