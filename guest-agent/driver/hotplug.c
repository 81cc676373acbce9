// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that go and come.  One that goes has nothing on; one that comes back has
 * again what its holder took.  The holder's thread was moved meanwhile, and is
 * told so by its next wait.
 */
#include <linux/cpuhotplug.h>

#include "claim.h"
#include "hotplug.h"

static enum cpuhp_state state;

static int online(unsigned int cpu)
{
	claims_resume_cpu(cpu);
	return 0;
}

static int offline(unsigned int cpu)
{
	claims_suspend_cpu(cpu);
	return 0;
}

int hotplug_register(void)
{
	int ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "x86/vmcall:online",
					    online, offline);

	if (ret < 0)
		return ret;
	state = ret;
	return 0;
}

void hotplug_unregister(void)
{
	cpuhp_remove_state_nocalls(state);
}
