/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_VM_H
#define PROBE_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

/** A VM of one vCPU whose TSC is the host's, with guest.S in its memory. */
struct vm {
	int fd;
	int vcpu;
	struct kvm_run *run;
	/** Of the guest's TSC, which is the host's. */
	uint32_t tsc_khz;
	struct guest_shared *shared;
	/** An irqfd of this eventfd delivers what vm_route() says. */
	int interrupt;
};

/** Creates the VM; never returns without. */
void vm_create(struct vm *vm);
void vm_destroy(struct vm *vm);

/** The vCPU's next instruction is the one at `entry`; counters are at 0. */
void vm_prepare(struct vm *vm, const char *entry, uint64_t wanted);

/**
 * Runs the vCPU until the guest says that it is done, or vm->run's
 * immediate_exit is set and a signal came.  @return false in that case
 */
bool vm_run(struct vm *vm);

/**
 * How long KVM looks for a wake before it lets a halted vCPU's thread sleep, ns.
 * @return false if this KVM does not take it from the VMM
 */
bool vm_halt_polling(struct vm *vm, uint64_t most_ns);

/** MSI data that the irqfd delivers to the vCPU. */
void vm_route(struct vm *vm, uint32_t data);

/**
 * Doorbells and interrupts in hard IRQ context, by capability.
 * @return false if this KVM does not know it
 */
bool vm_switch(struct vm *vm, bool yield, bool hardirq);

#endif /* PROBE_VM_H */
