/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmcall-costs: what KVM's paths cost, in ticks of the TSC.  Everything runs on
 * one CPU: a thread below the vCPU triggers, so each figure is from the trigger
 * to the guest's first instruction thereafter, with nothing else in between.
 * Under the lab's instruction clock a tick is an instruction.
 *
 *	vmcall-costs --cpu N --rounds N [--device PCI-ADDRESS]
 *
 * Prints a JSON array, an object for each path; needs root.
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "device.h"
#include "failure.h"
#include "vm.h"

#define MAX_ROUNDS 4096
#define WARM_UP 20
#define VCPU_PRIORITY 10
/* Below and above the vCPU. */
#define LOW_PRIORITY 5
#define HIGH_PRIORITY 20
/* The 82574's model throttles for 128 us. */
#define PAUSE_NS 400000
#define KICK_DATA 0x300
#define DOORBELL_DATA (0x300 | GUEST_DOORBELL)

enum trigger { NO_TRIGGER, BY_EVENTFD, BY_DEVICE };

static const struct path {
	const char *name;
	const char *entry;
	enum trigger trigger;
	uint32_t data;
	/* The vCPU runs when the trigger comes. */
	bool running;
	bool yield, hardirq;
} paths[] = {
	{ .name = "hypercall", .entry = guest_hypercall },
	{ .name = "halt-kick", .entry = guest_halt_kick,
	  .trigger = BY_EVENTFD, .data = KICK_DATA },
	{ .name = "halt-interrupt", .entry = guest_halt_interrupt,
	  .trigger = BY_EVENTFD, .data = GUEST_VECTOR },
	{ .name = "interrupt", .entry = guest_spin,
	  .trigger = BY_EVENTFD, .data = GUEST_VECTOR, .running = true },
	{ .name = "device-interrupt", .entry = guest_halt_interrupt,
	  .trigger = BY_DEVICE, .data = GUEST_VECTOR },
	{ .name = "device-interrupt-hardirq", .entry = guest_halt_interrupt,
	  .trigger = BY_DEVICE, .data = GUEST_VECTOR, .hardirq = true },
	{ .name = "doorbell", .entry = guest_yield,
	  .trigger = BY_EVENTFD, .data = DOORBELL_DATA, .yield = true },
	{ .name = "device-doorbell-threaded", .entry = guest_yield,
	  .trigger = BY_DEVICE, .data = DOORBELL_DATA, .yield = true },
	{ .name = "device-doorbell", .entry = guest_yield,
	  .trigger = BY_DEVICE, .data = DOORBELL_DATA, .yield = true,
	  .hardirq = true },
};

/* Ticks from the trigger, round by round. */
struct times {
	/* To the guest's first instruction. */
	uint64_t wake[MAX_ROUNDS];
	/* To the doorbell's latch. */
	uint64_t ring[MAX_ROUNDS];
	/* To the trigger's next instruction, with the vCPU asleep again. */
	uint64_t back[MAX_ROUNDS];
};

struct job {
	const struct path *path;
	struct vm *vm;
	struct device *device;
	int rounds;
	struct times *times;
};

static void
take_cpu(int cpu)
{
	const struct sched_param param = { .sched_priority = VCPU_PRIORITY };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		die("CPU %d", cpu);
	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0)
		die("SCHED_FIFO");
}

static void
let_vcpu_run(const struct job *job)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	/* While a thread below the vCPU runs the vCPU sleeps already. */
	if (job->path->running || job->path->trigger == BY_DEVICE)
		nanosleep(&pause, NULL);
}

static uint64_t
pull(const struct job *job)
{
	const uint64_t one = 1;
	uint64_t before;

	if (job->path->trigger == BY_DEVICE) {
		device_arm(job->device);
		before = __rdtsc();
		job->device->registers[DEVICE_SET_CAUSE / 4] = DEVICE_CAUSE;
		return before;
	}
	before = __rdtsc();
	if (write(job->vm->interrupt, &one, sizeof(one)) != sizeof(one))
		die("eventfd");
	return before;
}

