/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"
#include "kvm_guest.h"
#include "vcpu_claim.h"

#define CPUID_FEATURES		1
#define CPUID_HYPERVISOR	(1U << 31)	/* leaf 1, ECX */
#define CPUID_TOPOLOGY		0xb
#define CPUID_KVM_BASE		0x40000000U
#define CPUID_KVM_END		0x40010000U
#define CPUID_KVM_STEP		0x100U
#define CPUID_KVM_TSC		0x10U		/* offset from the base */

static enum kvm_vcpu_yield_insn
vendor_insn(void)
{
	uint32_t eax, ebx, ecx, edx;
	char vendor[12];

	__cpuid(0, eax, ebx, ecx, edx);
	memcpy(vendor, &ebx, 4);
	memcpy(vendor + 4, &edx, 4);
	memcpy(vendor + 8, &ecx, 4);
	return memcmp(vendor, "AuthenticAMD", 12) == 0 ||
		memcmp(vendor, "HygonGenuine", 12) == 0 ?
		KVM_VCPU_YIELD_VMMCALL : KVM_VCPU_YIELD_VMCALL;
}

static uint32_t
read_apic_id(void)
{
	uint32_t eax, ebx, ecx, edx;

	if (__get_cpuid_count(CPUID_TOPOLOGY, 0, &eax, &ebx, &ecx, &edx) != 0 &&
	    ebx != 0)
		return edx;
	__cpuid(CPUID_FEATURES, eax, ebx, ecx, edx);
	return ebx >> 24;
}

/* KVM's leaves move up when another interface's come first. */
static uint32_t
kvm_base(void)
{
	uint32_t base, eax, ebx, ecx, edx;

	__cpuid(CPUID_FEATURES, eax, ebx, ecx, edx);
	if ((ecx & CPUID_HYPERVISOR) == 0)
		return 0;
	for (base = CPUID_KVM_BASE; base < CPUID_KVM_END; base += CPUID_KVM_STEP) {
		char signature[12];

		__cpuid(base, eax, ebx, ecx, edx);
		memcpy(signature, &ebx, 4);
		memcpy(signature + 4, &ecx, 4);
		memcpy(signature + 8, &edx, 4);
		if (memcmp(signature, "KVMKVMKVM\0\0\0", 12) == 0)
			return base;
	}
	return 0;
}

void
kvm_guest_init(struct kvm_guest *kvm, unsigned int cpu)
{
	uint32_t base = kvm_base();
	uint32_t eax, ebx, ecx, edx, last;
	struct kvm_vcpu_yield_info info;

	memset(kvm, 0, sizeof(*kvm));
	kvm->cpu = cpu;
	kvm->apic_id = read_apic_id();
	kvm->insn = vendor_insn();
	if (base == 0)
		return;
	kvm->is_kvm = true;
	__cpuid(base, last, ebx, ecx, edx);
	kvm_vcpu_yield_find(&info);
	kvm->version = info.version;
	kvm->announced = info.version == KVM_VCPU_YIELD_VERSION;
	if (last >= base + CPUID_KVM_TSC) {
		__cpuid(base + CPUID_KVM_TSC, eax, ebx, ecx, edx);
		kvm->tsc_khz = eax;
	}
}

const char *
kvm_guest_error_name(int64_t ret)
{
	switch (-ret) {
	case KVM_EPERM:
		return "EPERM";
	case KVM_EOPNOTSUPP:
		return "EOPNOTSUPP";
	case KVM_EINVAL:
		return "EINVAL";
	case KVM_ENOSYS:
		return "ENOSYS";
	default:
		return "EIO";
	}
}

const char *
kvm_guest_error_text(int64_t ret)
{
	switch (-ret) {
	case KVM_EPERM:
		return "not allowed, or the host's KVM lacks the patch";
	case KVM_EOPNOTSUPP:
		return "the host has it switched off for this VM";
	case KVM_EINVAL:
		return "program and host differ in the ABI";
	case KVM_ENOSYS:
		return "the host's KVM does not know the call";
	default:
		return "unknown value";
	}
}

