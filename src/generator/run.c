// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "frame.h"
#include "idle.h"
#include "pattern.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_US 1000ULL
#define FIRST_PACKET_NS (10 * NS_PER_MS)

volatile sig_atomic_t run_interrupted;

struct runner {
	const struct options *options;
	const struct link *link;
	struct tally *tally;
	const struct busy *busy;
	struct frame frame;
	struct pattern_state pattern;
	uint32_t run;
	uint32_t next;		/**< number of the next packet */
	uint64_t next_ns;	/**< its planned time; the end once all are sent */
	uint64_t sent_ns;	/**< of the last packet */
	bool in_flight;		/**< the last packet is not back */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int fail(const struct runner *runner, const char *what)
{
	fprintf(stderr, "vmcall-generator: %s: %s: %s\n",
		runner->options->interface, what, strerror(errno));
	return -1;
}

/* Whoever sleeps after some time without a packet shall be asleep when the next
 * one comes, also after a packet that was late: it would measure another path.
 */
static void keep_quiet(struct runner *runner, uint64_t now)
{
	const uint64_t soonest = now + runner->options->quiet_us * NS_PER_US;

	if (runner->options->quiet_us == 0 || soonest <= runner->next_ns)
		return;
	runner->next_ns = soonest;
	tally_postponed(runner->tally, runner->next);
}

/* All frames that are there. */
static int receive_all(struct runner *runner)
{
	uint8_t bytes[FRAME_MAX];
	struct frame_id id;
	uint64_t now;
	ssize_t n;

	for (;;) {
		n = link_receive(runner->link, bytes, sizeof(bytes));
		now = now_ns();
		if (n < 0)
			return fail(runner, "receiving");
		if (n == 0)
			return 0;
		if (!frame_read(bytes, (size_t)n, &id) || id.run != runner->run) {
			runner->tally->foreign++;
			continue;
		}
		tally_returned(runner->tally, id.sequence, now);
		if (id.sequence == runner->next - 1) {
			runner->in_flight = false;
			keep_quiet(runner, now);
		}
	}
}

static int send_one(struct runner *runner)
{
	const uint32_t sequence = runner->next;
	uint64_t now;
	ssize_t n;

	now = now_ns();
	frame_address(&runner->frame, &runner->options->destination_mac,
		      sequence % runner->options->destinations);
	frame_stamp(&runner->frame, sequence, now);
	n = send(runner->link->fd, runner->frame.bytes, runner->frame.length, 0);
	/* An emulator that runs one virtual CPU at a time turns to the one that
	 * the packet woke; elsewhere it is nothing.
	 */
	__builtin_ia32_pause();
	runner->in_flight = n >= 0;
	runner->sent_ns = now;
	if (n >= 0)
		tally_sent(runner->tally, sequence, now, now - runner->next_ns);
	else if (errno == ENOBUFS || errno == EAGAIN || errno == EINTR)
		runner->tally->send_failures++;
	else
		return fail(runner, "sending");

	runner->next++;
	runner->next_ns += pattern_gap(&runner->options->pattern,
				       &runner->pattern);
	return 0;
}

static void show_progress(const struct runner *runner)
{
	const uint32_t total = runner->tally->total;
	const uint32_t tenth = total / 10 != 0 ? total / 10 : 1;

	if (runner->options->progress && runner->next % tenth == 0)
		fprintf(stderr, "vmcall-generator: sent %u of %u, received %u\n",
			runner->next, total, runner->tally->received);
}

/* Spinning keeps whatever else runs on this CPU, and waking up, out of a round
 * trip and of the moment of sending.
 */
static bool shall_spin(const struct runner *runner, uint64_t now, uint64_t when)
{
	const uint64_t spin_ns = runner->options->spin_us * NS_PER_US;

	return when - now < spin_ns ||
		(runner->in_flight && now - runner->sent_ns < spin_ns);
}

/* Sleep until a frame comes or it is time to spin. */
static int wait_until(const struct runner *runner, uint64_t when)
{
	struct pollfd poll_fd = { .fd = runner->link->fd, .events = POLLIN };
	const uint64_t now = now_ns();
	struct timespec timeout;
	uint64_t rest;

	if (now >= when)
		return 0;
	if (shall_spin(runner, now, when)) {
		__builtin_ia32_pause();
		return 0;
	}
	rest = when - now - runner->options->spin_us * NS_PER_US;
	timeout.tv_sec = (time_t)(rest / NS_PER_S);
	timeout.tv_nsec = (long)(rest % NS_PER_S);
	if (ppoll(&poll_fd, 1, &timeout, NULL) < 0 && errno != EINTR)
		return fail(runner, "ppoll");
	return 0;
}

/* Who had the CPU so far. */
struct usage {
	uint64_t busy_ns;
	uint64_t busy_work;
	uint64_t wall_ns;
	uint64_t idle_ns;
	uint64_t idle_wall_ns;
};

static int read_usage(const struct runner *runner, struct usage *usage)
{
	const int watched = runner->options->watch_cpu;

	usage->busy_ns = busy_time_ns(runner->busy);
	usage->busy_work = busy_work(runner->busy);
	usage->wall_ns = now_ns();
	if (watched < 0)
		return 0;
	if (idle_time_ns(watched, &usage->idle_ns) != 0)
		return fail(runner, "--watch-cpu: /proc/timer_list (run as root)");
	usage->idle_wall_ns = now_ns();
	return 0;
}

/* Reading takes up to some ms: the packets to come are as much later. */
static int begin_usage(struct runner *runner, struct usage *usage)
{
	const uint64_t begin = now_ns();

	if (read_usage(runner, usage) != 0)
		return -1;
	runner->next_ns += now_ns() - begin;
	return 0;
}

static void tally_usage(const struct runner *runner, const struct usage *from,
			const struct usage *to)
{
	struct tally *tally = runner->tally;

	if (busy_runs(runner->busy)) {
		tally->busy_cpu_ns = to->busy_ns - from->busy_ns;
		tally->busy_work = to->busy_work - from->busy_work;
		tally->busy_wall_ns = to->wall_ns - from->wall_ns;
	}
	if (runner->options->watch_cpu >= 0) {
		tally->idle_ns = to->idle_ns - from->idle_ns;
		tally->idle_wall_ns = to->idle_wall_ns - from->idle_wall_ns;
	}
}

static int receive_until(struct runner *runner, uint64_t when)
{
	do {
		if (wait_until(runner, when) != 0 || receive_all(runner) != 0)
			return -1;
	} while (now_ns() < when);
	return 0;
}

static int send_all(struct runner *runner)
{
	struct usage before = { 0 }, after;

	while (runner->next < runner->tally->total && !run_interrupted) {
		if (wait_until(runner, runner->next_ns) != 0 ||
		    receive_all(runner) != 0)
			return -1;
		if (now_ns() < runner->next_ns)
			continue;
		if (runner->next == runner->tally->warmup &&
		    begin_usage(runner, &before) != 0)
			return -1;
		if (send_one(runner) != 0)
			return -1;
		show_progress(runner);
	}
	if (before.wall_ns == 0)
		return 0;
	if (receive_until(runner, runner->next_ns) != 0 ||
	    read_usage(runner, &after) != 0)
		return -1;
	tally_usage(runner, &before, &after);
	return 0;
}

static int linger(struct runner *runner)
{
	return receive_until(runner, now_ns() +
			     runner->options->linger_ms * NS_PER_MS);
}

int run(const struct options *options, const struct link *link, uint32_t run,
	const struct busy *busy, struct tally *tally)
{
	struct runner runner = {
		.options = options,
		.link = link,
		.tally = tally,
		.busy = busy,
		.run = run,
	};

	frame_init(&runner.frame, options->size, &link->mac,
		   &options->destination_mac, options->destination_ip, run);
	pattern_start(&runner.pattern, options->seed);
	runner.next_ns = now_ns() + FIRST_PACKET_NS;
	if (send_all(&runner) != 0)
		return -1;
	return linger(&runner);
}
