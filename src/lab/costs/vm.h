/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COSTS_VM_H
#define COSTS_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

/** A VM of one vCPU whose TSC is the host's, with guest.S in its memory. */
struct vm {
	int fd;
	int vcpu;
	struct kvm_run *run;
	struct guest_shared *shared;
	/** An irqfd of this eventfd delivers what vm_route() says. */
	int interrupt;
};

/** Creates the VM; never returns without. */
void vm_create(struct vm *vm);
void vm_destroy(struct vm *vm);

/** The vCPU's next instruction is the one at `entry`; counters are at 0. */
void vm_prepare(struct vm *vm, const char *entry, uint64_t wanted);

/** Runs the vCPU until the guest says that it is done. */
void vm_run(struct vm *vm);

/** MSI data that the irqfd delivers to the vCPU. */
void vm_route(struct vm *vm, uint32_t data);

/**
 * Doorbells and interrupts in hard IRQ context, by capability.
 * @return false if this KVM does not know it
 */
bool vm_switch(struct vm *vm, bool yield, bool hardirq);

#endif /* COSTS_VM_H */
