/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef KVM_GUEST_H
#define KVM_GUEST_H

/**
 * @file
 * What the hypervisor below this program is and allows: CPUID, the MSR that
 * lets user space make the call, and the probe call.
 */

#include <stdbool.h>
#include <stdint.h>

#include <vcpu_yield.h>

struct failure;

struct kvm_guest {
	bool is_kvm;		/**< CPUID says KVM */
	bool announced;		/**< CPUID has the feature bit */
	enum kvm_vcpu_yield_insn insn;
	uint32_t tsc_khz;	/**< TSC rate as the hypervisor says; 0: it does not */
	unsigned int cpu;	/**< Linux's number of the lcore's CPU */
	uint32_t apic_id;	/**< of that CPU */
	bool allowed;		/**< the MSR bit was set by us */
};

/** Read CPUID.  To be called on the lcore, which is bound to the CPU given. */
void kvm_guest_init(struct kvm_guest *kvm, unsigned int cpu);

/**
 * Let this vCPU's user space make the call and see that the host answers.
 * @return 0, or -1 with the failure filled in and nothing changed
 */
int kvm_guest_allow(struct kvm_guest *kvm, struct failure *failure);

/** Undo kvm_guest_allow(). */
void kvm_guest_disallow(struct kvm_guest *kvm);

/** Name of a negative return value of the call, e.g. "EOPNOTSUPP". */
const char *kvm_guest_error_name(int64_t ret);

/** What such a value means and what to do about it. */
const char *kvm_guest_error_text(int64_t ret);

#endif /* KVM_GUEST_H */
