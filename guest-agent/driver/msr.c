// SPDX-License-Identifier: GPL-2.0-only
/* MSRs of another CPU.  A write by the kernel itself taints nothing. */
#include <linux/smp.h>
#include <asm/msr.h>

#include "msr.h"

struct access {
	u32 msr;
	u32 low, high;
	int error;
};

static void read_here(void *arg)
{
	struct access *access = arg;

	access->error = rdmsr_safe(access->msr, &access->low, &access->high);
}

static void write_here(void *arg)
{
	struct access *access = arg;

	access->error = wrmsr_safe(access->msr, access->low, access->high);
}

int msr_read(unsigned int cpu, u32 msr, u64 *value)
{
	struct access access = { .msr = msr };
	int error = smp_call_function_single(cpu, read_here, &access, 1);

	*value = (u64)access.high << 32 | access.low;
	return error ?: (access.error ? -EIO : 0);
}

int msr_write(unsigned int cpu, u32 msr, u64 value)
{
	struct access access = {
		.msr = msr,
		.low = lower_32_bits(value),
		.high = upper_32_bits(value),
	};
	int error = smp_call_function_single(cpu, write_here, &access, 1);

	return error ?: (access.error ? -EIO : 0);
}
