/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_thread.h>
#include <rte_version.h>

#include "control_thread.h"
#include "failure.h"

struct work {
	void (*run)(void *arg);
	void *arg;
};

static void
run_work(struct work *work)
{
	const struct work mine = *work;

	free(work);
	mine.run(mine.arg);
}

/* The name of DPDK's call, and of its thread type, changed in 23.07. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 7, 0, 0)
static uint32_t
entry(void *work)
{
	run_work(work);
	return 0;
}

static int
create(const char *name, struct work *work)
{
	rte_thread_t thread;
	int ret = rte_thread_create_control(&thread, name, entry, work);

	if (ret == 0)
		rte_thread_detach(thread);
	return ret;
}
#else
static void *
entry(void *work)
{
	run_work(work);
	return NULL;
}

static int
create(const char *name, struct work *work)
{
	pthread_t thread;
	int ret = rte_ctrl_thread_create(&thread, name, NULL, entry, work);

	if (ret == 0)
		pthread_detach(thread);
	return ret;
}
#endif

int
control_thread_start(const char *name, void (*run)(void *arg), void *arg,
		struct failure *failure)
{
	struct work *work = malloc(sizeof(*work));
	int ret;

	if (work == NULL)
		return failure_errno(failure, ENOMEM, "no memory for thread %s",
			name);
	*work = (struct work) { .run = run, .arg = arg };
	ret = create(name, work);
	if (ret == 0)
		return 0;
	free(work);
	return failure_errno(failure, abs(ret), "cannot start thread %s: %s",
		name, strerror(abs(ret)));
}
