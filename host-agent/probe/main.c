/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmcall-probe: how fast this host's KVM wakes a halted vCPU, by an injected
 * vector, by its own PV kick, and by a doorbell if it has the series.  A tiny VM
 * by KVM's ioctls: no NIC, no VFIO, no libvirt, no guest image.  One file without
 * libraries, to be copied to a host.
 */
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include "failure.h"
#include "host.h"
#include "options.h"
#include "report.h"
#include "vm.h"
#include "wake.h"

/* An isolated one is not among those that this process begins with. */
static void
require_cpu(int cpu)
{
	cpu_set_t before, wanted;

	CPU_ZERO(&wanted);
	CPU_SET(cpu, &wanted);
	if (sched_getaffinity(0, sizeof(before), &before) != 0)
		die("CPUs");
	if (sched_setaffinity(0, sizeof(wanted), &wanted) != 0) {
		fprintf(stderr, "vmcall-probe: --cpu %d: there is no such CPU, or it is kept from this process (systemd-run, cgroup's cpuset)\n",
			cpu);
		exit(EXIT_USAGE);
	}
	if (sched_setaffinity(0, sizeof(before), &before) != 0)
		die("CPUs");
}

static struct wake_plan
plan_of(const struct options *options)
{
	const struct sched_param param = { .sched_priority = 1 };
	struct wake_plan plan = {
		.vcpu_cpu = options->cpu,
		.other_cpu = -1,
		.wakes = (options->wakes + ROUNDS - 1) / ROUNDS,
	};
	cpu_set_t cpus;
	int cpu;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		die("CPUs");
	if (options->cpu >= 0)
		require_cpu(options->cpu);
	for (cpu = CPU_SETSIZE - 1; cpu >= 0 && plan.vcpu_cpu < 0; cpu--)
		if (CPU_ISSET(cpu, &cpus))
			plan.vcpu_cpu = cpu;
	for (cpu = CPU_SETSIZE - 1; cpu >= 0 && plan.other_cpu < 0; cpu--)
		if (CPU_ISSET(cpu, &cpus) && cpu != plan.vcpu_cpu)
			plan.other_cpu = cpu;
	plan.is_realtime = sched_setscheduler(0, SCHED_FIFO, &param) == 0;
	return plan;
}

int
main(int argc, char **argv)
{
	const struct options options = options_parse(argc, argv);
	const struct wake_plan plan = plan_of(&options);
	struct host host;
	struct findings findings = { .host = &host, .plan = &plan };
	struct vm vm;

	host_read(&host);
	vm_create(&vm);
	/* Not allowed: a page fault may be in a maximum. */
	if (mlockall(MCL_CURRENT) != 0)
		errno = 0;
	findings_measure(&findings, &vm);
	vm_destroy(&vm);
	findings.clock = options.clock != NULL ? options.clock :
		host.is_virtual ? "nested-hardware" : "bare-metal";
	if (!options.json)
		report_text(&findings);
	else if (report_json(&findings) != 0)
		die("result document");
	return 0;
}
