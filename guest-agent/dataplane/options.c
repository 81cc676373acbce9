/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vcpu_yield.h>

#include "options.h"

static const char usage[] =
"vmcall-dataplane [EAL options] -- [options]\n"
"\n"
"Sends each packet of the first port back out of it.  One queue, one lcore:\n"
"give EAL one CPU (-l N).\n"
"\n"
"  --policy NAME           what to do while no packet comes:\n"
"                          " WAIT_POLICY_NAMES " (default poll)\n"
"  --idle-threshold-us N   sleep after N us with no packet (default 300)\n"
"  --wait-timeout-us N     longest sleep; 0 is without limit (default 100000)\n"
"  --doorbell N            doorbell of the vmcall policy, 1 to 31 (default 1)\n"
"  --fifo-priority N       run the lcore as SCHED_FIFO, 1 to 99\n"
"  --tsc-khz N             rate of the TSC (default: what KVM or DPDK says)\n"
"  --pause                 PAUSE after each empty poll: kind to a sibling thread, and\n"
"                          needed where an emulator runs one virtual CPU at a\n"
"                          time; in a VM each may cost an exit\n"
"  --arm-delay-us N        test aid: waste N us between the empty poll and arming\n"
"                          the NIC, so that packets hit that gap (default 0)\n"
"  --no-promiscuous        take only packets sent to the port\n"
"  --no-irq-affinity       leave the NIC's interrupts on the CPUs they are on\n"
"  --help\n";

static char program[] = "vmcall-dataplane";

enum {
	OPT_POLICY = 256,
	OPT_IDLE,
	OPT_TIMEOUT,
	OPT_DOORBELL,
	OPT_FIFO,
	OPT_TSC,
	OPT_PAUSE,
	OPT_ARM_DELAY,
	OPT_NO_PROMISCUOUS,
	OPT_NO_AFFINITY,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "idle-threshold-us", required_argument, NULL, OPT_IDLE },
	{ "wait-timeout-us", required_argument, NULL, OPT_TIMEOUT },
	{ "doorbell", required_argument, NULL, OPT_DOORBELL },
	{ "fifo-priority", required_argument, NULL, OPT_FIFO },
	{ "tsc-khz", required_argument, NULL, OPT_TSC },
	{ "pause", no_argument, NULL, OPT_PAUSE },
	{ "arm-delay-us", required_argument, NULL, OPT_ARM_DELAY },
	{ "no-promiscuous", no_argument, NULL, OPT_NO_PROMISCUOUS },
	{ "no-irq-affinity", no_argument, NULL, OPT_NO_AFFINITY },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

int
options_parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= max ? 0 : -1;
}

static int
number(const char *option, uint64_t min, uint64_t max, uint64_t *value)
{
	if (options_parse_number(optarg, max, value) == 0 && *value >= min)
		return 0;
	fprintf(stderr,
		"vmcall-dataplane: --%s %s: wanted a whole number from %llu to %llu\n",
		option, optarg, (unsigned long long)min,
		(unsigned long long)max);
	return -1;
}

static int
take_option(struct options *options, int option, const char *name)
{
	uint64_t value = 0;
	int ret = 0;

	switch (option) {
	case OPT_POLICY:
		if (wait_policy_parse(optarg, &options->policy))
			return 0;
		fprintf(stderr,
			"vmcall-dataplane: --policy %s: wanted " WAIT_POLICY_NAMES "\n",
			optarg);
		return -1;
	case OPT_IDLE:
		return number(name, 0, OPTIONS_MAX_US,
				&options->idle_threshold_us);
	case OPT_TIMEOUT:
		return number(name, 0, OPTIONS_MAX_US,
				&options->wait_timeout_us);
	case OPT_DOORBELL:
		ret = number(name, KVM_DOORBELL_MIN, KVM_DOORBELL_MAX, &value);
		options->doorbell = (unsigned int)value;
		return ret;
	case OPT_FIFO:
		ret = number(name, 1, 99, &value);
		options->fifo_priority = (unsigned int)value;
		return ret;
	case OPT_TSC:
		return number(name, 1000, 100000000, &options->tsc_khz);
	case OPT_PAUSE:
		options->pause = true;
		return 0;
	case OPT_ARM_DELAY:
		return number(name, 0, OPTIONS_MAX_US, &options->arm_delay_us);
	case OPT_NO_PROMISCUOUS:
		options->promiscuous = false;
		return 0;
	case OPT_NO_AFFINITY:
		options->set_irq_affinity = false;
		return 0;
	case OPT_HELP:
		fputs(usage, stdout);
		return 1;
	default:
		fputs("vmcall-dataplane: see --help\n", stderr);
		return -1;
	}
}

int
options_begin(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

int
options_parse(struct options *options, int argc, char **argv)
{
	int option, ret = 0, index = 0;
	char *dashes;

	*options = (struct options) {
		.policy = WAIT_POLICY_POLL,
		.idle_threshold_us = 300,
		.wait_timeout_us = 100000,
		.doorbell = 1,
		.promiscuous = true,
		.set_irq_affinity = true,
	};
	if (argc == 0)
		return 0;
	/* getopt begins its messages with the first word. */
	dashes = argv[0];
	argv[0] = program;
	optind = 1;
	while (ret == 0 && (option = getopt_long(argc, argv, "", long_options,
					&index)) != -1)
		ret = take_option(options, option, long_options[index].name);
	argv[0] = dashes;
	if (ret != 0)
		return ret;
	if (optind < argc) {
		fprintf(stderr,
			"vmcall-dataplane: %s: not an option; see --help\n",
			argv[optind]);
		return -1;
	}
	return 0;
}
