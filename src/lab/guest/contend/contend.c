// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's: a PV spinlock that is contended exactly between the program's last
 * poll and the driver's HLT.
 *
 * The lock's waiter halts its vCPU, and that HLT takes the NIC's kick.  Built into
 * the driver (contend.h), it waits for a lock that a thread on another CPU holds
 * half of the time.  Whoever halts thereafter without a look sleeps on a packet
 * that has come.  The holder is never stopped: this build is not unloaded.
 *
 *	echo 1 > /sys/module/vmcall/parameters/on
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include "contend.h"

static unsigned int cpu;
module_param(cpu, uint, 0444);
MODULE_PARM_DESC(cpu, "where the lock's holder runs");
static unsigned int hold_us = 2000;
module_param(hold_us, uint, 0644);
static unsigned int idle_us = 1000;
module_param(idle_us, uint, 0644);
static bool on;
static ulong waits;
module_param(waits, ulong, 0444);
MODULE_PARM_DESC(waits, "times the lock was found held");

static DEFINE_RAW_SPINLOCK(lock);
static struct task_struct *holder;

static int hold(void *unused)
{
	while (!kthread_should_stop()) {
		unsigned int us = READ_ONCE(hold_us);
		unsigned long flags;

		if (READ_ONCE(on)) {
			raw_spin_lock_irqsave(&lock, flags);
			for (; us; us--)
				udelay(1);
			raw_spin_unlock_irqrestore(&lock, flags);
		}
		usleep_range(READ_ONCE(idle_us), READ_ONCE(idle_us) + 100);
	}
	return 0;
}

void contend_before_halt(void)
{
	unsigned long flags;

	if (!READ_ONCE(on))
		return;
	if (raw_spin_is_locked(&lock))
		waits++;
	raw_spin_lock_irqsave(&lock, flags);
	raw_spin_unlock_irqrestore(&lock, flags);
}

static int set_on(const char *text, const struct kernel_param *parameter)
{
	int ret = param_set_bool(text, parameter);

	if (ret || holder || !on)
		return ret;
	holder = kthread_create(hold, NULL, "vmcall_contend");
	if (IS_ERR(holder)) {
		ret = PTR_ERR(holder);
		holder = NULL;
		return ret;
	}
	kthread_bind(holder, cpu);
	wake_up_process(holder);
	return 0;
}

static const struct kernel_param_ops on_ops = {
	.set = set_on,
	.get = param_get_bool,
};
module_param_cb(on, &on_ops, &on, 0644);
