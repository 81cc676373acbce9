/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * KVM vCPU yield and doorbells: the interface between a guest (its user space
 * or its kernel) and the KVM modules built from the patch series beside this
 * folder.  A stand-alone copy: it needs no kernel header.  If kernel headers
 * are used as well, include them first.
 *
 * A doorbell is one of 31 bits latched per vCPU.  A device rings it with an
 * MSI whose delivery mode is 3 and whose vector field is the doorbell's
 * number; the destination of the MSI names the vCPU.  Ringing never touches
 * the local APIC.  KVM_HC_VCPU_YIELD takes the vCPU off its physical CPU until
 * a doorbell of its mask rings, or until any other event ends the yield.
 *
 * How to use it without losing a packet:
 *
 *	for (;;) {
 *		if (poll_ring())
 *			continue;
 *		arm_device_interrupt();
 *		if (poll_ring())
 *			continue;
 *		kvm_vcpu_yield(...);
 *	}
 *
 * The latch is sticky: a doorbell that rings between the last poll and the
 * call makes the call return at once.  Every return may be spurious.
 */
#ifndef VMCALL_VCPU_YIELD_H
#define VMCALL_VCPU_YIELD_H

#include <stdint.h>

/* Hypercall number (include/uapi/linux/kvm_para.h). */
#define KVM_HC_VCPU_YIELD		13

/*
 * Bit of EAX in KVM's CPUID features leaf, 0x40000001 unless the hypervisor
 * leaves start elsewhere (arch/x86/include/uapi/asm/kvm_para.h).
 */
#define KVM_FEATURE_VCPU_YIELD		18

/*
 * Per-vCPU MSR.  Accessible to the guest's kernel while the VM's switch is on;
 * #GP otherwise, and #GP if a reserved bit is set.
 */
#define MSR_KVM_VCPU_YIELD		0x4b564d09
/* This vCPU's user space (CPL3) may make the call. */
#define KVM_VCPU_YIELD_CPL3		(1ULL << 0)

/*
 * Doorbells.  Number 0 is not a doorbell: an MSI or IPI in delivery mode 3
 * with vector 0 is KVM's PV kick, as ever.
 */
#define KVM_DOORBELL_MIN		1
#define KVM_DOORBELL_MAX		31
#define KVM_DOORBELL_BIT(n)		(1ULL << (n))
#define KVM_DOORBELL_MASK		0xfffffffeULL
/* Data of the MSI-X entry that rings doorbell n: edge, delivery mode 3. */
#define KVM_DOORBELL_MSI_DATA(n)	(0x300U | (uint32_t)(n))
/*
 * Address of that entry: the vCPU with the given xAPIC id (0..254), physical
 * destination, compatibility format.
 */
#define KVM_DOORBELL_MSI_ADDR(apic_id)	(0xfee00000U | ((uint32_t)(apic_id) << 12))

/*
 * Call: RAX = KVM_HC_VCPU_YIELD
 *	 RBX = a0: mask of doorbells to wait for (bits 1..31).  0 is a probe:
 *	       the call returns 0 at once and consumes nothing.
 *	 RCX = a1: timeout in ns, 0 = none
 *	 RDX = a2: flags
 * The caller must be in 64-bit mode.
 */

/*
 * On return RSI holds the guest TSC at which the first of the returned
 * doorbells rang, 0 if none of them did or if the time is not known (after
 * migration).  Without the flag, and with an error, RSI is preserved.
 */
#define KVM_VCPU_YIELD_F_TSC		(1ULL << 0)

/*
 * Return value in RAX.  Bits 1..31: rung doorbells of the mask; exactly these
 * were cleared from the latch.  The bits below say what else ended the yield;
 * several may be set.  0 is a spurious return and always legal.
 */
/* The timeout ended. */
#define KVM_VCPU_YIELD_TIMEOUT		(1ULL << 32)
/*
 * An interrupt is pending for this vCPU, whatever its IF says.  Reported only
 * if there is nothing else to report.
 */
