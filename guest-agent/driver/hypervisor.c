// SPDX-License-Identifier: GPL-2.0-only
/* What is below this kernel, by CPUID. */
#include <asm/kvm_para.h>
#include <asm/processor.h>

#include "hypervisor.h"

/* Its leaves move up where Hyper-V's come first. */
static u32 base(void)
{
	return hypervisor_cpuid_base(KVM_SIGNATURE, 0);
}

bool hypervisor_is_kvm(void)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) && base() != 0;
}

bool hypervisor_has(unsigned int feature)
{
	return hypervisor_is_kvm() &&
	       cpuid_eax(base() | KVM_CPUID_FEATURES) & BIT(feature);
}
