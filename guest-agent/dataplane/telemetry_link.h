/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef TELEMETRY_LINK_H
#define TELEMETRY_LINK_H

/** @file A connection to the telemetry socket of a DPDK program. */

#include <stddef.h>

/** Longest command, longest reply (DPDK's own limit is 16 KiB), bytes. */
#define TELEMETRY_COMMAND_MAX	1000
#define TELEMETRY_REPLY_MAX	(64 * 1024)
#define TELEMETRY_TIMEOUT_MS	15000

/**
 * Connect and read the greeting.
 * @return a file descriptor, -1 with errno set
 */
int telemetry_connect(const char *path);

/**
 * Send a command, wait for its reply.
 * @param reply receives the JSON text, ended by a null
 * @return 0, or -1 with errno set
 */
int telemetry_ask(int fd, const char *command, char *reply, size_t size);

#endif /* TELEMETRY_LINK_H */