static void *
trigger(void *arg)
{
	const struct job *job = arg;
	volatile struct guest_shared *shared = job->vm->shared;
	uint64_t before, after, seen;
	int i;

	for (i = 0; i < job->rounds + WARM_UP; i++) {
		let_vcpu_run(job);
		seen = shared->count;
		before = pull(job);
		after = __rdtsc();
		/* Without a wait here the guest's instructions would be ours. */
		while (shared->count == seen && shared->refused == 0) {
			if (job->path->running)
				let_vcpu_run(job);
			after = __rdtsc();
		}
		if (shared->refused != 0 || i < WARM_UP)
			continue;
		job->times->wake[i - WARM_UP] = shared->arrived - before;
		job->times->ring[i - WARM_UP] = shared->rung - before;
		job->times->back[i - WARM_UP] = after - before;
	}
	return NULL;
}

static void
print_ticks(const char *name, const uint64_t *ticks, int count)
{
	int i;

	printf(", \"%s\": [", name);
	for (i = 0; i < count; i++)
		printf("%s%llu", i == 0 ? "" : ", ", (unsigned long long)ticks[i]);
	printf("]");
}

static pthread_t
start_trigger(const struct job *job)
{
	const struct sched_param param = { .sched_priority =
		job->path->running ? HIGH_PRIORITY : LOW_PRIORITY };
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
	pthread_attr_setschedparam(&attributes, &param);
	errno = pthread_create(&thread, &attributes, trigger, (void *)job);
	if (errno != 0)
		die("thread");
	pthread_attr_destroy(&attributes);
	return thread;
}

/* @return false if this KVM or this machine does not have the path */
static bool
measure(const struct job *job, bool first)
{
	const struct path *path = job->path;
	struct vm *vm = job->vm;
	pthread_t thread;

	if (path->trigger == BY_DEVICE && job->device == NULL)
		return false;
	if (!vm_switch(vm, path->yield, path->hardirq) &&
	    (path->yield || path->hardirq))
		return false;
	if (path->trigger != NO_TRIGGER)
		vm_route(vm, path->data);
	vm_prepare(vm, path->entry, job->rounds + WARM_UP);
	if (path->trigger != NO_TRIGGER)
		thread = start_trigger(job);
	vm_run(vm);
	if (path->trigger != NO_TRIGGER)
		pthread_join(thread, NULL);
	errno = 0;
	if (vm->shared->refused != 0)
		die("%s: the call returned %lld", path->name,
			(long long)vm->shared->refused);
	printf("%s{\"name\": \"%s\"", first ? "" : ",\n", path->name);
	if (path->trigger == NO_TRIGGER) {
		print_ticks("wake", vm->shared->calls + WARM_UP, job->rounds);
	} else {
		print_ticks("wake", job->times->wake, job->rounds);
		if (path->trigger == BY_EVENTFD && !path->running)
			print_ticks("back", job->times->back, job->rounds - 1);
	}
	if (path->yield)
		print_ticks("ring", job->times->ring, job->rounds);
	printf("}");
	return true;
}

static int
number(const char *text, int low, int high)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < low || value > high) {
		fprintf(stderr, "vmcall-costs: %s is not a number from %d to %d\n",
			text, low, high);
		exit(2);
	}
	return value;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cpu", required_argument, NULL, 'c' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "device", required_argument, NULL, 'd' },
		{ 0 },
	};
	static struct times times;
	struct job job = { .times = &times };
	const char *address = NULL;
	int cpu = -1;
	struct device device;
	bool first = true;
	struct vm vm;
	size_t i;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			cpu = number(optarg, 0, CPU_SETSIZE - 1);
			break;
		case 'r':
			job.rounds = number(optarg, 1, MAX_ROUNDS);
			break;
		case 'd':
			address = optarg;
			break;
		default:
			return 2;
		}
	}
	if (cpu < 0 || job.rounds == 0 || optind != argc) {
		fprintf(stderr, "Usage: vmcall-costs --cpu N --rounds N [--device PCI-ADDRESS]\n");
		return 2;
	}
	memset(&times, 0, sizeof(times));
	if (mlockall(MCL_CURRENT) != 0)
		die("mlockall");
	take_cpu(cpu);
	vm_create(&vm);
	job.vm = &vm;
	if (address != NULL) {
		device_open(&device, address, vm.interrupt, cpu);
		job.device = &device;
	}
	printf("[");
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		job.path = &paths[i];
		if (measure(&job, first))
			first = false;
	}
	printf("]\n");
	if (job.device != NULL)
		device_close(&device);
	vm_destroy(&vm);
	return 0;
}
