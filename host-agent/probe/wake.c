/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "failure.h"
#include "wake.h"

#define WARM_UP		20
#define VCPU_PRIORITY	10
/* Below the vCPU, so that a trigger on its CPU runs while it sleeps. */
#define TRIGGER_PRIORITY 5
#define KICK_DATA	0x300
#define DOORBELL_DATA	(0x300 | GUEST_DOORBELL)
/* Between wakes: long enough for the vCPU's thread to sleep, or so short that
 * KVM still polls for it.
 */
#define ASLEEP_NS	150000
#define POLLING_NS	20000
/* As KVM's own default (halt_poll_ns). */
#define HALT_POLL_NS	200000
#define NEVER_NS	1000000000LL
/* Of one round of one way: ten of nine in ten seconds. */
#define LONGEST_NS	90000000LL

static const struct kind {
	const char *name;
	const char *entry;
	uint32_t data;
} kinds[WAKE_KINDS] = {
	[WAKE_BY_VECTOR] = { "injected", guest_halt_interrupt, GUEST_VECTOR },
	[WAKE_BY_PV_KICK] = { "pv-kick", guest_halt_kick, KICK_DATA },
	[WAKE_BY_DOORBELL] = { "vmcall", guest_yield, DOORBELL_DATA },
};

struct trigger {
	struct vm *vm;
	const struct wake_plan *plan;
	const struct wake_path *path;
	struct hdr *round, *all;
	pthread_t vcpu;
	bool never;
};

const char *
wake_kind_name(enum wake_kind kind)
{
	return kinds[kind].name;
}

static void
take_cpu(int cpu, int priority, bool is_realtime)
{
	const struct sched_param param = { .sched_priority = priority };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		die("CPU %d", cpu);
	if (is_realtime && sched_setscheduler(0, SCHED_FIFO, &param) != 0)
		die("SCHED_FIFO");
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void
sleep_ns(long ns)
{
	const struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

/* Without a timer, whose slack is longer than KVM polls. */
static void
spin_ns(int64_t ns)
{
	const int64_t until = now_ns() + ns;

	while (now_ns() < until)
		_mm_pause();
}

static void
pause_between(const struct trigger *trigger)
{
	if (trigger->path->halt_polling)
		spin_ns(POLLING_NS);
	else
		sleep_ns(ASLEEP_NS);
}

/* @return whether the guest was woken */
static bool
await_guest(const struct trigger *trigger, uint64_t seen)
{
	volatile struct guest_shared *shared = trigger->vm->shared;
	const int64_t until = now_ns() + NEVER_NS;

	while (shared->count == seen && shared->refused == 0) {
		if (now_ns() > until)
			return false;
		if (trigger->path->from_other_cpu)
			_mm_pause();
	}
	return true;
}

static void
record(const struct trigger *trigger, uint64_t ns)
{
	hdr_record(trigger->round, ns);
	hdr_record(trigger->all, ns);
}

static void
end_guest(struct trigger *trigger)
{
	trigger->vm->run->immediate_exit = 1;
	pthread_kill(trigger->vcpu, SIGUSR1);
}

static void *
pull(void *arg)
{
	struct trigger *trigger = arg;
	const struct wake_plan *plan = trigger->plan;
	struct vm *vm = trigger->vm;
	volatile struct guest_shared *shared = vm->shared;
	const uint64_t one = 1;
	const int64_t until = now_ns() + LONGEST_NS;
	uint64_t before, seen;
	unsigned int i;

	take_cpu(trigger->path->from_other_cpu ? plan->other_cpu : plan->vcpu_cpu,
		TRIGGER_PRIORITY, plan->is_realtime);
	for (i = 0; i < plan->wakes + WARM_UP && shared->refused == 0; i++) {
		pause_between(trigger);
		seen = shared->count;
		before = __rdtsc();
		if (write(vm->interrupt, &one, sizeof(one)) != sizeof(one))
			die("eventfd");
		trigger->never = !await_guest(trigger, seen);
		if (trigger->never)
			break;
		if (i >= WARM_UP && shared->arrived > before)
			record(trigger, (shared->arrived - before) *
				1000000 / vm->tsc_khz);
		if (i >= WARM_UP && now_ns() > until)
			break;
	}
	if (trigger->never || i < plan->wakes + WARM_UP)
		end_guest(trigger);
	return NULL;
}

static void
nothing(int signal)
{
	(void)signal;
}

enum wake_outcome
wake_measure(struct vm *vm, const struct wake_plan *plan,
		const struct wake_path *path, struct hdr *round, struct hdr *all)
{
	const struct sigaction interrupt = { .sa_handler = nothing };
	const struct kind *kind = &kinds[path->kind];
	struct trigger trigger = {
		.vm = vm,
		.plan = plan,
		.path = path,
		.round = round,
		.all = all,
		.vcpu = pthread_self(),
	};
	pthread_t thread;

	if (path->from_other_cpu && plan->other_cpu < 0)
		return WAKE_ABSENT;
	if (!vm_switch(vm, path->kind == WAKE_BY_DOORBELL, false) &&
	    path->kind == WAKE_BY_DOORBELL)
		return WAKE_ABSENT;
	if (!vm_halt_polling(vm, path->halt_polling ? HALT_POLL_NS : 0) &&
	    path->halt_polling)
		return WAKE_ABSENT;
	/* No SA_RESTART: it ends KVM_RUN. */
	sigaction(SIGUSR1, &interrupt, NULL);
	take_cpu(plan->vcpu_cpu, VCPU_PRIORITY, plan->is_realtime);
	vm_route(vm, kind->data);
	vm_prepare(vm, kind->entry, plan->wakes + WARM_UP);
	errno = pthread_create(&thread, NULL, pull, &trigger);
	if (errno != 0)
		die("thread");
	vm_run(vm);
	pthread_join(thread, NULL);
	vm->run->immediate_exit = 0;
	if (vm->shared->refused != 0)
		return WAKE_ABSENT;
	return trigger.never ? WAKE_NEVER : WAKE_MEASURED;
}
