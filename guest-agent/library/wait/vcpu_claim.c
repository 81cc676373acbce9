/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "failure.h"
#include "vcpu_claim.h"

bool
vcpu_claim_possible(void)
{
	return access(VMCALL_DEVICE, F_OK) == 0;
}

static int
explain_open(struct failure *failure, int error)
{
	switch (error) {
	case ENOENT:
		return failure_set(failure, "ENOENT",
			"%s is missing: load the guest driver (modprobe vmcall)",
			VMCALL_DEVICE);
	case EACCES:
	case EPERM:
		return failure_set(failure, "EACCES",
			"no right to open %s: run as a member of its group",
			VMCALL_DEVICE);
	default:
		return failure_errno(failure, error, "opening %s: %s",
			VMCALL_DEVICE, strerror(error));
	}
}

static const char *
refusal_text(uint32_t refusal)
{
	switch (refusal) {
	case VMCALL_REFUSED_NOT_KVM:
		return "this is no KVM guest";
	case VMCALL_REFUSED_NOT_BOUND:
		return "the lcore is not bound to one CPU";
	case VMCALL_REFUSED_BUSY:
		return "another program holds this vCPU";
	case VMCALL_REFUSED_BY_HOST:
		return "the host's KVM lacks the VM call, or has it off for this VM";
	case VMCALL_REFUSED_NO_HLT_EXIT:
		return "HLT does not leave this VM (cpu-pm=on), so no kick ends it";
	case VMCALL_REFUSED_SHUTDOWN:
		return "this system is shutting down";
	default:
		return NULL;
	}
}

static int
explain_take(struct failure *failure, int error, uint32_t refusal)
{
	const char *text = refusal_text(refusal);

	return failure_errno(failure, error, "%s: %s", VMCALL_DEVICE,
		text != NULL ? text : strerror(error));
}

int
vcpu_claim_take(struct vcpu_claim *claim, uint32_t way, uint64_t doorbells,
		struct failure *failure)
{
	struct vmcall_take take = { .ways = way, .doorbells = doorbells };
	int error;

	claim->fd = open(VMCALL_DEVICE, O_RDWR | O_CLOEXEC);
	if (claim->fd < 0)
		return explain_open(failure, errno);
	if (ioctl(claim->fd, VMCALL_TAKE, &take) == 0)
		return 0;
	error = errno;
	vcpu_claim_give_back(claim);
	return explain_take(failure, error, take.refusal);
}

void
vcpu_claim_give_back(struct vcpu_claim *claim)
{
	if (claim->fd >= 0)
		close(claim->fd);
	claim->fd = -1;
}

int
vcpu_claim_halt(const struct vcpu_claim *claim,
		const struct vmcall_look *looks, uint32_t count,
		uint64_t timeout_ns)
{
	struct vmcall_halt halt = {
		.looks = (uintptr_t)looks,
		.timeout_ns = timeout_ns,
		.count = count,
	};

	return ioctl(claim->fd, VMCALL_HALT, &halt);
}
