// SPDX-License-Identifier: GPL-2.0-only
/* The host's halt polling (Documentation/virt/kvm/x86/msr.rst: POLL_CONTROL). */
#include <asm/kvm_para.h>

#include "halt_poll.h"
#include "hypervisor.h"
#include "msr.h"

#define HOST_POLLS 1ULL

bool halt_poll_disable(unsigned int cpu)
{
	u64 value;

	if (!hypervisor_has(KVM_FEATURE_POLL_CONTROL) ||
	    msr_read(cpu, MSR_KVM_POLL_CONTROL, &value) ||
	    !(value & HOST_POLLS))
		return false;
	return !msr_write(cpu, MSR_KVM_POLL_CONTROL, value & ~HOST_POLLS);
}

void halt_poll_enable(unsigned int cpu)
{
	msr_write(cpu, MSR_KVM_POLL_CONTROL, HOST_POLLS);
}
