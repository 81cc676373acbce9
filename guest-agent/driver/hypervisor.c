// SPDX-License-Identifier: GPL-2.0-only
/* What is below this kernel, by CPUID. */
#include <linux/string.h>
#include <asm/kvm_para.h>
#include <asm/processor.h>
#if __has_include(<asm/cpuid/api.h>)
#include <asm/cpuid/api.h>
#endif

#include "hypervisor.h"

/* Where a hypervisor's leaves may begin: KVM's move up if Hyper-V's come first. */
#define FIRST	0x40000000U
#define LAST	0x40010000U
#define STEP	0x100U

/* 0: none of KVM's. */
static u32 base(void)
{
	u32 leaf, most, signature[3];

	for (leaf = FIRST; leaf < LAST; leaf += STEP) {
		cpuid(leaf, &most, &signature[0], &signature[1], &signature[2]);
		if (!memcmp(signature, KVM_SIGNATURE, sizeof(signature)))
			return leaf;
	}
	return 0;
}

bool hypervisor_is_kvm(void)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) && base() != 0;
}

bool hypervisor_has(unsigned int feature)
{
	u32 features, unused;

	if (!hypervisor_is_kvm())
		return false;
	cpuid(base() | KVM_CPUID_FEATURES, &features, &unused, &unused, &unused);
	return features & BIT(feature);
}
