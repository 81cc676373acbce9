// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's: a PV spinlock that is contended exactly between the program's last
 * poll and the driver's HLT.
 *
 * The lock's waiter halts its vCPU, and that HLT takes the NIC's kick.  A kprobe
 * at the driver's halt_wait() waits for a lock which a thread on another CPU
 * holds most of the time.  Whoever halts thereafter without a look sleeps on a
 * packet that has come.
 *
 *	echo 1 > /sys/module/vmcall_contend/parameters/on
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/spinlock.h>

static unsigned int cpu;
module_param(cpu, uint, 0444);
MODULE_PARM_DESC(cpu, "where the lock's holder runs");
static unsigned int hold_us = 2000;
module_param(hold_us, uint, 0644);
static unsigned int idle_us = 1000;
module_param(idle_us, uint, 0644);
static bool on;
module_param(on, bool, 0644);
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

static int wait_for_lock(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long flags;

	if (!READ_ONCE(on) || !raw_spin_is_locked(&lock))
		return 0;
	waits++;
	raw_spin_lock_irqsave(&lock, flags);
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "vmcall:halt_wait",
	.pre_handler = wait_for_lock,
};

static int __init contend_init(void)
{
	int ret;

	holder = kthread_create(hold, NULL, "vmcall_contend");
	if (IS_ERR(holder))
		return PTR_ERR(holder);
	kthread_bind(holder, cpu);
	wake_up_process(holder);
	ret = register_kprobe(&probe);
	if (ret)
		kthread_stop(holder);
	return ret;
}

static void __exit contend_exit(void)
{
	unregister_kprobe(&probe);
	kthread_stop(holder);
}

module_init(contend_init);
module_exit(contend_exit);
MODULE_DESCRIPTION("A contended PV spinlock before the vmcall driver's HLT, for the lab");
MODULE_LICENSE("GPL");
