// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "busy.h"
#include "link.h"
#include "options.h"
#include "report.h"
#include "run.h"
#include "tally.h"

/* CPU time without any sleep after which the kernel ends a real-time
 * generator, so that a mistake cannot take the machine with it: 5 s.
 */
#define RUNAWAY_US 5000000

static int complain(const char *what)
{
	fprintf(stderr, "vmcall-generator: %s: %s\n", what, strerror(errno));
	return -1;
}

static void on_signal(int signal)
{
	(void)signal;
	run_interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Steady timing: CPU, priority, memory, exact timers. */
static int prepare_process(const struct options *options)
{
	const struct rlimit runaway = { RUNAWAY_US, RUNAWAY_US };
	struct sched_param param = {
		.sched_priority = (int)options->fifo_priority,
	};
	cpu_set_t cpus;

	if (options->cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET((unsigned int)options->cpu, &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
			return complain("--cpu");
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		fputs("vmcall-generator: memory is not locked: a page fault may cost latency\n",
		      stderr);
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	if (options->fifo_priority == 0)
		return 0;
	if (setrlimit(RLIMIT_RTTIME, &runaway) != 0)
		return complain("limit of real-time CPU time");
	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0)
		return complain("--fifo-priority (run as root)");
	return 0;
}

/* So that frames of an earlier run are not taken for this one's. */
static uint32_t run_number(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) !=
	    sizeof(number))
		number = (uint32_t)getpid();
	return number;
}

static void back_to_normal(void)
{
	const struct sched_param param = { .sched_priority = 0 };

	sched_setscheduler(0, SCHED_OTHER, &param);
}

int main(int argc, char **argv)
{
	static struct tally tally;
	struct options options;
	struct busy busy;
	struct link link;
	int ret;

	ret = options_parse(&options, argc, argv);
	if (ret != 0)
		return ret > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (link_open(&link, options.interface, options.qdisc_bypass) != 0)
		return EXIT_FAILURE;
	if (tally_init(&tally, options.warmup, options.count,
		       options.late_us * 1000) != 0) {
		complain("memory for --count");
		return EXIT_FAILURE;
	}
	catch_signals();
	/* Before the process becomes real-time: the child is not to be. */
	if (busy_start(&busy, options.busy_cpu, options.busy_policy) != 0)
		return EXIT_FAILURE;
	if (prepare_process(&options) != 0) {
		busy_stop(&busy);
		return EXIT_FAILURE;
	}
	ret = run(&options, &link, run_number(), &busy, &tally);
	back_to_normal();
	busy_stop(&busy);
	if (ret == 0)
		ret = options.json ? report_json(&options, &tally) :
			report_text(&options, &tally);
	if (ret == 0)
		ret = report_samples(&options, &tally);
	tally_free(&tally);
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
