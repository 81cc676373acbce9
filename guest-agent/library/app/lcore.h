/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef LCORE_H
#define LCORE_H

/**
 * @file
 * An lcore of a program that knows nothing of this, as its calls of
 * rte_eth_rx_burst() show it.
 *
 * The lcore owns all of it while it is inside such a call; the control thread
 * while it holds it (lcore_hold.h), during which the lcore only polls.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_ethdev.h>

#include "failure.h"
#include "kvm_guest.h"
#include "rx_queue.h"
#include "wait.h"
#include "wake_stats.h"
#include "wake_times.h"

struct lcore;

/** An RX queue that is managed. */
struct watched_queue {
	struct rx_queue rx;
	const struct rte_eth_rxtx_callback *callback;
	/** Who polls it; NULL: not known yet.  Changed while held. */
	struct lcore *lcore;
	/** Who was seen to poll it, for the control thread.  Atomic. */
	struct lcore *seen_by;
	bool polled;		/**< since the lcore armed */
};

enum lcore_state {
	LCORE_POLLING,
	LCORE_ARMED,	/**< some queues wait for their poll after arming */
	LCORE_WOKEN,	/**< the sleep is over, the interrupts are still on */
};

/** What the control thread wants of the lcore; bits, atomic. */
enum lcore_attention {
	LCORE_HELD = 1 << 0,
	LCORE_ENTER = 1 << 1,	/**< enter the policy in `entering` */
};

struct lcore_counters {
	uint64_t polls;
	uint64_t packets;
	uint64_t arms;
	uint64_t packets_after_arm;
	uint64_t packets_after_limit;
	/** @{ by the control thread */
	uint64_t policy_switches;
	uint64_t fallbacks;	/**< to another policy than the one wanted */
	/** @} */
};

struct lcore {
	/** @{ Read or written at each poll. */
	uint32_t busy;		/**< inside a poll; atomic */
	uint32_t attention;	/**< enum lcore_attention; atomic */
	enum lcore_state state;
	uint32_t empty_polls;	/**< since the last packet, or sleep */
	uint64_t idle_since;	/**< TSC; 0: not looked at yet */
	struct lcore_counters counters;
	/** @} */
	/** Its sleeps; NULL until it was given a queue, then for good. */
	struct wake_stats *waits;
	unsigned int id;
	bool is_known;		/**< has polled a queue of ours; atomic */
	bool is_live;		/**< the policy in force is installed and works */
	bool is_broken;		/**< it stopped working; atomic */
	bool is_asleep;		/**< atomic; a hint */
	bool is_by_limit;	/**< woken: by the limit alone */
	bool has_packet;	/**< woken: one was found */
	bool is_excluded;	/**< the user wants it to poll */
	bool is_crowded;	/**< it polls more queues than there are doorbells */
	bool has_stale;		/**< a queue was not polled after arming */
	unsigned int left;	/**< queues still to be polled */
	unsigned int rounds;	/**< polls of those that were, since arming */
	struct wait_context wait;
	struct kvm_guest kvm;
	enum wait_policy_id policy;	/**< entered */
	enum wait_policy_id entering;
	uint32_t tried;		/**< which request of the user was last tried */
	bool is_dirty;		/**< its queues change */
	bool is_entering;	/**< it was asked to, by the control thread */
	int entered;		/**< LCORE_ENTER: 0, or -1 and `failure` */
	struct failure failure;	/**< why the policy wanted is not in force */
} __rte_cache_aligned;

/** Times, the same for all lcores; TSC cycles and nanoseconds.  Atomic. */
extern uint64_t lcore_idle_cycles;
extern uint64_t lcore_limit_ns;

/** Of the TSC, kHz. */
extern uint64_t lcore_tsc_khz;

/** Of sleeps that nothing else dates, while one lcore alone sleeps. */
extern struct wake_times lcore_wake_times;

/** The lcore of an id below RTE_MAX_LCORE, known or not. */
struct lcore *lcore_get(unsigned int id);

/** The RX callback of a watched queue, its `arg`. */
uint16_t lcore_on_poll(uint16_t port, uint16_t queue, struct rte_mbuf **packets,
		uint16_t count, uint16_t most, void *arg);

/** While held: disarm. */
void lcore_stop_waiting(struct lcore *l);

/** Called by an lcore when the control thread has something to do. */
void lcore_call_control(void);

#endif /* LCORE_H */