#define KVM_VCPU_YIELD_INTERRUPT	(1ULL << 33)
/* PV kick; NMI, SMI or any other event if there is nothing else to report. */
#define KVM_VCPU_YIELD_KICK		(1ULL << 34)
/* The administrator switched the feature off: fall back to interrupts. */
#define KVM_VCPU_YIELD_OFF		(1ULL << 35)

/* Errors: negative values in RAX.  Values as in linux/kvm_para.h. */
#ifndef KVM_ENOSYS
/*
 * Caller at CPL0 on a host that does not know the call, or the VMM enforces
 * CPUID (KVM_CAP_ENFORCE_PV_FEATURE_CPUID) and did not announce the feature.
 */
#define KVM_ENOSYS			1000
#endif
#ifndef KVM_EINVAL
/* A reserved bit is set in the mask or in the flags. */
#define KVM_EINVAL			22
#endif
#ifndef KVM_EPERM
/*
 * Caller at CPL > 0 and KVM_VCPU_YIELD_CPL3 is not set in this vCPU's MSR, or
 * caller at CPL > 0 on a host that does not know the call.
 */
#define KVM_EPERM			1
#endif
#ifndef KVM_EOPNOTSUPP
/*
 * Known, but switched off for this VM, or not possible for this vCPU or
 * caller: no in-kernel local APIC, nested guest mode, encrypted register
 * state (SEV-ES), not in 64-bit mode.
 */
#define KVM_EOPNOTSUPP			95
#endif

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
/*
 * A guest must use its CPU vendor's own instruction: KVM patches the wrong one
 * only for the guest's kernel, at CPL3 it faults.  Choose by CPUID leaf 0:
 * "AuthenticAMD" and "HygonGenuine" have vmmcall, all others vmcall.
 */
enum kvm_vcpu_yield_insn {
	KVM_VCPU_YIELD_VMCALL,
	KVM_VCPU_YIELD_VMMCALL,
};

/*
 * Make the call.  @tsc: if not NULL, KVM_VCPU_YIELD_F_TSC is set in the flags
 * and *tsc receives RSI when the return value is not negative (0 otherwise).
 *
 * KVM preserves all registers but RAX, and RSI as said above.  "memory": the
 * caller is about to read what a device wrote; "cc" to be on the safe side.
 */
static inline int64_t kvm_vcpu_yield(enum kvm_vcpu_yield_insn insn,
				     uint64_t mask, uint64_t timeout_ns,
				     uint64_t flags, uint64_t *tsc)
{
	int64_t ret = KVM_HC_VCPU_YIELD;
	uint64_t stamp = 0;

	if (tsc)
		flags |= KVM_VCPU_YIELD_F_TSC;

	if (insn == KVM_VCPU_YIELD_VMMCALL)
		__asm__ __volatile__(".byte 0x0f, 0x01, 0xd9 # vmmcall"
				     : "+a" (ret), "+S" (stamp)
				     : "b" (mask), "c" (timeout_ns), "d" (flags)
				     : "memory", "cc");
	else
		__asm__ __volatile__(".byte 0x0f, 0x01, 0xc1 # vmcall"
				     : "+a" (ret), "+S" (stamp)
				     : "b" (mask), "c" (timeout_ns), "d" (flags)
				     : "memory", "cc");

	if (tsc)
		*tsc = ret < 0 ? 0 : stamp;
	return ret;
}

/*
 * Ask whether the call would be allowed right now: 0, or a negative error.
 * Never blocks.  On a machine without a hypervisor the instruction raises
 * #UD: look at CPUID first (leaf 1, ECX bit 31; "KVMKVMKVM" at 0x40000000).
 */
static inline int64_t kvm_vcpu_yield_probe(enum kvm_vcpu_yield_insn insn)
{
	return kvm_vcpu_yield(insn, 0, 0, 0, (uint64_t *)0);
}
#endif

#endif /* VMCALL_VCPU_YIELD_H */
