// SPDX-License-Identifier: GPL-2.0-only
/*
 * The yield hypercall, allowed to one vCPU's user space: an MSR of that vCPU, which
 * names the doorbells that may be waited for.
 */
#include <vcpu_yield.h>

#include "msr.h"
#include "permission.h"

int permission_write(unsigned int cpu, u64 doorbells)
{
	return msr_write(cpu, MSR_KVM_VCPU_YIELD, doorbells);
}

bool permission_possible(void)
{
	struct kvm_vcpu_yield_info info;

	return kvm_vcpu_yield_find(&info) &&
	       info.version == KVM_VCPU_YIELD_VERSION;
}
