/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * KVM vCPU yield and doorbells: the interface between a guest (its user space
 * or its kernel) and the KVM modules built from the patch series beside this
 * folder.  A stand-alone copy, for user space and for modules of the guest's
 * kernel.  In user space, if kernel headers are used as well, include them first.
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

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/*
 * Numbers.  Upstream gives out hypercalls, CPUID bits and MSRs one by one; these
 * are far from its next ones, and from those of posted series.  A host that has
 * the call announces it in CPUID leaves of its own, whatever the VMM passes on:
 *
 *   KVM_CPUID_VCPU_YIELD      EAX: the last of these leaves
 *                             EBX, ECX, EDX: "VcpuYieldKVM"
 *   KVM_CPUID_VCPU_YIELD + 1  EAX: KVM_VCPU_YIELD_VERSION
 *                             EBX: KVM_HC_VCPU_YIELD
 *                             ECX: MSR_KVM_VCPU_YIELD
 *                             EDX: the doorbells that there are
 *
 * A guest that does not find the signature and this version makes no call and
 * touches no MSR, but uses interrupts.
 */
#define KVM_CPUID_VCPU_YIELD		0x40005900U
#define KVM_CPUID_VCPU_YIELD_SIGNATURE	"VcpuYieldKVM"
#define KVM_VCPU_YIELD_VERSION		1

/* Hypercall number. */
#define KVM_HC_VCPU_YIELD		0x59494c44

/*
 * Per-vCPU MSR: the doorbells that this vCPU's user space (CPL > 0) may wait for
 * and take, bits 1..31; 0, as after RESET and INIT: user space may not make the
 * call.  The guest's kernel reads and writes it whether or not the VM's switch is
 * on.  It counts from the next call on.  #GP if another bit is set.
 */
#define MSR_KVM_VCPU_YIELD		0x59494c44

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
 * CPUID (KVM_CAP_ENFORCE_PV_FEATURE_CPUID) and did not set the leaves.
 */
#define KVM_ENOSYS			1000
#endif
#ifndef KVM_EINVAL
/* A reserved bit is set in the mask or in the flags. */
#define KVM_EINVAL			22
#endif
#ifndef KVM_EPERM
/*
 * Caller at CPL > 0, and this vCPU's MSR is 0 or lacks a doorbell of the mask, or
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

/* What the host announces in CPUID. */
struct kvm_vcpu_yield_info {
	uint32_t version;
	uint32_t hypercall;
	uint32_t msr;
	uint32_t doorbells;
};

static inline void kvm_vcpu_yield_cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ __volatile__("cpuid"
			     : "=a" (regs[0]), "=b" (regs[1]),
			       "=c" (regs[2]), "=d" (regs[3])
			     : "a" (leaf), "c" (0));
}

/*
 * What the host announces: 1 if there is a hypervisor, and its KVM knows the call;
 * otherwise 0, and *info is all 0.  Whether it is the version of this header, and
 * whether the call is switched on, is for the caller to find out.
 */
static inline int kvm_vcpu_yield_find(struct kvm_vcpu_yield_info *info)
{
	static const char signature[] = KVM_CPUID_VCPU_YIELD_SIGNATURE;
	uint32_t regs[4];
	unsigned int i;

	info->version = info->hypercall = info->msr = info->doorbells = 0;
	kvm_vcpu_yield_cpuid(1, regs);
	if (!(regs[2] & (1U << 31)))
		return 0;
	kvm_vcpu_yield_cpuid(KVM_CPUID_VCPU_YIELD, regs);
	for (i = 0; i < 12; i++)
		if ((char)(regs[1 + i / 4] >> i % 4 * 8) != signature[i])
			return 0;
	if (regs[0] < KVM_CPUID_VCPU_YIELD + 1)
		return 0;
	kvm_vcpu_yield_cpuid(KVM_CPUID_VCPU_YIELD + 1, regs);
	info->version = regs[0];
	info->hypercall = regs[1];
	info->msr = regs[2];
	info->doorbells = regs[3];
	return 1;
}

/*
 * Ask whether the call would be allowed right now: 0, or a negative error.
 * Never blocks.  On a machine without a hypervisor the instruction raises #UD:
 * see kvm_vcpu_yield_find() first.
 */
static inline int64_t kvm_vcpu_yield_probe(enum kvm_vcpu_yield_insn insn)
{
	return kvm_vcpu_yield(insn, 0, 0, 0, (uint64_t *)0);
}
#endif

#endif /* VMCALL_VCPU_YIELD_H */
