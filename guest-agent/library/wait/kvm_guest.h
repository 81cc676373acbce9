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
struct vcpu_claim;

/** Who let this vCPU's user space make the call. */
enum kvm_guest_way {
	KVM_GUEST_NOT_ALLOWED,
	KVM_GUEST_BY_DRIVER,	/**< guest-agent/driver, which revokes it */
	KVM_GUEST_BY_MSR,	/**< this program by /dev/cpu/N/msr: root alone */
};

struct kvm_guest {
	bool is_kvm;		/**< CPUID says KVM */
	bool announced;		/**< CPUID has the call, in this program's version */
	uint32_t version;	/**< of the call, as CPUID says; 0: it has none */
	enum kvm_vcpu_yield_insn insn;
	uint32_t tsc_khz;	/**< TSC rate as the hypervisor says; 0: it does not */
	unsigned int cpu;	/**< Linux's number of the lcore's CPU */
	uint32_t apic_id;	/**< of that CPU */
	enum kvm_guest_way allowed;
};

/** Read CPUID.  To be called on the lcore, which is bound to the CPU given. */
void kvm_guest_init(struct kvm_guest *kvm, unsigned int cpu);

/**
 * Let this vCPU's user space make the call and see that the host answers: by the
 * guest driver where it is, else by the raw MSR.  On the lcore.
 * @param claim     is held from then on if it is by the driver
 * @param doorbells mask of those that shall end the call
 * @return 0, or -1 with the failure filled in and nothing changed
 */
int kvm_guest_allow(struct kvm_guest *kvm, struct vcpu_claim *claim,
		uint64_t doorbells, struct failure *failure);

/** Undo kvm_guest_allow(). */
void kvm_guest_disallow(struct kvm_guest *kvm, struct vcpu_claim *claim);

/** "none", "driver" or "msr". */
const char *kvm_guest_way_name(enum kvm_guest_way way);

/** Name of a negative return value of the call, e.g. "EOPNOTSUPP". */
const char *kvm_guest_error_name(int64_t ret);

/** What such a value means and what to do about it. */
const char *kvm_guest_error_text(int64_t ret);

#endif /* KVM_GUEST_H */
