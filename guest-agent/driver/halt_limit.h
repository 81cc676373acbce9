/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_HALT_LIMIT_H
#define VMCALL_HALT_LIMIT_H

#include <linux/compiler.h>
#include <linux/hrtimer.h>
#include <linux/types.h>

/* Ends a halt that nothing else ends. */
struct halt_limit {
	struct hrtimer timer;
	bool over;
};

void halt_limit_init(struct halt_limit *limit);

/* Nothing of it is left to fire. */
void halt_limit_stop(struct halt_limit *limit);

/*
 * The halt that follows ends after @timeout_ns at the latest, or after the
 * module's limit if that is less or @timeout_ns is 0.
 */
void halt_limit_keep(struct halt_limit *limit, u64 timeout_ns);

static inline bool halt_limit_over(const struct halt_limit *limit)
{
	return READ_ONCE(limit->over);
}

#endif /* VMCALL_HALT_LIMIT_H */
