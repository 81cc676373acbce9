/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmcall-probe: how fast this host's KVM wakes a halted vCPU, by an injected
 * vector, by its own PV kick, and by a doorbell if it has the series.  A tiny VM
 * by KVM's ioctls: no NIC, no VFIO, no libvirt, no guest image.  One file without
 * libraries, to be copied to a host.
 */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include "failure.h"
#include "host.h"
#include "report.h"
#include "vm.h"
#include "wake.h"

#define ROUNDS_MOST	100000
#define EXIT_USAGE	2

static const char usage[] =
"vmcall-probe: measure how this host's KVM wakes a halted vCPU\n"
"\n"
"  --json        print a result document, for vmcall compare and vmcall report\n"
"  --cpu N       the vCPU's CPU (default: the last one that may be used)\n"
"  --rounds N    wakes of each way, 1 to 100000 (default 2000, some ten seconds)\n"
"  --clock NAME  what a TSC tick means: bare-metal, nested-hardware, instruction\n"
"                or realtime (default: by CPUID)\n"
"  --help\n"
"\n"
"Exit codes: 0 measured, 1 failed, 2 usage, 4 not possible on this machine.\n";

struct options {
	bool json;
	int cpu;
	unsigned int rounds;
	const char *clock;
};

static int
number(const char *text, int low, int high)
{
	char *end;
	const long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < low || value > high) {
		fprintf(stderr, "vmcall-probe: %s: wanted a whole number from %d to %d\n",
			text, low, high);
		exit(EXIT_USAGE);
	}
	return (int)value;
}

static const char *
clock_name(const char *text)
{
	static const char *const names[] = {
		"bare-metal", "nested-hardware", "instruction", "realtime",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return names[i];
	fprintf(stderr, "vmcall-probe: --clock %s: see --help\n", text);
	exit(EXIT_USAGE);
}

static struct options
parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "clock", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options options = { .cpu = -1, .rounds = 2000 };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'j':
			options.json = true;
			break;
		case 'c':
			options.cpu = number(optarg, 0, CPU_SETSIZE - 1);
			break;
		case 'r':
			options.rounds = (unsigned int)number(optarg, 1, ROUNDS_MOST);
			break;
		case 'k':
			options.clock = clock_name(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vmcall-probe: %s: no argument is taken; see --help\n",
			argv[optind]);
		exit(EXIT_USAGE);
	}
	return options;
}

static struct wake_plan
plan_of(const struct options *options)
{
	const struct sched_param param = { .sched_priority = 1 };
	struct wake_plan plan = {
		.vcpu_cpu = options->cpu,
		.other_cpu = -1,
		.rounds = options->rounds,
	};
	cpu_set_t cpus;
	int cpu;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		die("CPUs");
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
	static struct finding all[] = {
		{ .path = { WAKE_BY_VECTOR, false, false } },
		{ .path = { WAKE_BY_PV_KICK, false, false } },
		{ .path = { WAKE_BY_DOORBELL, false, false } },
		{ .path = { WAKE_BY_VECTOR, true, false } },
		{ .path = { WAKE_BY_PV_KICK, true, false } },
		{ .path = { WAKE_BY_DOORBELL, true, false } },
		{ .path = { WAKE_BY_VECTOR, true, true } },
		{ .path = { WAKE_BY_PV_KICK, true, true } },
		{ .path = { WAKE_BY_DOORBELL, true, true } },
	};
	const struct options options = parse(argc, argv);
	struct findings findings = { .all = all,
		.count = sizeof(all) / sizeof(all[0]) };
	struct wake_plan plan;
	struct host host;
	struct vm vm;
	size_t i;

	host_read(&host);
	vm_create(&vm);
	plan = plan_of(&options);
	/* Not allowed: a page fault may be in a maximum. */
	if (mlockall(MCL_CURRENT) != 0)
		errno = 0;
	for (i = 0; i < findings.count; i++)
		all[i].outcome = wake_measure(&vm, &plan, &all[i].path,
			&all[i].latency);
	vm_destroy(&vm);
	findings.host = &host;
	findings.plan = &plan;
	findings.clock = options.clock != NULL ? options.clock :
		host.is_virtual ? "nested-hardware" : "bare-metal";
	if (!options.json)
		report_text(&findings);
	else if (report_json(&findings) != 0)
		die("result document");
	return 0;
}
