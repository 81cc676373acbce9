/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef LOG_H
#define LOG_H

#include <rte_log.h>

/** EAL's --log-level=lib.vmcall:LEVEL. */
extern int vmcall_log_type;

#define LOG(level, format, ...) \
	rte_log(RTE_LOG_ ## level, (uint32_t)vmcall_log_type, \
		"vmcall: " format "\n", ## __VA_ARGS__)

#endif /* LOG_H */
