/* SPDX-License-Identifier: Apache-2.0 */
#include <cpuid.h>
#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failure.h"
#include "kvm.h"
#include "vm.h"

#define CAP_X86_VCPU_YIELD 1013
#define CAP_IRQFD_HARDIRQ 1014
#define GSI 24
#define CR0_PE_NE_PG 0x80000021
#define CR4_PAE 0x20
#define EFER_LME_LMA 0x500
#define APIC_BASE_X2APIC_BSP 0xfee00d00
#define PRESENT_WRITABLE 0x3
#define LARGE_PAGE 0x80
#define GATE_INTERRUPT 0x8e00
#define CODE_SELECTOR 0x8
#define DATA_SELECTOR 0x10

static uint8_t *memory;

static int
need(int result, const char *what)
{
	if (result < 0)
		die("%s", what);
	return result;
}

/* "Hygo", whose CPUs have AMD's instructions. */
#define SIGNATURE_HYGON_EBX 0x6f677948

static bool
has_vmmcall(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	return ebx == signature_AMD_ebx || ebx == SIGNATURE_HYGON_EBX;
}

static void
put64(uint64_t address, uint64_t value)
{
	memcpy(memory + address, &value, sizeof(value));
}

static void
fill_memory(void)
{
	uint64_t isr = GUEST_IMAGE + (guest_isr - guest_image);

	memcpy(memory + GUEST_IMAGE, guest_image, guest_image_end - guest_image);
	put64(GUEST_PML4, GUEST_PDPT | PRESENT_WRITABLE);
	put64(GUEST_PDPT, GUEST_PD | PRESENT_WRITABLE);
	put64(GUEST_PD, PRESENT_WRITABLE | LARGE_PAGE);
	put64(GUEST_GDT + CODE_SELECTOR, 0x00af9b000000ffff);
	put64(GUEST_GDT + DATA_SELECTOR, 0x00cf93000000ffff);
	put64(GUEST_IDT + 16 * GUEST_VECTOR, (isr & 0xffff) |
		CODE_SELECTOR << 16 | (uint64_t)GATE_INTERRUPT << 32 |
		(isr >> 16) << 48);
}

