/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define WAKES_LEAST	10
#define WAKES_MOST	100000

static const char usage[] =
"vmcall-probe: measure how this host's KVM wakes a halted vCPU\n"
"\n"
"  --json        print a result document, for vmcall compare and vmcall report\n"
"  --cpu N       the vCPU's CPU (default: the last one that may be used)\n"
"  --wakes N     of each way, 10 to 100000 (default 2000), in ten rounds in which\n"
"                the ways take turns; fewer where all would take over ten seconds\n"
"  --clock NAME  what a TSC tick means: bare-metal, nested-hardware, instruction\n"
"                or realtime (default: by CPUID)\n"
"  --help\n"
"\n"
"Exit codes: 0 measured, 1 failed, 2 usage, 4 not possible on this machine.\n";

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

struct options
options_parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "wakes", required_argument, NULL, 'w' },
		{ "clock", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options options = { .cpu = -1, .wakes = 2000 };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'j':
			options.json = true;
			break;
		case 'c':
			options.cpu = number(optarg, 0, CPU_SETSIZE - 1);
			break;
		case 'w':
			options.wakes = (unsigned int)number(optarg, WAKES_LEAST, WAKES_MOST);
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
