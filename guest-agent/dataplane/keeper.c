/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "control_thread.h"
#include "failure.h"
#include "forward.h"
#include "keeper.h"
#include "policy_switch.h"

#define LOOK_MS		1000
#define LCORE_TIMEOUT_MS 5000

static void
say(const char *what, const struct failure *failure)
{
	fprintf(stderr, "vmcall-dataplane: %s: %s: %s\n", what, failure->code,
		failure->text);
}

/* The policy wanted, or the next one that works: polling always does.
 * @return 0 if it is the one wanted, else -1 with the failure filled in
 */
static int
take_up(struct keeper *keeper, enum wait_policy_id wanted,
		struct failure *failure)
{
	struct failure next;

	if (policy_switch(keeper->forward, wanted, LCORE_TIMEOUT_MS,
			failure) == 0)
		return 0;
	if (wanted != WAIT_POLICY_INTERRUPT &&
	    policy_switch(keeper->forward, WAIT_POLICY_INTERRUPT,
			LCORE_TIMEOUT_MS, &next) == 0)
		return -1;
	policy_switch(keeper->forward, WAIT_POLICY_POLL, LCORE_TIMEOUT_MS,
		&next);
	return -1;
}

static void
leave_broken_policy(struct keeper *keeper)
{
	struct forward *forward = keeper->forward;
	struct failure ignored;

	if (!__atomic_load_n(&forward->broken, __ATOMIC_ACQUIRE))
		return;
	if (forward->policy == WAIT_POLICY_INTERRUPT)
		take_up(keeper, WAIT_POLICY_POLL, &ignored);
	else
		take_up(keeper, WAIT_POLICY_INTERRUPT, &ignored);
	__atomic_store_n(&forward->broken, false, __ATOMIC_RELEASE);
	say(wait_policy_get(forward->policy)->name, &forward->last_fallback);
}

/* A guest kernel that moves the interrupt to another CPU writes the entry. */
static void
look_at_doorbell(struct keeper *keeper)
{
	struct forward *forward = keeper->forward;
	struct failure failure;

	if (!rx_queues_overwritten(forward->wait->queues,
			forward->wait->count))
		return;
	if (policy_renew(forward, LCORE_TIMEOUT_MS, &failure) != 0) {
		say("the doorbell was overwritten and is not put right", &failure);
		return;
	}
	keeper->doorbell_repairs++;
	fputs("vmcall-dataplane: the doorbell was overwritten, and is written again\n",
		stderr);
}

static void
tell_link(struct keeper *keeper)
{
	const int link_up = port_link_is_up(keeper->forward->port);

	if (link_up == keeper->link_up)
		return;
	if (keeper->link_up >= 0) {
		keeper->link_changes++;
		fprintf(stderr, "vmcall-dataplane: link %s\n",
			link_up ? "up" : "down");
	}
	keeper->link_up = link_up;
}

static int
ask(struct keeper *keeper, enum control_kind kind, struct failure *failure)
{
	const struct control_request request = { .kind = kind };

	return control_submit(keeper->forward->control, &request,
		LCORE_TIMEOUT_MS, failure);
}

/* While the driver recovers it must not be asked for anything. */
static void
wait_for_driver(struct keeper *keeper)
{
	struct failure failure;

	if (keeper->is_waiting)
		return;
	keeper->is_waiting = true;
	keeper->wanted = keeper->forward->policy;
	fputs("vmcall-dataplane: the driver recovers the port; polling until then\n",
		stderr);
	if (policy_switch(keeper->forward, WAIT_POLICY_POLL, LCORE_TIMEOUT_MS,
			&failure) != 0)
		say("not polling", &failure);
}

static void
go_on(struct keeper *keeper)
{
	struct failure failure;

	keeper->set_up_interrupts(keeper->arg);
	if (take_up(keeper, keeper->wanted, &failure) != 0) {
		keeper->forward->last_fallback = failure;
		say("the port runs again; policy not entered", &failure);
	} else {
		fprintf(stderr,
			"vmcall-dataplane: the port runs again, policy %s\n",
			wait_policy_get(keeper->forward->policy)->name);
	}
	keeper->is_waiting = false;
}

/* Until it runs: a VF whose PF is down does not start. */
static void
reset_port(struct keeper *keeper)
{
	struct port *port = keeper->forward->port;
	struct failure failure;

	fputs("vmcall-dataplane: the port wants a reset\n", stderr);
	wait_for_driver(keeper);
	if (ask(keeper, CONTROL_PAUSE, &failure) != 0) {
		say("the port is not reset", &failure);
		keeper->is_waiting = false;
		return;
	}
	keeper->port_resets++;
	while (port_restart(port, keeper->promiscuous, &failure) != 0) {
		say("the port does not start, retrying", &failure);
		if (control_quit(keeper->forward->control))
			return;
		sleep(1);
	}
	ask(keeper, CONTROL_RESUME, &failure);
	go_on(keeper);
}

static void
heed(struct keeper *keeper, uint32_t events)
{
	if (events & PORT_EVENT_REMOVED) {
		fprintf(stderr,
			"vmcall-dataplane: ENODEV: %s was taken away: ending\n",
			keeper->forward->port->name);
		control_end(keeper->forward->control);
		return;
	}
	if (events & PORT_EVENT_RECOVERING)
		wait_for_driver(keeper);
	if (events & (PORT_EVENT_RESET | PORT_EVENT_RECOVERY_FAILED))
		reset_port(keeper);
	else if ((events & PORT_EVENT_RECOVERED) && keeper->is_waiting)
		go_on(keeper);
}

static void
keep(void *arg)
{
	struct keeper *keeper = arg;
	struct control *control = keeper->forward->control;
	struct pollfd called = { .fd = control->keeper_fd, .events = POLLIN };
	uint64_t count;

	while (!control_quit(control)) {
		if (poll(&called, 1, LOOK_MS) > 0 &&
		    read(called.fd, &count, sizeof(count)) < 0)
			errno = 0;
		heed(keeper, port_events_take(&keeper->forward->port->events));
		leave_broken_policy(keeper);
		if (keeper->is_waiting)
			continue;
		look_at_doorbell(keeper);
		tell_link(keeper);
	}
}

int
keeper_start(struct keeper *keeper, struct failure *failure)
{
	keeper->link_up = port_link_is_up(keeper->forward->port);
	return control_thread_start("vmcall-keeper", keep, keeper, failure);
}
