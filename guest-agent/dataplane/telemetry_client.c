/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "telemetry_link.h"
#include "telemetry_serve.h"

static const char usage[] =
"vmcall-telemetry [--socket PATH] COMMAND\n"
"    Send one DPDK telemetry command, e.g. /vmcall/policy,interrupt, and print\n"
"    its reply.\n"
"vmcall-telemetry [--socket PATH] --serve DEVICE\n"
"    Answer the commands that come line by line from a character device;\n"
"    - is standard input, with the replies on standard output.\n"
"\n"
"  --socket PATH   default /var/run/dpdk/rte/dpdk_telemetry.v2\n";

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "serve", required_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
ask_once(const char *socket, const char *command)
{
	static char reply[TELEMETRY_REPLY_MAX];
	int fd;

	if (command[0] != '/' || strlen(command) > TELEMETRY_COMMAND_MAX) {
		fprintf(stderr,
			"vmcall-telemetry: %s: a command begins with a slash and has at most %d characters\n",
			command, TELEMETRY_COMMAND_MAX);
		return EXIT_FAILURE;
	}
	fd = telemetry_connect(socket);
	if (fd < 0) {
		fprintf(stderr,
			"vmcall-telemetry: %s: %s (does the DPDK program run?)\n",
			socket, strerror(errno));
		return EXIT_FAILURE;
	}
	if (telemetry_ask(fd, command, reply, sizeof(reply)) != 0) {
		fprintf(stderr, "vmcall-telemetry: no reply to %s: %s\n",
			command, strerror(errno));
		close(fd);
		return EXIT_FAILURE;
	}
	close(fd);
	puts(reply);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const char *socket = "/var/run/dpdk/rte/dpdk_telemetry.v2";
	const char *device = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 's':
			socket = optarg;
			break;
		case 'd':
			device = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs("vmcall-telemetry: see --help\n", stderr);
			return EXIT_FAILURE;
		}
	}
	if (device != NULL && optind == argc)
		return telemetry_serve(device, socket) == 0 ?
			EXIT_SUCCESS : EXIT_FAILURE;
	if (device == NULL && optind == argc - 1)
		return ask_once(socket, argv[optind]);
	fputs(usage, stderr);
	return EXIT_FAILURE;
}
