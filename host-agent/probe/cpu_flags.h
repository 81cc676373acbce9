/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CPU_FLAGS_H
#define PROBE_CPU_FLAGS_H

#include <stdbool.h>

/**
 * Is it among the flags of /proc/cpuinfo, which lack what the kernel found to be
 * off?  "svm" and "vmx" also where the firmware has locked them.
 */
bool cpu_flag(const char *name);

#endif /* PROBE_CPU_FLAGS_H */
