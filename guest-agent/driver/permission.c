// SPDX-License-Identifier: GPL-2.0-only
/* The yield hypercall, allowed to one vCPU's user space: an MSR of that vCPU. */
#include <linux/smp.h>
#include <vcpu_yield.h>

#include "hypervisor.h"

#include "msr.h"
#include "permission.h"

int permission_write(unsigned int cpu, u64 doorbells)
{
#ifdef KVM_VCPU_YIELD_CPL3
	/* The ABI before doorbells were named. */
	doorbells = doorbells ? KVM_VCPU_YIELD_CPL3 : 0;
#endif
	return msr_write(cpu, MSR_KVM_VCPU_YIELD, doorbells);
}

bool permission_possible(void)
{
#ifdef KVM_VCPU_YIELD_CPL3
	u64 value;

	return hypervisor_is_kvm() &&
	       !msr_read(raw_smp_processor_id(), MSR_KVM_VCPU_YIELD, &value);
#else
	struct kvm_vcpu_yield_info info;

	return kvm_vcpu_yield_find(&info) &&
	       info.version == KVM_VCPU_YIELD_VERSION;
#endif
}
