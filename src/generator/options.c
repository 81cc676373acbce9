// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/ether.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
"vmcall-generator --interface IF [options]\n"
"\n"
"Sends numbered packets, takes them back from whoever returns them to the same\n"
"interface, and measures each round trip.\n"
"\n"
"  --interface IF         interface to send and receive on\n"
"  --count N              packets (default 1000)\n"
"  --interval-us N        one packet each N us: --pattern constant (default 350)\n"
"  --pattern P            when to send:\n"
"                           constant             each --interval-us\n"
"                           uniform:LOW:HIGH     gaps even between LOW and HIGH us\n"
"                           poisson:MEAN         gaps exponential, mean MEAN us\n"
"                           burst:N:GAP          N at once, then GAP us\n"
"                           sweep:FROM:TO:STEP   gaps from FROM to TO ns, longer\n"
"                                                by STEP ns each time, round and round\n"
"                           pair:FROM:TO:STEP:PAUSE  two packets as far apart as a\n"
"                                                sweep says, then PAUSE us: finds lost\n"
"                                                wake-ups\n"
"  --busy-cpu N           while packets flow, let a process of lowest priority\n"
"                         keep CPU N busy, and report time and work it got\n"
"  --busy-ordinary        not of lowest priority, but SCHED_OTHER\n"
"  --watch-cpu N          report how long CPU N was idle while packets flowed\n"
"  --seed N               of the random patterns (default 1)\n"
"  --warmup N             packets sent first that count for nothing (default 0)\n"
"  --size N               frame with check sum, 64 to 1518 bytes (default 64)\n"
"  --destination-mac MAC  default 52:54:00:00:00:02\n"
"  --destinations N       packets go to N addresses in turn, from that one on\n"
"                         (default 1)\n"
"  --destination-ip IP    default 198.18.0.1\n"
"  --cpu N                run on this CPU\n"
"  --fifo-priority N      run as SCHED_FIFO, 1 to 99\n"
"  --quiet-us N           send no packet sooner than this after the reply to the\n"
"                         one before, and those behind it as much later\n"
"  --spin-us N            spin so long before each packet is due and, until it is\n"
"                         back, after it; sleep else (default 0: always sleep)\n"
"  --linger-ms N          wait for stragglers (default 200)\n"
"  --late-us N            a longer round trip is late; 0: none is (default 1000)\n"
"  --samples FILE         write \"sequence,sent_ns,rtt_ns\" of each packet\n"
"  --qdisc-bypass         hand packets to the driver directly\n"
"  --json                 print the result as JSON\n"
"  --progress             say on stderr how far it is\n"
"  --help\n";

