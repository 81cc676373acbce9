/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/vmcall: a program's claim on the vCPU that it runs on.
 *
 * A program opens the device, and takes, by VMCALL_TAKE, the vCPU that the
 * calling thread is bound to.  Nobody else can take that vCPU until the file is
 * closed, in whatever way: then all that was allowed and set for it is taken
 * back.  The same file may take again, for other doorbells or another way.
 *
 * With VMCALL_WAY_YIELD the thread may make KVM's yield hypercall by itself, for
 * the doorbells named.  With VMCALL_WAY_HALT it waits by VMCALL_HALT, which
 * halts the vCPU until anything wakes it: on any KVM an MSI in delivery mode 3
 * with vector 0, KVM's PV kick, does so and injects nothing.
 */
#ifndef _UAPI_VMCALL_H
#define _UAPI_VMCALL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VMCALL_DEVICE		"/dev/vmcall"

/* How the vCPU is given back: one or both. */
#define VMCALL_WAY_YIELD	(1U << 0)
#define VMCALL_WAY_HALT		(1U << 1)

/* Why a vCPU was not given, or is not held any more. */
enum vmcall_refusal {
	VMCALL_REFUSED_NOT,
	/* EOPNOTSUPP: this is no KVM guest. */
	VMCALL_REFUSED_NOT_KVM,
	/* EINVAL: the calling thread may run on more than one CPU. */
	VMCALL_REFUSED_NOT_BOUND,
	/* EBUSY: another open file holds this vCPU. */
	VMCALL_REFUSED_BUSY,
	/* EOPNOTSUPP: the host's KVM does not know the yield, or has it off. */
	VMCALL_REFUSED_BY_HOST,
	/* EOPNOTSUPP: HLT does not leave the guest here (cpu-pm), so that no
	 * kick ends it.
	 */
	VMCALL_REFUSED_NO_HLT_EXIT,
	/* ESHUTDOWN: the system shuts down. */
	VMCALL_REFUSED_SHUTDOWN,
};

struct vmcall_take {
	__u64 doorbells;	/* mask; for VMCALL_WAY_YIELD */
	__u32 ways;
	__u32 refusal;		/* out: enum vmcall_refusal */
	__u32 cpu;		/* out: the CPU that was taken */
	__u32 reserved;		/* 0 */
};

/*
 * A word to look at before halting: halt only while it has this value, under
 * the mask.  The address is a multiple of 8.
 */
struct vmcall_look {
	__u64 address;
	__u64 mask;
	__u64 value;
};

#define VMCALL_LOOKS_MOST	32

/* What ended the wait: one or more, as the ioctl's return value. */
#define VMCALL_HALT_HALTED	(1U << 0)	/* the vCPU was halted */
#define VMCALL_HALT_CHANGED	(1U << 1)	/* a word had another value: no halt */
#define VMCALL_HALT_TIMER	(1U << 2)	/* the longest wait was over */
#define VMCALL_HALT_SIGNAL	(1U << 3)	/* a signal is pending */
#define VMCALL_HALT_RESCHED	(1U << 4)	/* another thread wants the CPU */

struct vmcall_halt {
	__u64 looks;		/* address of struct vmcall_look[count] */
	__u64 timeout_ns;	/* at most so long; 0: the driver's own limit */
	__u32 count;		/* 0 to VMCALL_LOOKS_MOST */
	__u32 reserved;		/* 0 */
};

#define VMCALL_IOC		0xbc
/* Take the vCPU that the calling thread is bound to. */
#define VMCALL_TAKE		_IOWR(VMCALL_IOC, 1, struct vmcall_take)
/*
 * Look at the words once more with interrupts off and, if none has changed,
 * halt.  Returns VMCALL_HALT_*.  ENXIO: not on the vCPU that was taken; ENODEV: it is not held for
 * VMCALL_WAY_HALT; EFAULT: a word cannot be read.  May return for no reason.
 */
#define VMCALL_HALT		_IOW(VMCALL_IOC, 2, struct vmcall_halt)
/* Give it back before the file is closed. */
#define VMCALL_GIVE_BACK	_IO(VMCALL_IOC, 3)

#endif /* _UAPI_VMCALL_H */
