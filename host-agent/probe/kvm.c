/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "cpu_flags.h"
#include "failure.h"
#include "kvm.h"

#define KVM_DEVICE "/dev/kvm"

/* Linux: Documentation/virt/kvm/api.rst, KVM_GET_API_VERSION. */
#define STABLE_API 12

static const struct needed {
	int cap;
	const char *name;
} needed[] = {
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD" },
	{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_GET_TSC_KHZ, "KVM_CAP_GET_TSC_KHZ" },
};

/* The device is missing, or nothing is behind it. */
static void __attribute__((noreturn))
explain_absent(int error)
{
	const char *module;

	if (!cpu_flag("svm") && !cpu_flag("vmx")) {
		if (cpu_flag("hypervisor"))
			unsupported(KVM_DEVICE ": %s: this is a virtual machine whose CPU has neither svm nor vmx: let it have them on its host (kvm_intel.nested=1 or kvm_amd.nested=1, and -cpu host)",
				strerror(error));
		unsupported(KVM_DEVICE ": %s: this CPU has neither svm nor vmx: switch virtualisation on in the firmware",
			strerror(error));
	}
	module = cpu_flag("svm") ? "kvm_amd" : "kvm_intel";
	unsupported(KVM_DEVICE ": %s: load KVM (modprobe %s); if that fails, dmesg says why: virtualisation may be off in the firmware",
		strerror(error), module);
}

static void __attribute__((noreturn))
explain_open(int error)
{
	switch (error) {
	case EACCES:
		unsupported(KVM_DEVICE ": %s: run as root, or as a member of the device's group (usermod -aG kvm USER)",
			strerror(error));
	case EPERM:
		unsupported(KVM_DEVICE ": %s: this container may not use the device: give it (--device " KVM_DEVICE ")",
			strerror(error));
	case ENOENT:
	case ENODEV:
	case ENXIO:
		explain_absent(error);
	default:
		unsupported(KVM_DEVICE ": %s", strerror(error));
	}
}

static void
check_capabilities(int kvm)
{
	const int version = ioctl(kvm, KVM_GET_API_VERSION, 0);
	size_t i;

	if (version < 0)
		unsupported(KVM_DEVICE " is not KVM's: %s", strerror(errno));
	if (version != STABLE_API)
		unsupported(KVM_DEVICE " has version %d of KVM's interface, %d is wanted",
			version, STABLE_API);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].cap) <= 0)
			unsupported("this KVM lacks %s", needed[i].name);
}

int
kvm_open(void)
{
	const int kvm = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		explain_open(errno);
	check_capabilities(kvm);
	return kvm;
}

int
kvm_create_vm(int kvm)
{
	const int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm >= 0)
		return vm;
	if (errno == EBUSY)
		unsupported("KVM_CREATE_VM: %s: another hypervisor (VirtualBox, VMware) has the CPU's virtualisation: stop its VMs, unload its modules",
			strerror(errno));
	die("KVM_CREATE_VM");
}