enum {
	OPT_INTERFACE = 256, OPT_COUNT, OPT_INTERVAL, OPT_PATTERN, OPT_SEED,
	OPT_WARMUP, OPT_SIZE, OPT_MAC, OPT_IP, OPT_CPU, OPT_FIFO, OPT_LINGER,
	OPT_QUIET, OPT_SPIN, OPT_LATE, OPT_SAMPLES, OPT_BYPASS, OPT_JSON,
	OPT_PROGRESS, OPT_BUSY, OPT_ORDINARY, OPT_WATCH, OPT_DESTINATIONS,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "interface", required_argument, NULL, OPT_INTERFACE },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "interval-us", required_argument, NULL, OPT_INTERVAL },
	{ "pattern", required_argument, NULL, OPT_PATTERN },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "warmup", required_argument, NULL, OPT_WARMUP },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "destination-mac", required_argument, NULL, OPT_MAC },
	{ "destination-ip", required_argument, NULL, OPT_IP },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "fifo-priority", required_argument, NULL, OPT_FIFO },
	{ "quiet-us", required_argument, NULL, OPT_QUIET },
	{ "spin-us", required_argument, NULL, OPT_SPIN },
	{ "linger-ms", required_argument, NULL, OPT_LINGER },
	{ "late-us", required_argument, NULL, OPT_LATE },
	{ "busy-cpu", required_argument, NULL, OPT_BUSY },
	{ "busy-ordinary", no_argument, NULL, OPT_ORDINARY },
	{ "watch-cpu", required_argument, NULL, OPT_WATCH },
	{ "destinations", required_argument, NULL, OPT_DESTINATIONS },
	{ "samples", required_argument, NULL, OPT_SAMPLES },
	{ "qdisc-bypass", no_argument, NULL, OPT_BYPASS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "progress", no_argument, NULL, OPT_PROGRESS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int wrong(const char *name, const char *wanted)
{
	fprintf(stderr, "vmcall-generator: --%s %s: wanted %s\n", name, optarg,
		wanted);
	return -1;
}

static int number(const char *name, uint64_t min, uint64_t max, uint64_t *value)
{
	char wanted[80];
	char *end;

	errno = 0;
	*value = strtoull(optarg, &end, 10);
	if (isdigit((unsigned char)optarg[0]) && errno == 0 && *end == '\0' &&
	    *value >= min && *value <= max)
		return 0;
	snprintf(wanted, sizeof(wanted), "a whole number from %llu to %llu",
		 (unsigned long long)min, (unsigned long long)max);
	return wrong(name, wanted);
}

static int take_number(struct options *options, int option, const char *name)
{
	uint64_t value = 0;
	int ret;

	switch (option) {
	case OPT_COUNT:
		ret = number(name, 1, COUNT_MAX, &value);
		options->count = (uint32_t)value;
		return ret;
	case OPT_WARMUP:
		ret = number(name, 0, COUNT_MAX, &value);
		options->warmup = (uint32_t)value;
		return ret;
	case OPT_INTERVAL:
		ret = number(name, 1, PATTERN_MAX_GAP_NS / 1000, &value);
		options->pattern.interval_ns = value * 1000;
		return ret;
	case OPT_SEED:
		return number(name, 0, UINT64_MAX, &options->seed);
	case OPT_SIZE:
		ret = number(name, SIZE_MIN, SIZE_MAX_BYTES, &value);
		options->size = (unsigned int)value;
		return ret;
	case OPT_CPU:
		ret = number(name, 0, CPU_SETSIZE - 1, &value);
		options->cpu = (int)value;
		return ret;
	case OPT_BUSY:
		ret = number(name, 0, CPU_SETSIZE - 1, &value);
		options->busy_cpu = (int)value;
		return ret;
	case OPT_WATCH:
		ret = number(name, 0, CPU_SETSIZE - 1, &value);
		options->watch_cpu = (int)value;
		return ret;
	case OPT_DESTINATIONS:
		ret = number(name, 1, DESTINATIONS_MAX, &value);
		options->destinations = (unsigned int)value;
		return ret;
	case OPT_FIFO:
		ret = number(name, 1, 99, &value);
		options->fifo_priority = (unsigned int)value;
		return ret;
	case OPT_QUIET:
		return number(name, 0, PATTERN_MAX_GAP_NS / 1000,
			      &options->quiet_us);
	case OPT_SPIN:
		return number(name, 0, PATTERN_MAX_GAP_NS / 1000,
			      &options->spin_us);
	case OPT_LINGER:
		ret = number(name, 0, 600000, &value);
		options->linger_ms = (unsigned int)value;
		return ret;
	default:
		return number(name, 0, PATTERN_MAX_GAP_NS / 1000,
			      &options->late_us);
	}
}

static int take_text(struct options *options, int option, const char *name)
{
	switch (option) {
	case OPT_INTERFACE:
		options->interface = optarg;
		return 0;
	case OPT_SAMPLES:
		options->samples = optarg;
		return 0;
	case OPT_PATTERN:
		if (pattern_parse(&options->pattern, optarg) == 0)
			return 0;
		return wrong(name, "a pattern as --help shows them");
	case OPT_MAC:
		if (ether_aton_r(optarg, &options->destination_mac) != NULL)
			return 0;
		return wrong(name, "an address such as 52:54:00:00:00:02");
	default:
		if (inet_pton(AF_INET, optarg, &options->destination_ip) == 1)
			return 0;
		return wrong(name, "an IPv4 address");
	}
}

static int take_option(struct options *options, int option, const char *name)
{
	switch (option) {
	case OPT_BYPASS:
		options->qdisc_bypass = true;
		return 0;
	case OPT_JSON:
		options->json = true;
		return 0;
	case OPT_ORDINARY:
		options->busy_policy = SCHED_OTHER;
		return 0;
	case OPT_PROGRESS:
		options->progress = true;
		return 0;
	case OPT_HELP:
		fputs(usage, stdout);
		return 1;
	case OPT_INTERFACE:
	case OPT_SAMPLES:
	case OPT_PATTERN:
	case OPT_MAC:
	case OPT_IP:
		return take_text(options, option, name);
	case '?':
		fputs("vmcall-generator: see --help\n", stderr);
		return -1;
	default:
		return take_number(options, option, name);
	}
}

static void set_defaults(struct options *options)
{
	*options = (struct options){
		.count = 1000,
		.pattern = { .kind = PATTERN_CONSTANT, .interval_ns = 350000 },
		.seed = 1,
		.size = SIZE_MIN,
		.cpu = -1,
		.busy_cpu = -1,
		.busy_policy = SCHED_IDLE,
		.watch_cpu = -1,
		.destinations = 1,
		.linger_ms = 200,
		.late_us = 1000,
	};
	ether_aton_r("52:54:00:00:00:02", &options->destination_mac);
	inet_pton(AF_INET, "198.18.0.1", &options->destination_ip);
}

int options_parse(struct options *options, int argc, char **argv)
{
	int option, ret, index = 0;

	set_defaults(options);
	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		ret = take_option(options, option, long_options[index].name);
		if (ret != 0)
			return ret;
	}
	if (optind < argc) {
		fprintf(stderr, "vmcall-generator: %s: not an option; see --help\n",
			argv[optind]);
		return -1;
	}
	if (options->interface == NULL) {
		fputs("vmcall-generator: --interface is missing; see --help\n",
		      stderr);
		return -1;
	}
	return 0;
}
