/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef WAIT_H
#define WAIT_H

/**
 * @file
 * The wait policies: what an lcore does while none of its RX queues has a
 * packet.
 *
 * The order in which they are called is the contract:
 *
 *	enter, install
 *	  arm, poll every ring once more, wait, disarm	(any number of times)
 *	remove, leave
 *
 * An event that happens after arm() makes the next wait() return, now or at
 * once; so a packet is either seen by the polls between the two or ends the
 * wait.  install and remove run on any thread while the lcore does no more than
 * poll, all others on the lcore.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_epoll.h>

#include "failure.h"
#include "rx_queue.h"
#include "vcpu_claim.h"

struct kvm_guest;

enum wait_policy_id {
	WAIT_POLICY_POLL,
	WAIT_POLICY_INTERRUPT,
	WAIT_POLICY_PV_KICK,
	WAIT_POLICY_VMCALL,
#ifdef VMCALL_SIMULATION
	WAIT_POLICY_SIMULATION,
#endif
	WAIT_POLICIES
};

/** Why a wait ended. */
enum wake_reason {
	WAKE_PACKET,	/**< the NIC: its doorbell rang or its eventfd is set */
	WAKE_TIMEOUT,
	WAKE_INTERRUPT,	/**< vmcall: an interrupt is pending for the vCPU */
	WAKE_KICK,	/**< vmcall: PV kick, NMI, SMI; pv-kick: anything */
	WAKE_CONTROL,	/**< interrupt, pv-kick: another thread wants something */
	WAKE_SPURIOUS,	/**< no reason given; always legal */
	WAKE_OFF,	/**< vmcall: switched off by the host's administrator */
	WAKE_ERROR,	/**< the wait is not possible any more */
	WAKE_REASONS
};

/** For messages. */
#define WAIT_POLICY_NAMES "poll, interrupt, pv-kick or vmcall"

struct wake {
	enum wake_reason reason;
	/** The lcore slept and a packet ended it, and nothing in this VM tells
	 * when that came: the sleep's own times are worth keeping.
	 */
	bool undated;
	/** Guest TSC at which the doorbell rang; 0 if unknown. */
	uint64_t ring_tsc;
};

/** As many as there are doorbells. */
#define WAIT_QUEUES_MOST 31

/** What the policies work on: one lcore and its queues. */
struct wait_context {
	/** Fixed while a policy is in force. */
	struct rx_queue *queues[WAIT_QUEUES_MOST];
	unsigned int count;
	struct kvm_guest *kvm;
	/** Eventfd by which other threads end a sleep in epoll. */
	int wake_fd;
	/** Why the last arm() or wait() failed. */
	struct failure failure;
	/** The vCPU, as long as a policy holds it by the guest driver. */
	struct vcpu_claim claim;
	/** @{ owned by wait_interrupt.c */
	int epoll_fd;
	struct rte_epoll_event wake_event;
	/** @} */
};

/** An lcore without queues. @param wake_fd a non-blocking eventfd */
void wait_context_init(struct wait_context *context, struct kvm_guest *kvm,
		int wake_fd);

struct wait_policy {
	const char *name;
	/**
	 * Enter the policy.  On failure everything is as before.
	 * @return 0, or -1 with the failure filled in
	 */
	int (*enter)(struct wait_context *context, struct failure *failure);
	void (*leave)(struct wait_context *context);
	/**
	 * Set up what takes long.  NULL: nothing does.
	 * @return 0, or -1 with the failure filled in and nothing changed
	 */
	int (*install)(struct wait_context *context, struct failure *failure);
	void (*remove)(struct wait_context *context);
	/**
	 * Let the NIC signal its next packet.  NULL: this policy never waits.
	 * @return 0, or -1 with the failure filled in: then a wait might never
	 * end, and must not begin
	 */
	int (*arm)(struct wait_context *context, struct failure *failure);
	/** Sleep at most timeout_ns nanoseconds; 0 is without limit. */
	struct wake (*wait)(struct wait_context *context, uint64_t timeout_ns);
	/** Stop the NIC from signalling while the ring is polled anyway. */
	void (*disarm)(struct wait_context *context);
};

extern const struct wait_policy wait_poll;
extern const struct wait_policy wait_interrupt;
extern const struct wait_policy wait_pv_kick;
extern const struct wait_policy wait_vmcall;
/** Only where built with VMCALL_SIMULATION: see wait_simulation.c. */
extern const struct wait_policy wait_simulation;

/** The policy of an id, never NULL for an id below WAIT_POLICIES. */
const struct wait_policy *wait_policy_get(enum wait_policy_id id);

/**
 * Set up what a policy has that takes long, if anything.
 * @return 0, or -1 with the failure filled in and nothing changed
 */
int wait_policy_install(enum wait_policy_id id, struct wait_context *context,
		struct failure *failure);

/** Take that away again. */
void wait_policy_remove(enum wait_policy_id id, struct wait_context *context);

/** Find a policy by its name. @return true if there is one */
bool wait_policy_parse(const char *name, enum wait_policy_id *id);

/** Name of a reason as it appears in the statistics, e.g. "packet". */
const char *wake_reason_name(enum wake_reason reason);

#endif /* WAIT_H */
