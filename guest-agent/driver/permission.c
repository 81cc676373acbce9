// SPDX-License-Identifier: GPL-2.0-only
/* The yield hypercall, allowed to one vCPU's user space: an MSR of that vCPU. */
#include <vcpu_yield.h>

#include "msr.h"
#include "permission.h"

int permission_write(unsigned int cpu, u64 doorbells)
{
	return msr_write(cpu, MSR_KVM_VCPU_YIELD,
			 doorbells ? KVM_VCPU_YIELD_CPL3 : 0);
}
