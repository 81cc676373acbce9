/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef LCORE_POLICY_H
#define LCORE_POLICY_H

/**
 * @file
 * The wait policy of an lcore, as the control thread sets it: the lcore enters on
 * its own CPU, the control thread does what takes long.  A policy that does not
 * work is left for interrupts, and those for polling.
 */

#include "wait.h"

struct lcore;

/** While held: back to polling, with nothing left installed. */
void lcore_policy_leave(struct lcore *l);

/** The same of an lcore that runs. @return 0, or -1: it cannot be held */
int lcore_policy_stop(struct lcore *l);

/** Ask an lcore that polls to enter a policy. */
void lcore_policy_ask(struct lcore *l, enum wait_policy_id policy);

/** Finish what it has entered, and leave what broke. */
void lcore_policy_check(struct lcore *l);

/** Write doorbells again that somebody overwrote. */
void lcore_policy_check_doorbells(struct lcore *l);

#endif /* LCORE_POLICY_H */
