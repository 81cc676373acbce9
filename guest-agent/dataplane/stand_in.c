/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */

/**
 * @file
 * A stand-in for vmcall-dataplane where there is no VM to yield: it takes the
 * same command line, answers the same telemetry commands in DPDK's form, and
 * counts wakes that it draws, one each 350 us, with the dataplane's own counters
 * and histogram.  With --yields-file FILE it writes its VM calls where KVM would
 * count them.  For measuring the guest agent, and for tests.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "stats.h"
#include "version.h"

#define CLIENTS		8
#define REPLY_MAX	16384	/* DPDK's MAX_OUTPUT_LEN */
#define CHUNK		120
#define WAKE_EACH_NS	350000
#define TICK_MS		10
#define TYPICAL_NS	10000

static const char *const policies[] = {
	"poll", "interrupt", "pv-kick", "vmcall",
};

static struct stats stats;
static char policy[16] = "interrupt";
static unsigned long long idle_threshold_us = 300;
static volatile sig_atomic_t quit;

struct text {
	char bytes[REPLY_MAX];
	size_t length;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
	const size_t left = sizeof(text->bytes) - text->length;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->bytes + text->length, left, format, args);
	va_end(args);
	if (n > 0)
		text->length += (size_t)n < left ? (size_t)n : left - 1;
}

static uint64_t
now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Three quarters to some times the typical latency: a long tail. */
static uint64_t
draw(void)
{
	static uint64_t random = 1;
	unsigned int tail;

	random = random * 6364136223846793005ULL + 1442695040888963407ULL;
	tail = __builtin_clzll(random | 1);
	return TYPICAL_NS * 3 / 4 + (random >> 20) % (TYPICAL_NS >> 1) +
		tail * (TYPICAL_NS >> 3);
}

static void
wake_until(uint64_t until)
{
	static uint64_t last;

	if (last == 0 || strcmp(policy, "vmcall") != 0) {
		last = until;
		return;
	}
	for (; last + WAKE_EACH_NS <= until; last += WAKE_EACH_NS) {
		const uint64_t ring = last + WAKE_EACH_NS;
		const struct wake wake = {
			.reason = WAKE_PACKET,
			.ring_tsc = ring,
		};

		stats.polls += 3;
		wake_stats_count(&stats.waits, &wake, last, ring + draw(), 1000000);
		stats_count_packets(&stats, 1, 1);
	}
}

/* In place: a reader must not find half a number. */
static void
tell_yields(int file)
{
	static uint64_t told;
	const uint64_t yields = stats.waits.wakes[WAKE_PACKET];
	char text[16];
	int n;

	if (file < 0 || yields == told)
		return;
	told = yields;
	n = snprintf(text, sizeof(text), "%09llu", (unsigned long long)yields);
	if (pwrite(file, text, (size_t)n, 0) != n)
		perror("stand-in: yields file");
}

static void
add_failure(struct text *text, const char *code, const char *error)
{
	add(text, "\"code\":\"%s\",\"error\":\"%s\"", code, error);
}

static void
add_stats(struct text *text)
{
	unsigned int i;

	add(text, "\"policy\":\"%s\",\"rx\":%llu,\"tx\":%llu,\"tx_dropped\":0,", policy,
		(unsigned long long)stats.rx,
		(unsigned long long)stats_tx(&stats));
	add(text, "\"polls\":%llu,\"empty_polls\":%llu,\"arms\":%llu,\"rx_after_arm\":0,",
		(unsigned long long)stats.polls,
		(unsigned long long)stats_empty_polls(&stats),
		(unsigned long long)stats_arms(&stats));
	add(text, "\"waits\":%llu,\"waits_immediate\":0,\"ring_clock_errors\":0,\"waits_without_packet\":0,\"waited_us\":%llu",
		(unsigned long long)wake_stats_waits(&stats.waits),
		(unsigned long long)stats.waits.cycles / 1000);
	for (i = 0; i < WAKE_REASONS; i++)
		add(text, ",\"wakes_%s\":%llu", wake_reason_name(i),
			(unsigned long long)stats.waits.wakes[i]);
	add(text, ",\"policy_switches\":%llu,\"fallbacks\":0",
		(unsigned long long)stats.policy_switches);
}

static void
add_histogram(struct text *text)
{
	const struct hdr *hdr = &stats.waits.latency;
	const uint64_t count = hdr_count(hdr);
	char *data = hdr_encode(hdr);
	size_t at, length = data != NULL ? strlen(data) : 0;

	add(text, "\"unit\":\"ns\",\"count\":%llu,\"min\":%llu,\"max\":%llu,\"sum\":%llu,\"encoding\":\"hdr-v2-compressed-base64\",\"data\":[",
		(unsigned long long)count,
		(unsigned long long)(count != 0 ? hdr->min : 0),
		(unsigned long long)hdr->max, (unsigned long long)hdr->sum);
	for (at = 0; at < length; at += CHUNK)
		add(text, "%s\"%.*s\"", at == 0 ? "" : ",", CHUNK, data + at);
	add(text, "],");
	add_failure(text, data != NULL ? "" : "ENOMEM", "");
	free(data);
}