static void
set_system_registers(const struct vm *vm)
{
	const struct kvm_segment code = { .limit = 0xffffffff,
		.selector = CODE_SELECTOR, .type = 11, .present = 1, .s = 1,
		.l = 1, .g = 1 };
	const struct kvm_segment data = { .limit = 0xffffffff,
		.selector = DATA_SELECTOR, .type = 3, .present = 1, .s = 1,
		.db = 1, .g = 1 };
	struct kvm_sregs sregs;

	need(ioctl(vm->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.tr.type = 11;
	sregs.tr.present = 1;
	sregs.gdt.base = GUEST_GDT;
	sregs.gdt.limit = DATA_SELECTOR + 7;
	sregs.idt.base = GUEST_IDT;
	sregs.idt.limit = 0xfff;
	sregs.cr0 = CR0_PE_NE_PG;
	sregs.cr3 = GUEST_PML4;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME_LMA;
	sregs.apic_base = APIC_BASE_X2APIC_BSP;
	need(ioctl(vm->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

static void
set_cpuid(int kvm, const struct vm *vm)
{
	const int entries = 256;
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
			entries * sizeof(cpuid->entries[0]));

	if (cpuid == NULL)
		die("CPUID");
	cpuid->nent = entries;
	need(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid),
			"KVM_GET_SUPPORTED_CPUID");
	need(ioctl(vm->vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
	free(cpuid);
}

/* Guest and host then read the same time. */
static void
clear_tsc_offset(struct vm *vm)
{
	uint64_t offset = 0;
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(vm->vcpu, KVM_SET_DEVICE_ATTR, &attribute) < 0)
		unsupported("this KVM sets no TSC offset (KVM_VCPU_TSC_OFFSET, from Linux 5.16 on)");
	vm->tsc_khz = ioctl(vm->vcpu, KVM_GET_TSC_KHZ, 0);
	if ((int)vm->tsc_khz <= 0)
		unsupported("KVM does not tell the TSC's frequency: this host's TSC is unstable (dmesg | grep -i tsc)");
}

void
vm_create(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_MEMORY,
	};
	struct kvm_irqfd irqfd = { .gsi = GSI };
	int kvm = kvm_open();

	memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("guest memory");
	region.userspace_addr = (uintptr_t)memory;
	vm->fd = kvm_create_vm(kvm);
	need(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	need(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region),
			"KVM_SET_USER_MEMORY_REGION");
	vm->vcpu = need(ioctl(vm->fd, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	vm->run = mmap(NULL, need(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
			"KVM_GET_VCPU_MMAP_SIZE"), PROT_READ | PROT_WRITE,
			MAP_SHARED, vm->vcpu, 0);
	if (vm->run == MAP_FAILED)
		die("kvm_run");
	set_cpuid(kvm, vm);
	close(kvm);
	clear_tsc_offset(vm);
	fill_memory();
	vm->shared = (struct guest_shared *)(memory + GUEST_SHARED);
	vm->interrupt = need(eventfd(0, EFD_CLOEXEC), "eventfd");
	vm_route(vm, GUEST_VECTOR);
	irqfd.fd = vm->interrupt;
	need(ioctl(vm->fd, KVM_IRQFD, &irqfd), "KVM_IRQFD");
}

void
vm_destroy(struct vm *vm)
{
	close(vm->interrupt);
	close(vm->vcpu);
	close(vm->fd);
	munmap(memory, GUEST_MEMORY);
}

void
vm_prepare(struct vm *vm, const char *entry, uint64_t wanted)
{
	struct kvm_regs regs = {
		.rip = GUEST_IMAGE + (entry - guest_image),
		.rsp = GUEST_STACK,
		.rflags = 2,
		.rbp = has_vmmcall(),
	};
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };

	set_system_registers(vm);
	memset(vm->shared, 0, sizeof(*vm->shared));
	vm->shared->wanted = wanted;
	/* It was halted if it did not end by itself before. */
	need(ioctl(vm->vcpu, KVM_SET_MP_STATE, &runnable), "KVM_SET_MP_STATE");
	need(ioctl(vm->vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

bool
vm_run(struct vm *vm)
{
	do {
		if (ioctl(vm->vcpu, KVM_RUN, 0) < 0 && errno != EINTR)
			die("KVM_RUN");
		if (vm->run->immediate_exit)
			return false;
	} while (vm->run->exit_reason == KVM_EXIT_INTR);
	if (vm->run->exit_reason == KVM_EXIT_IO &&
	    vm->run->io.port == GUEST_END_PORT)
		return true;
	errno = 0;
	die("the guest left with exit reason %u", vm->run->exit_reason);
}

bool
vm_halt_polling(struct vm *vm, uint64_t most_ns)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_HALT_POLL,
		.args[0] = most_ns,
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) == 0;
}

void
vm_route(struct vm *vm, uint32_t data)
{
	struct {
		struct kvm_irq_routing table;
		struct kvm_irq_routing_entry entry;
	} routes = {
		.table.nr = 1,
		.entry = {
			.gsi = GSI,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = 0xfee00000, .data = data },
		},
	};

	need(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &routes), "KVM_SET_GSI_ROUTING");
}

bool
vm_switch(struct vm *vm, bool yield, bool hardirq)
{
	struct kvm_enable_cap caps[] = {
		{ .cap = CAP_X86_VCPU_YIELD, .args[0] = yield },
		{ .cap = CAP_IRQFD_HARDIRQ, .args[0] = hardirq },
	};

	/* A KVM with an older series has the first alone. */
	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, CAP_X86_VCPU_YIELD) <= 0 ||
	    ioctl(vm->fd, KVM_CHECK_EXTENSION, CAP_IRQFD_HARDIRQ) <= 0)
		return false;
	need(ioctl(vm->fd, KVM_ENABLE_CAP, &caps[0]), "KVM_CAP_X86_VCPU_YIELD");
	need(ioctl(vm->fd, KVM_ENABLE_CAP, &caps[1]), "KVM_CAP_IRQFD_HARDIRQ");
	return true;
}
