// SPDX-License-Identifier: Apache-2.0
#ifndef IDLE_H
#define IDLE_H

#include <stdint.h>

/**
 * Time a CPU has been idle since the boot, interrupts it took meanwhile not
 * among it, ns: idle_sleeptime of /proc/timer_list (linux:
 * kernel/time/timer_list.c), which an idle period enters at its end.  For root.
 * @return 0, or -1 where the kernel does not say
 */
int idle_time_ns(int cpu, uint64_t *ns);

#endif
