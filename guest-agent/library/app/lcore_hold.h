/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef LCORE_HOLD_H
#define LCORE_HOLD_H

/**
 * @file
 * How the control thread has an lcore to itself.
 *
 * The lcore pays two stores and a load a poll for it, and no locked
 * instruction: who wants to hold it has every CPU that runs a thread of
 * this process pass a memory barrier, by membarrier(2).  The interrupt that
 * does so ends a yield or a halt of the vCPU, too.
 */

#include <stdbool.h>

#include "wait.h"

struct failure;
struct lcore;

/** Once. @return 0, or -1 with the failure filled in */
int lcore_hold_init(struct failure *failure);

/**
 * Have the lcore poll and do nothing else; ends its sleep, and disarms.
 * @return 0, or -1 with the failure filled in (ETIMEDOUT): it is not held
 */
int lcore_hold(struct lcore *l, struct failure *failure);

void lcore_release(struct lcore *l);

/** End its sleep, if it sleeps. */
void lcore_wake(struct lcore *l);

/**
 * Have the lcore enter a policy, on its own CPU, when it next polls: it may
 * never do so.  The control thread is called when it has.
 */
void lcore_ask_to_enter(struct lcore *l, enum wait_policy_id policy);

/** It has tried: `entered` says how it went. */
bool lcore_has_answered(const struct lcore *l);

/** While held: undo lcore_ask_to_enter(), whatever came of it. */
void lcore_take_back(struct lcore *l);

#endif /* LCORE_HOLD_H */
