/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_lcore.h>

#include "control.h"
#include "control_thread.h"

#define WAKE_INTERVAL_NS 1000000L
#define NS_PER_S 1000000000LL

static void
interrupt_only(int signal __rte_unused)
{
}

static void
quit_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

int
control_init(struct control *control, struct failure *failure)
{
	struct sigaction action = { .sa_handler = interrupt_only };
	sigset_t set;

	memset(control, 0, sizeof(*control));
	pthread_mutex_init(&control->lock, NULL);
	control->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	control->keeper_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (control->event_fd < 0 || control->keeper_fd < 0)
		return failure_errno(failure, errno, "eventfd: %s",
			strerror(errno));
	quit_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* No SA_RESTART: the wait shall end. */
	sigaction(SIGUSR1, &action, NULL);
	return 0;
}

static void
wake_lcore(struct control *control)
{
	const uint64_t one = 1;

	/* It fails only if the counter is full: then it is set, which is all
	 * that counts.
	 */
	if (write(control->event_fd, &one, sizeof(one)) < 0)
		errno = 0;
	pthread_kill(control->lcore, SIGUSR1);
}

void
control_call_keeper(struct control *control)
{
	const uint64_t one = 1;

	if (write(control->keeper_fd, &one, sizeof(one)) < 0)
		errno = 0;
}

static void
pause_ns(long ns)
{
	const struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

void
control_end(struct control *control)
{
	control->exit_status = EXIT_FAILURE;
	/* The signal thread does the rest, as with any other end. */
	kill(getpid(), SIGTERM);
}

static bool
is_stopped(const struct control *control)
{
	return __atomic_load_n(&control->stopped, __ATOMIC_ACQUIRE);
}

static void
signal_thread(void *arg)
{
	struct control *control = arg;
	sigset_t set;
	int signal;

	quit_signals(&set);
	while (sigwait(&set, &signal) != 0)
		;
	__atomic_store_n(&control->quit, 1, __ATOMIC_RELEASE);
	while (!is_stopped(control)) {
		wake_lcore(control);
		pause_ns(WAKE_INTERVAL_NS);
	}
}

int
control_start(struct control *control, struct failure *failure)
{
	control->lcore = pthread_self();
	return control_thread_start("vmcall-signals", signal_thread, control,
		failure);
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Wake the lcore until it has answered, or until the time is over before it
 * has even looked.  Once it has taken the request it answers soon.
 */
static int
wait_for_answer(struct control *control, int64_t deadline)
{
	for (;;) {
		int state = __atomic_load_n(&control->state, __ATOMIC_ACQUIRE);

		if (state == CONTROL_DONE)
			return 0;
		if (state == CONTROL_POSTED) {
			int expected = CONTROL_POSTED;

			if ((is_stopped(control) || now_ns() > deadline) &&
			    __atomic_compare_exchange_n(&control->state,
				    &expected, CONTROL_FREE, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
				return -1;
			wake_lcore(control);
		}
		pause_ns(WAKE_INTERVAL_NS);
	}
}

int
control_submit(struct control *control, const struct control_request *request,
		unsigned int timeout_ms, struct failure *failure)
{
	int ret = 0;

	pthread_mutex_lock(&control->lock);
	control->request = *request;
	failure_clear(&control->failure);
	__atomic_store_n(&control->state, CONTROL_POSTED, __ATOMIC_RELEASE);
	if (wait_for_answer(control, now_ns() + timeout_ms * 1000000LL) != 0) {
		ret = is_stopped(control) ?
			failure_set(failure, "ESHUTDOWN", "the program is ending") :
			failure_set(failure, "ETIMEDOUT",
				"the lcore took no request within %u ms: does its CPU get time?",
				timeout_ms);
	} else if (control->failure.code[0] != '\0') {
		*failure = control->failure;
		ret = -1;
	}
	__atomic_store_n(&control->state, CONTROL_FREE, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&control->lock);
	return ret;
}

const struct control_request *
control_take(struct control *control)
{
	int expected = CONTROL_POSTED;

	if (!__atomic_compare_exchange_n(&control->state, &expected,
			CONTROL_TAKEN, false, __ATOMIC_ACQ_REL,
			__ATOMIC_ACQUIRE))
		return NULL;
	return &control->request;
}

void
control_answer(struct control *control, const struct failure *failure)
{
	if (failure != NULL)
		control->failure = *failure;
	__atomic_store_n(&control->state, CONTROL_DONE, __ATOMIC_RELEASE);
}

void
control_stop(struct control *control)
{
	__atomic_store_n(&control->stopped, 1, __ATOMIC_RELEASE);
}
