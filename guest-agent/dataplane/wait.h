/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef WAIT_H
#define WAIT_H

/**
 * @file
 * The wait policies: what the lcore does while no packet comes.
 *
 * The order in which forward.c calls a policy is the contract:
 *
 *	enter, install
 *	  arm, poll the ring once more, wait, disarm	(any number of times)
 *	remove, leave
 *
 * An event that happens after arm() makes the next wait() return, now or at
 * once; so a packet is either seen by the poll between the two or ends the
 * wait.  install and remove run on any thread while the lcore does no more than
 * poll, all others on the lcore.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_epoll.h>

#include "rx_look.h"
#include "vcpu_claim.h"

struct control;
struct doorbell;
struct failure;
struct kvm_guest;
struct port;
struct rx_interrupt;
struct wake_times;

enum wait_policy_id {
	WAIT_POLICY_POLL,
	WAIT_POLICY_INTERRUPT,
	WAIT_POLICY_PV_KICK,
	WAIT_POLICY_VMCALL,
	WAIT_POLICIES
};

/** Why a wait ended. */
enum wake_reason {
	WAKE_PACKET,	/**< the NIC: its doorbell rang or its eventfd is set */
	WAKE_TIMEOUT,
	WAKE_INTERRUPT,	/**< vmcall: an interrupt is pending for the vCPU */
	WAKE_KICK,	/**< vmcall: PV kick, NMI, SMI; pv-kick: anything */
	WAKE_CONTROL,	/**< interrupt, pv-kick: the control thread wants something */
	WAKE_SPURIOUS,	/**< no reason given; always legal */
	WAKE_OFF,	/**< vmcall: switched off by the host's administrator */
	WAKE_ERROR,	/**< the wait is not possible any more */
	WAKE_REASONS
};

/** For messages. */
#define WAIT_POLICY_NAMES "poll, interrupt, pv-kick or vmcall"

struct wake {
	enum wake_reason reason;
	/** Guest TSC at which the doorbell rang; 0 if unknown. */
	uint64_t ring_tsc;
};

/** What the policies work on; set up once by main.c. */
struct wait_context {
	struct port *port;
	struct rx_interrupt *rx_interrupt;
	struct doorbell *doorbell;
	struct kvm_guest *kvm;
	struct control *control;
	/** Of the sleeps in interrupts, which nothing else dates. */
	struct wake_times *wake_times;
	/** Why the last arm() or wait() failed. */
	struct failure *failure;
	/** The vCPU, as long as a policy holds it by the guest driver. */
	struct vcpu_claim claim;
	/** owned by wait_pv_kick.c */
	struct rx_look rx_look;
	/** @{ owned by wait_interrupt.c */
	int epoll_fd;
	struct rte_epoll_event control_event;
	/** @} */
};

struct wait_policy {
	const char *name;
	/**
	 * Take up the policy.  On failure everything is as before.
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
