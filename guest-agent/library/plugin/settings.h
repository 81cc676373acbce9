/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef SETTINGS_H
#define SETTINGS_H

/**
 * @file
 * The plugin's configuration file: /etc/vmcall/plugin.conf, or what the
 * environment variable VMCALL_PLUGIN_CONF names.  A line is "key = value" or a
 * comment after #:
 *
 *	policy = vmcall			poll by default: off
 *	idle_threshold_us = 300
 *	limit_us = 1000
 *	ports = 0000:00:05.0, net_tap1	names; all by default
 *	lcores = 1, 3-5			all by default
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_config.h>

#include <libvmcall.h>

#include "failure.h"

#define SETTINGS_FILE		"/etc/vmcall/plugin.conf"
#define SETTINGS_VARIABLE	"VMCALL_PLUGIN_CONF"

struct settings {
	struct vmcall_options options;
	char ports[512];		/**< empty: all */
	bool some_lcores;
	bool lcores[RTE_MAX_LCORE];	/**< if some_lcores */
};

/**
 * Read the file; where it is missing, unless it was named, all is as by default.
 * @return 0, or -1 with the failure filled in: file, line and what was wanted
 */
int settings_read(struct settings *settings, struct failure *failure);

/** Is a port of this name to be managed? */
bool settings_has_port(const struct settings *settings, const char *name);

#endif /* SETTINGS_H */
