/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_GUEST_H
#define PROBE_GUEST_H

/**
 * @file
 * The guest of the probe, and of the lab's cost program: a few instructions in 64-bit mode without a
 * kernel, one loop for each thing that is measured.  It has the first 2 MiB of
 * memory, mapped one to one.
 */

#ifndef __ASSEMBLER__
#include <stdint.h>

/** Where guest and host meet, at GUEST_SHARED. */
struct guest_shared {
	/** Guest TSC when the last wake or interrupt was seen. */
	uint64_t arrived;
	/** Guest TSC at which the doorbell rang, of the last yield. */
	uint64_t rung;
	/** Wakes and interrupts so far; calls in GUEST_HYPERCALL. */
	uint64_t count;
	/** The guest leaves by OUT when count reaches this. */
	uint64_t wanted;
	/** What a yield returned that was refused, else 0. */
	int64_t refused;
	/** Ticks of each call. */
	uint64_t calls[];
};

extern const char guest_image[], guest_image_end[];
/** @{ entries, by offset into the image */
extern const char guest_hypercall[], guest_halt_kick[], guest_halt_interrupt[],
	guest_spin[], guest_yield[], guest_isr[];
/** @} */
#endif

#define GUEST_MEMORY	0x200000
#define GUEST_PML4	0x1000
#define GUEST_PDPT	0x2000
#define GUEST_PD	0x3000
#define GUEST_IDT	0x4000
#define GUEST_GDT	0x5000
#define GUEST_STACK	0x8000
#define GUEST_IMAGE	0x10000
#define GUEST_SHARED	0x20000

#define GUEST_VECTOR	0x30
#define GUEST_DOORBELL	1
/** A number that no hypercall has. */
#define GUEST_UNKNOWN_CALL	99
/* KVM_HC_VCPU_YIELD of kernel-patches/abi/vcpu_yield.h. */
#define GUEST_YIELD_CALL	0x59494c44
#define GUEST_END_PORT	0x10

#endif /* PROBE_GUEST_H */
