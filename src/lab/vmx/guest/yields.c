/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yields WAITS: a program that gives its vCPU away from user space, on a guest
 * of two.
 *
 * It takes CPU 0 by the guest's driver, and waits for a doorbell by the
 * hypercall.  Its child on CPU 1 rings that doorbell, a while after each wait
 * has begun, by an IPI in delivery mode 3: a write to the x2APIC's ICR.  Prints
 * what kernel selftests print.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vcpu_yield.h>
#include <vmcall.h>

/* Numbers below 16 are no vectors of an IPI. */
#define DOORBELL	17
#define X2APIC_ICR	0x830
/* Longer than any wait lasts, ns. */
#define TIMEOUT		5000000000ULL

/* Of both: which wait has begun. */
static _Atomic int *begun;

static void
die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
bind_to(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		die("sched_setaffinity");
}

static void
ring(int fd)
{
	const uint64_t icr = 0x300 | DOORBELL;	/* to APIC ID 0 */

	if (pwrite(fd, &icr, sizeof(icr), X2APIC_ICR) != sizeof(icr))
		die("write to the ICR");
}

static void
ringer(int waits)
{
	int fd, i;

	bind_to(1);
	fd = open("/dev/cpu/1/msr", O_WRONLY);
	if (fd < 0)
		die("/dev/cpu/1/msr");
	for (i = 1; i <= waits; i++) {
		while (atomic_load(begun) < i)
			sched_yield();
		/* From at once, to when the vCPU is asleep for sure. */
		usleep(i % 5 * 1000);
		ring(fd);
	}
	exit(0);
}

int
main(int argc, char **argv)
{
	const int waits = argc > 1 ? atoi(argv[1]) : 50;
	struct vmcall_take take = {
		.doorbells = 1ULL << DOORBELL, .ways = VMCALL_WAY_YIELD,
	};
	int interrupted = 0, timeouts = 0, rung = 0, failed = 0, fd, i;
	int64_t why;
	pid_t child;

	puts("TAP version 13\n1..1");
	fflush(stdout);
	begun = mmap(NULL, sizeof(*begun), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (begun == MAP_FAILED)
		die("mmap");
	child = fork();
	if (child == 0)
		ringer(waits);
	bind_to(0);
	fd = open(VMCALL_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, VMCALL_TAKE, &take) != 0)
		die("vCPU not given");
	for (i = 1; i <= waits; i++) {
		atomic_store(begun, i);
		do {
			why = kvm_vcpu_yield(KVM_VCPU_YIELD_VMCALL,
					1ULL << DOORBELL, TIMEOUT, 0, NULL);
			if (why > 0 && (why & KVM_VCPU_YIELD_INTERRUPT))
				interrupted++;
		} while (why >= 0 && !(why & (1ULL << DOORBELL | KVM_VCPU_YIELD_TIMEOUT)));
		if (why < 0) {
			printf("# wait %d: error %lld\n", i, (long long)why);
			failed++;
		} else if (why & 1ULL << DOORBELL) {
			rung++;
		} else {
			timeouts++;
		}
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("# waits=%d rung=%d timeouts=%d errors=%d interrupted=%d\n",
		waits, rung, timeouts, failed, interrupted);
	printf("%s 1 user_space_waits\n", rung == waits ? "ok" : "not ok");
	return rung != waits;
}
