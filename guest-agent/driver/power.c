// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suspend, hibernation, reboot and kexec leave nothing on, by the driver core's
 * own way of telling: a platform device that has nothing but these callbacks.
 * Tasks are frozen when it is told to sleep, so that no program sees a gap.
 */
#include <linux/err.h>
#include <linux/platform_device.h>
#include <linux/pm.h>

#include "claim.h"
#include "power.h"

static int sleep(struct device *dev)
{
	claims_suspend_all();
	return 0;
}

static int wake(struct device *dev)
{
	claims_resume_all();
	return 0;
}

static const struct dev_pm_ops pm = {
	.suspend_noirq = sleep,
	.resume_noirq = wake,
	.freeze_noirq = sleep,
	.thaw_noirq = wake,
	.poweroff_noirq = sleep,
	.restore_noirq = wake,
};

/* Reboot, power off, kexec: drivers/base/core.c, device_shutdown(). */
static void shutdown(struct platform_device *device)
{
	claims_shut_down();
}

static int probe(struct platform_device *device)
{
	return 0;
}

static struct platform_driver driver = {
	.driver = { .name = "vmcall", .pm = &pm },
	.probe = probe,
	.shutdown = shutdown,
};

static struct platform_device *device;

int power_register(void)
{
	int ret = platform_driver_register(&driver);

	if (ret)
		return ret;
	device = platform_device_register_simple("vmcall", PLATFORM_DEVID_NONE,
						 NULL, 0);
	if (!IS_ERR(device))
		return 0;
	platform_driver_unregister(&driver);
	return PTR_ERR(device);
}

void power_unregister(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
}
