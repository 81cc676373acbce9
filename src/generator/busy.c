// SPDX-License-Identifier: Apache-2.0
#include "busy.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NS_PER_S 1000000000ULL

static int complain(const char *what)
{
	fprintf(stderr, "vmcall-generator: --busy-cpu: %s: %s\n", what,
		strerror(errno));
	return -1;
}

static int become_busy_on(int cpu, int policy, pid_t parent)
{
	const struct sched_param param = { .sched_priority = 0 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned int)cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		return complain("that CPU");
	if (sched_setscheduler(0, policy, &param) != 0)
		return complain("its scheduling policy");
	/* It must not outlive the generator, which may have died by now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		return -1;
	return 0;
}

/* A pause now and then is for emulators that run one virtual CPU at a time: it
 * makes them turn to the next one, which else would wait for long.
 */
static void compute_for_ever(volatile uint64_t *rounds)
{
	for (;;) {
		(*rounds)++;
		if (*rounds % 64 != 0)
			continue;
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#endif
	}
}

int busy_start(struct busy *busy, int cpu, int policy)
{
	const pid_t parent = getpid();
	int error;

	memset(busy, 0, sizeof(*busy));
	if (cpu < 0)
		return 0;
	busy->cpu = cpu;
	busy->rounds = mmap(NULL, sizeof(*busy->rounds), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (busy->rounds == MAP_FAILED)
		return complain("memory");
	busy->pid = fork();
	if (busy->pid < 0) {
		busy->pid = 0;
		return complain("fork");
	}
	if (busy->pid == 0) {
		if (become_busy_on(cpu, policy, parent) == 0)
			compute_for_ever(busy->rounds);
		_exit(1);
	}
	error = clock_getcpuclockid(busy->pid, &busy->clock);
	if (error != 0) {
		busy_stop(busy);
		errno = error;
		return complain("its CPU clock");
	}
	return 0;
}

void busy_stop(struct busy *busy)
{
	cpu_set_t cpus;
	int cpu;

	if (busy->pid == 0)
		return;
	/* On a CPU that a real-time thread never leaves it could not even die. */
	CPU_ZERO(&cpus);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu != busy->cpu)
			CPU_SET(cpu, &cpus);
	sched_setaffinity(busy->pid, sizeof(cpus), &cpus);
	kill(busy->pid, SIGKILL);
	waitpid(busy->pid, NULL, 0);
	busy->pid = 0;
}

uint64_t busy_time_ns(const struct busy *busy)
{
	struct timespec time;

	if (busy->pid == 0 || clock_gettime(busy->clock, &time) != 0)
		return 0;
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

uint64_t busy_work(const struct busy *busy)
{
	return busy->pid != 0 ? *busy->rounds : 0;
}
