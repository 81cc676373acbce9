// SPDX-License-Identifier: Apache-2.0
#include "idle.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

int idle_time_ns(int cpu, uint64_t *ns)
{
	FILE *list = fopen("/proc/timer_list", "re");
	bool here = false;
	char line[256];
	int number, ret = -1;

	if (list == NULL)
		return -1;
	while (ret != 0 && fgets(line, sizeof(line), list) != NULL) {
		if (sscanf(line, "cpu: %d", &number) == 1)
			here = number == cpu;
		else if (here && sscanf(line, " .idle_sleeptime : %" SCNu64, ns) == 1)
			ret = 0;
	}
	fclose(list);
	return ret;
}
