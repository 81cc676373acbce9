// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmcall: lets a program in a KVM guest give its vCPU back to the host, by the
 * yield hypercall where the host has it, by HLT and KVM's PV kick on any other.
 */
#include <linux/module.h>

#include "device.h"
#include "hotplug.h"
#include "power.h"

static int __init vmcall_init(void)
{
	int ret = hotplug_register();

	if (ret)
		return ret;
	ret = power_register();
	if (ret)
		goto hotplug;
	ret = vmcall_device_register();
	if (ret)
		goto power;
	return 0;

power:
	power_unregister();
hotplug:
	hotplug_unregister();
	return ret;
}

static void __exit vmcall_exit(void)
{
	vmcall_device_unregister();
	power_unregister();
	hotplug_unregister();
}

module_init(vmcall_init);
module_exit(vmcall_exit);
MODULE_DESCRIPTION("A KVM guest's vCPU, given back while a program waits");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
