/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#define SHARED_ARRIVED	0
#define SHARED_RUNG	8
#define SHARED_COUNT	16
#define SHARED_WANTED	24
#define SHARED_REFUSED	32
#define SHARED_CALLS	40

#define X2APIC_EOI	0x80b
#define X2APIC_SPIV	0x80f

	.section .rodata
	.global guest_image, guest_image_end
	.global guest_hypercall, guest_halt_kick, guest_halt_interrupt
	.global guest_spin, guest_yield, guest_isr
	.balign 16

/* The TSC in rax; rdx is lost. */
.macro read_tsc
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
.endm

.macro enable_apic
	mov	$X2APIC_SPIV, %ecx
	mov	$0x1ff, %eax
	xor	%edx, %edx
	wrmsr
	mov	$GUEST_SHARED, %edi
.endm

/* Counts, and leaves when it is enough. */
.macro count_one
	mov	SHARED_COUNT(%rdi), %rax
	inc	%rax
	mov	%rax, SHARED_COUNT(%rdi)
	cmp	SHARED_WANTED(%rdi), %rax
	jae	guest_end
.endm

guest_image:
/* Calls that KVM does not know; rbp is 1 where the CPU has VMMCALL. */
guest_hypercall:
	mov	$GUEST_SHARED, %edi
1:	mov	$GUEST_UNKNOWN_CALL, %r9d
	read_tsc
	mov	%rax, %r8
	mov	%r9, %rax
	test	%ebp, %ebp
	jz	2f
	vmmcall
	jmp	3f
2:	vmcall
3:	read_tsc
	sub	%r8, %rax
	mov	SHARED_COUNT(%rdi), %rcx
	mov	%rax, SHARED_CALLS(%rdi, %rcx, 8)
	count_one
	jmp	1b

/* HLT with interrupts off: a PV kick wakes it, and nothing is injected. */
guest_halt_kick:
	enable_apic
	cli
1:	hlt
	read_tsc
	mov	%rax, SHARED_ARRIVED(%rdi)
	count_one
	jmp	1b

/* HLT with interrupts on. */
guest_halt_interrupt:
	enable_apic
	sti
1:	hlt
	jmp	1b

/* Never out of the guest by itself. */
guest_spin:
	enable_apic
	sti
1:	jmp	1b

guest_yield:
	enable_apic
	cli
1:	mov	$GUEST_YIELD_CALL, %eax
	mov	$(1 << GUEST_DOORBELL), %ebx
	xor	%ecx, %ecx
	mov	$1, %edx
	xor	%esi, %esi
	test	%ebp, %ebp
	jz	2f
	vmmcall
	jmp	3f
2:	vmcall
3:	mov	%rax, %r8
	read_tsc
	test	%r8, %r8
	js	4f
	/* Not the doorbell: an interrupt of the host's, say. */
	test	$(1 << GUEST_DOORBELL), %r8d
	jz	1b
	mov	%rax, SHARED_ARRIVED(%rdi)
	mov	%rsi, SHARED_RUNG(%rdi)
	count_one
	jmp	1b
4:	mov	%r8, SHARED_REFUSED(%rdi)
	jmp	guest_end

guest_isr:
	push	%rax
	push	%rcx
	push	%rdx
	read_tsc
	mov	%rax, SHARED_ARRIVED(%rdi)
	mov	$X2APIC_EOI, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	count_one
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq

guest_end:
	out	%al, $GUEST_END_PORT
	hlt
guest_image_end:

	.section .note.GNU-stack, "", @progbits