static void
set_policy(struct text *text, const char *wanted)
{
	bool is_known = wanted == NULL;
	size_t i;

	for (i = 0; wanted != NULL && i < RTE_DIM(policies); i++) {
		if (strcmp(wanted, policies[i]) != 0)
			continue;
		is_known = true;
		stats.policy_switches += strcmp(policy, wanted) != 0;
		snprintf(policy, sizeof(policy), "%s", wanted);
	}
	add(text, "\"policy\":\"%s\",", policy);
	add_failure(text, is_known ? "" : "EINVAL",
		is_known ? "" : "wanted " WAIT_POLICY_NAMES);
}

/* As DPDK has it: the answer under the command's name. */
static void
answer(struct text *text, char *command)
{
	char *parameter = strchr(command, ',');

	if (parameter != NULL)
		*parameter++ = '\0';
	add(text, "{\"%s\":", command);
	if (strcmp(command, "/info") == 0) {
		add(text, "{\"version\":\"stand-in\",\"pid\":%d,\"max_output_len\":%d}}",
			(int)getpid(), REPLY_MAX);
		return;
	}
	add(text, "{");
	if (strcmp(command, "/vmcall/info") == 0) {
		add(text, "\"version\":\"%s\",\"policy\":\"%s\",\"idle_threshold_us\":%llu,\"doorbell_state\":\"%s\",",
			VMCALL_DATAPLANE_VERSION, policy, idle_threshold_us,
			strcmp(policy, "vmcall") == 0 ||
			strcmp(policy, "pv-kick") == 0 ? "installed" : "absent");
		add_failure(text, "", "");
	} else if (strcmp(command, "/vmcall/policy") == 0) {
		set_policy(text, parameter);
	} else if (strcmp(command, "/vmcall/stats") == 0) {
		add_stats(text);
	} else if (strcmp(command, "/vmcall/histogram") == 0) {
		add_histogram(text);
	} else if (strcmp(command, "/vmcall/wakes") == 0) {
		/* It never sleeps in interrupts. */
		add(text, "\"on\":0,\"tsc_khz\":1000000,\"count\":0,\"missed\":0,");
		add_failure(text, "", "");
	} else if (strcmp(command, "/vmcall/reset") == 0) {
		stats_reset(&stats);
		add(text, "\"reset\":1,");
		add_failure(text, "", "");
	} else if (strcmp(command, "/vmcall/idle_threshold_us") == 0) {
		if (parameter != NULL)
			idle_threshold_us = strtoull(parameter, NULL, 10);
		add(text, "\"idle_threshold_us\":%llu,", idle_threshold_us);
		add_failure(text, "", "");
	}
	add(text, "}}");
}

static int
listen_at(const char *prefix)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[80];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(folder, sizeof(folder), "/var/run/dpdk/%.60s", prefix);
	mkdir("/var/run/dpdk", 0700);
	mkdir(folder, 0700);
	snprintf(address.sun_path, sizeof(address.sun_path),
		"%.80s/dpdk_telemetry.v2", folder);
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, CLIENTS) != 0) {
		fprintf(stderr, "stand-in: %s: %s\n", address.sun_path,
			strerror(errno));
		return -1;
	}
	return fd;
}

/* @return false if there is nobody any more */
static bool
serve(int client)
{
	static struct text reply;
	char command[256];
	ssize_t n = recv(client, command, sizeof(command) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	command[n] = '\0';
	reply.length = 0;
	answer(&reply, command);
	return send(client, reply.bytes, reply.length, MSG_NOSIGNAL) >= 0;
}

static void
greet(struct pollfd *fds)
{
	static const char greeting[] = "{\"version\":\"stand-in\"}";
	int i, client = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

	for (i = 1; client >= 0 && i <= CLIENTS; i++) {
		if (fds[i].fd >= 0)
			continue;
		fds[i].fd = client;
		send(client, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL);
		return;
	}
	if (client >= 0)
		close(client);
}

static void
on_signal(int number __rte_unused)
{
	quit = 1;
}

int
main(int argc, char **argv)
{
	struct pollfd fds[CLIENTS + 1];
	const char *prefix = "vmcall";
	int i, yields_file = -1;

	for (i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--file-prefix") == 0)
			prefix = argv[i + 1];
		if (strcmp(argv[i], "--policy") == 0)
			snprintf(policy, sizeof(policy), "%s", argv[i + 1]);
		if (strcmp(argv[i], "--yields-file") == 0)
			yields_file = open(argv[i + 1], O_WRONLY | O_CLOEXEC);
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	stats_reset(&stats);
	for (i = 0; i <= CLIENTS; i++)
		fds[i] = (struct pollfd) { .fd = -1, .events = POLLIN };
	fds[0].fd = listen_at(prefix);
	if (fds[0].fd < 0)
		return 1;
	while (!quit) {
		poll(fds, CLIENTS + 1, TICK_MS);
		wake_until(now_ns());
		tell_yields(yields_file);
		if (fds[0].revents != 0)
			greet(fds);
		for (i = 1; i <= CLIENTS; i++) {
			if (fds[i].fd < 0 || fds[i].revents == 0 ||
			    serve(fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
		}
	}
	return 0;
}
