/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef APP_SUMMARY_H
#define APP_SUMMARY_H

/** @file All lcores that poll queues of ours, taken together. */

#include <stdint.h>

#include "doorbell.h"
#include "failure.h"
#include "lcore.h"
#include "wait.h"
#include "wake_stats.h"

struct app_summary {
	unsigned int lcores;	/**< that poll queues of ours */
	unsigned int queues;
	/** Lcores on which the policy wanted is not in force. */
	unsigned int refused;
	/** The policy wanted, if it is in force anywhere or nobody polls yet;
	 * else that of the first lcore.
	 */
	enum wait_policy_id policy;
	enum doorbell_state doorbell;	/**< the worst */
	struct failure failure;		/**< of the first that refused */
	struct lcore_counters counters;
	struct wake_stats waits;
};

/**
 * Lcores go on counting meanwhile.
 * @return to be freed by the caller; NULL if there is no memory
 */
struct app_summary *app_summary_take(void);

#endif /* APP_SUMMARY_H */
