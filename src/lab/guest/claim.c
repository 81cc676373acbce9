/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmcall-claim: the guest driver's other user, for the lab.
 *
 *	vmcall-claim try CPU yield|halt [GID]	take the vCPU and give it back
 *	vmcall-claim hold CPU yield|halt	keep it, until killed
 *	vmcall-claim halt CPU			keep it, and halt forever
 *	vmcall-claim msr CPU NUMBER		read an MSR, by the raw device
 *
 * Prints one word, or several: "taken", "refused ERRNO REASON", a value.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <vmcall.h>

static int
bind_to(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

static int
take(const char *way)
{
	struct vmcall_take take = { .ways = VMCALL_WAY_HALT };
	int fd = open(VMCALL_DEVICE, O_RDWR | O_CLOEXEC);

	if (strcmp(way, "yield") == 0) {
		take.ways = VMCALL_WAY_YIELD;
		take.doorbells = 2;
	}
	if (fd >= 0 && ioctl(fd, VMCALL_TAKE, &take) == 0) {
		puts("taken");
		fflush(stdout);
		return fd;
	}
	printf("refused %s %u\n", strerrorname_np(errno), take.refusal);
	return -1;
}

static void
halt_for_ever(int fd)
{
	struct vmcall_halt halt = { 0 };

	while (ioctl(fd, VMCALL_HALT, &halt) >= 0)
		;
	printf("ended %s\n", strerrorname_np(errno));
}

static int
show_msr(int cpu, const char *number)
{
	char path[32];
	uint64_t value;
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", cpu);
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, &value, sizeof(value),
			strtol(number, NULL, 0)) != sizeof(value)) {
		printf("unreadable %s\n", strerrorname_np(errno));
		return 1;
	}
	printf("0x%llx\n", (unsigned long long)value);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	const int cpu = argc > 2 ? atoi(argv[2]) : 0;
	int fd;

	if (strcmp(verb, "msr") == 0 && argc == 4)
		return show_msr(cpu, argv[3]);
	if (argc < 3 || bind_to(cpu) != 0)
		return 2;
	if (argc == 5 && (setgid(atoi(argv[4])) != 0 || setuid(65534) != 0))
		return 2;
	fd = take(argc > 3 ? argv[3] : "halt");
	if (fd < 0)
		return 1;
	if (strcmp(verb, "hold") == 0)
		pause();
	if (strcmp(verb, "halt") == 0)
		halt_for_ever(fd);
	return 0;
}
