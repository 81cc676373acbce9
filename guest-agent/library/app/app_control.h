/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

/**
 * @file
 * The control thread: finds out who polls what, switches policies
 * beside the lcores, and keeps them working.
 */

#include <stdbool.h>
#include <stdint.h>

#include "wait.h"

struct failure;
struct watched_port;

/** Start it. @return 0, or -1 with the failure filled in */
int app_control_start(enum wait_policy_id policy, struct failure *failure);

bool app_control_runs(void);

/** The policy of all lcores from now on. */
void app_control_want(enum wait_policy_id policy);

enum wait_policy_id app_control_wanted(void);

/** Each lcore has entered what is wanted, or has said why not. */
bool app_control_is_settled(void);

/** Set all counters to zero. @return 0, or -1 with the failure filled in */
int app_control_reset_counters(struct failure *failure);

/** Whether one lcore alone polls queues of ours. */
bool app_control_has_one_lcore(void);

/** Watch a port. @return 0 or a negative errno value */
int app_control_watch(uint16_t port);

/** Leave it alone. @return 0 or a negative errno value */
int app_control_unwatch(uint16_t port);

#endif /* APP_CONTROL_H */
