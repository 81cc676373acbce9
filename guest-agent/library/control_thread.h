/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef CONTROL_THREAD_H
#define CONTROL_THREAD_H

struct failure;

/**
 * Start a thread for work beside the data path: away from the lcores' CPUs
 * (DPDK's control threads), detached.
 * @param name up to 15 characters
 * @return 0, or -1 with the failure filled in
 */
int control_thread_start(const char *name, void (*run)(void *arg), void *arg,
		struct failure *failure);

#endif /* CONTROL_THREAD_H */
