// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds which vCPU.  One open file at most holds one: the yield's permission
 * is the vCPU's, not the thread's, so two holders could take each other's rings.
 */
#include <linux/cpu.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>

#include "claim.h"
#include "halt_poll.h"
#include "halt_test.h"
#include "hypervisor.h"
#include "permission.h"

static DEFINE_PER_CPU(struct claim *, holder);
/* Inside of cpus_read_lock(); protects @holder and what claims have on. */
static DEFINE_MUTEX(lock);
static bool shut;

static int refuse(struct vmcall_take *take, enum vmcall_refusal why, int error)
{
	take->refusal = why;
	return error;
}

void claim_init(struct claim *claim)
{
	claim->cpu = -1;
	halt_limit_init(&claim->limit);
}

/* What was asked for, as far as it can be had now. */
static void grant(struct claim *claim)
{
	if (claim->ways & VMCALL_WAY_HALT) {
		claim->had_host_polling = halt_poll_disable(claim->cpu);
		WRITE_ONCE(claim->granted, claim->granted | VMCALL_WAY_HALT);
	}
	if (claim->ways & VMCALL_WAY_YIELD &&
	    !permission_write(claim->cpu, claim->doorbells))
		WRITE_ONCE(claim->granted, claim->granted | VMCALL_WAY_YIELD);
}

static void revoke(struct claim *claim)
{
	u32 granted = claim->granted;

	WRITE_ONCE(claim->granted, 0);
	/* This fails where the host has switched the yield off: then nobody may
	 * make the call, which is what is wanted.
	 */
	if (granted & VMCALL_WAY_YIELD)
		permission_write(claim->cpu, 0);
	if (granted & VMCALL_WAY_HALT && claim->had_host_polling)
		halt_poll_enable(claim->cpu);
}

static void forget(struct claim *claim)
{
	if (claim->cpu < 0)
		return;
	revoke(claim);
	per_cpu(holder, claim->cpu) = NULL;
	claim->cpu = -1;
}

/* Undoes what it did if it is refused; the thread stays on its CPU. */
static int take_cpu(struct claim *claim, struct vmcall_take *take, int cpu)
{
	struct claim *other = per_cpu(holder, cpu);

	if (shut)
		return refuse(take, VMCALL_REFUSED_SHUTDOWN, -ESHUTDOWN);
	if (other && other != claim)
		return refuse(take, VMCALL_REFUSED_BUSY, -EBUSY);
	if (take->ways & VMCALL_WAY_HALT && !halt_exits())
		return refuse(take, VMCALL_REFUSED_NO_HLT_EXIT, -EOPNOTSUPP);
	if (take->ways & VMCALL_WAY_YIELD && !permission_possible())
		return refuse(take, VMCALL_REFUSED_BY_HOST, -EOPNOTSUPP);
	forget(claim);
	claim->cpu = cpu;
	claim->ways = take->ways;
	claim->doorbells = take->doorbells;
	per_cpu(holder, cpu) = claim;
	grant(claim);
	if (claim->granted == claim->ways)
		return 0;
	forget(claim);
	return refuse(take, VMCALL_REFUSED_BY_HOST, -EOPNOTSUPP);
}

int claim_take(struct claim *claim, struct vmcall_take *take)
{
	int ret, cpu;

	if (!hypervisor_is_kvm())
		return refuse(take, VMCALL_REFUSED_NOT_KVM, -EOPNOTSUPP);
	cpus_read_lock();
	mutex_lock(&lock);
	/* Bound to one, it cannot leave it while CPUs neither come nor go. */
	cpu = raw_smp_processor_id();
	if (cpumask_weight(current->cpus_ptr) != 1) {
		ret = refuse(take, VMCALL_REFUSED_NOT_BOUND, -EINVAL);
	} else {
		take->cpu = cpu;
		ret = take_cpu(claim, take, cpu);
	}
	mutex_unlock(&lock);
	cpus_read_unlock();
	return ret;
}

void claim_give_back(struct claim *claim)
{
	cpus_read_lock();
	mutex_lock(&lock);
	forget(claim);
	mutex_unlock(&lock);
	cpus_read_unlock();
	halt_limit_stop(&claim->limit);
}

static void change_cpu(unsigned int cpu, void (*change)(struct claim *claim))
{
	struct claim *claim;

	mutex_lock(&lock);
	claim = per_cpu(holder, cpu);
	if (claim && !shut)
		change(claim);
	mutex_unlock(&lock);
}

void claims_suspend_cpu(unsigned int cpu)
{
	change_cpu(cpu, revoke);
}

void claims_resume_cpu(unsigned int cpu)
{
	change_cpu(cpu, grant);
}

static void change_all(void (*change)(struct claim *claim))
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		change_cpu(cpu, change);
	cpus_read_unlock();
}

void claims_suspend_all(void)
{
	change_all(revoke);
}

void claims_resume_all(void)
{
	change_all(grant);
}

void claims_shut_down(void)
{
	change_all(revoke);
	mutex_lock(&lock);
	shut = true;
	mutex_unlock(&lock);
}