/* Let user space name these doorbells in its calls.  @return 0 or an errno value */
static int
write_msr(const struct kvm_guest *kvm, uint64_t doorbells, char *path, size_t size)
{
	int fd, error = 0;

	snprintf(path, size, "/dev/cpu/%u/msr", kvm->cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (pwrite(fd, &doorbells, sizeof(doorbells), MSR_KVM_VCPU_YIELD) !=
			sizeof(doorbells))
		error = errno;
	close(fd);
	return error;
}

static int
explain_msr(int error, const char *path, struct failure *failure)
{
	switch (error) {
	case EIO:
		return failure_set(failure, "EIO",
			"the host announces the VM call and refuses its MSR 0x%x",
			MSR_KVM_VCPU_YIELD);
	case ENOENT:
	case ENXIO:
		return failure_set(failure, "ENOENT",
			"%s is missing: load the msr module (modprobe msr)",
			path);
	case EACCES:
	case EPERM:
		return failure_set(failure, "EACCES",
			"no right to write %s: run as root, no kernel lockdown",
			path);
	default:
		return failure_errno(failure, error, "writing %s: %s", path,
			strerror(error));
	}
}

static int
allow_by_msr(struct kvm_guest *kvm, uint64_t doorbells, struct failure *failure)
{
	char path[32];
	const int error = write_msr(kvm, doorbells, path, sizeof(path));

	if (error != 0)
		return explain_msr(error, path, failure);
	kvm->allowed = KVM_GUEST_BY_MSR;
	return 0;
}

static int
allow_by_driver(struct kvm_guest *kvm, struct vcpu_claim *claim,
		uint64_t doorbells, struct failure *failure)
{
	if (vcpu_claim_take(claim, VMCALL_WAY_YIELD, doorbells, failure) != 0)
		return -1;
	kvm->allowed = KVM_GUEST_BY_DRIVER;
	return 0;
}

int
kvm_guest_allow(struct kvm_guest *kvm, struct vcpu_claim *claim,
		uint64_t doorbells, struct failure *failure)
{
	int64_t ret;

	if (!kvm->is_kvm)
		return failure_set(failure, "ENOTSUP",
			"not on KVM: CPUID has no KVMKVMKVM, so there is no VM call");
	if (!kvm->announced)
		return kvm->version == 0 ?
			failure_set(failure, "ENOSYS",
				"the host's KVM does not announce the VM call: its modules are without it, or older than this program") :
			failure_set(failure, "ENOSYS",
				"the host has version %u of the VM call, this program %u: the same release of vmcall on both sides",
				kvm->version, KVM_VCPU_YIELD_VERSION);
	/* Where the driver is, another holder's vCPU is not taken behind it. */
	if ((vcpu_claim_possible() ?
	     allow_by_driver(kvm, claim, doorbells, failure) :
	     allow_by_msr(kvm, doorbells, failure)) != 0)
		return -1;
	ret = kvm_vcpu_yield_probe(kvm->insn);
	if (ret >= 0)
		return 0;
	kvm_guest_disallow(kvm, claim);
	return failure_set(failure, kvm_guest_error_name(ret),
		"the probe of the VM call returned %lld: %s", (long long)ret,
		kvm_guest_error_text(ret));
}

void
kvm_guest_disallow(struct kvm_guest *kvm, struct vcpu_claim *claim)
{
	char path[32];

	if (kvm->allowed == KVM_GUEST_BY_DRIVER)
		vcpu_claim_give_back(claim);
	if (kvm->allowed == KVM_GUEST_BY_MSR)
		write_msr(kvm, 0, path, sizeof(path));
	kvm->allowed = KVM_GUEST_NOT_ALLOWED;
}

const char *
kvm_guest_way_name(enum kvm_guest_way way)
{
	static const char *const names[] = {
		[KVM_GUEST_NOT_ALLOWED] = "none",
		[KVM_GUEST_BY_DRIVER] = "driver",
		[KVM_GUEST_BY_MSR] = "msr",
	};

	return names[way];
}
