/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef LIBVMCALL_H
#define LIBVMCALL_H

/**
 * @file
 * Let the lcores of a DPDK program give their vCPU back while all RX queues
 * that they poll are idle.  Three lines:
 *
 *	vmcall_init(NULL);			after rte_eal_init()
 *	vmcall_port_conf(&port_conf);		before rte_eth_dev_configure()
 *	vmcall_port_enable(port_id);		after rte_eth_dev_start()
 *
 * The program's loop stays as it is: which lcore polls which queue is learnt
 * from its calls of rte_eth_rx_burst().  When all queues of an lcore have been
 * idle for the threshold their RX interrupts are armed; the program's own next
 * round is the poll after arming; when that found nothing either, the lcore
 * sleeps, in the last call of rte_eth_rx_burst() of that round.  What cannot be
 * upheld leaves the lcore polling, with the reason in vmcall_lcore_get().
 *
 * All functions may be called from any thread, but not by two at once.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_eth_conf;

/** What an lcore does while no packet comes. */
enum vmcall_policy {
	VMCALL_POLICY_POLL,	 /**< poll on */
	VMCALL_POLICY_INTERRUPT, /**< sleep until the RX interrupt's eventfd */
	VMCALL_POLICY_PV_KICK,	 /**< halt by the guest driver; any KVM */
	VMCALL_POLICY_VMCALL,	 /**< yield by the VM call; patched KVM */
};

/** Why something could not be done. */
struct vmcall_error {
	char code[16];	/**< e.g. "ENOTSUP"; empty: all is well */
	char text[128];	/**< a sentence without double quotes */
};

struct vmcall_options {
	enum vmcall_policy policy;
	/** Sleep after so long without a packet, microseconds, up to
	 * VMCALL_MOST_US.  Above the interval at which the program sends what
	 * it holds back for a full burst.
	 */
	uint64_t idle_threshold_us;
	/** Longest sleep, microseconds, 1 to VMCALL_MOST_US: so long may other
	 * work of the lcore's loop have to wait.
	 */
	uint64_t limit_us;
};

#define VMCALL_MOST_US			60000000ULL
#define VMCALL_IDLE_THRESHOLD_US	300
#define VMCALL_LIMIT_US			1000

/**
 * Begin; after rte_eal_init().  Starts a control thread and registers the
 * telemetry commands /vmcall/...
 * @param options NULL: the policy VM call, with the defaults above
 * @return 0, or a negative errno value: EINVAL, EEXIST (started already), ENOMEM
 */
int vmcall_init(const struct vmcall_options *options);

/** Ask for RX interrupts: without them drivers give queues no vectors. */
void vmcall_port_conf(struct rte_eth_conf *conf);

/**
 * Manage all RX queues of a started port.
 * @return 0, or a negative errno value: ENODEV, ENOTCONN (vmcall_init() first),
 *	EEXIST, ENOMEM
 */
int vmcall_port_enable(uint16_t port_id);

/**
 * Leave a port alone; before it is stopped.  No lcore sleeps on its queues any
 * more when this returns.
 * @return 0, or a negative errno value: ENODEV, ENOTCONN, EBUSY (an lcore does
 *	not come back from its sleep)
 */
int vmcall_port_disable(uint16_t port_id);

/**
 * Switch all lcores to a policy, now and those to come.  Returns at once;
 * vmcall_lcore_get() reports the result.
 * @return 0 or -EINVAL
 */
int vmcall_policy_set(enum vmcall_policy policy);

/**
 * Set threshold and limit, microseconds.
 * @return 0 or -EINVAL (ranges: struct vmcall_options)
 */
int vmcall_times_set(uint64_t idle_threshold_us, uint64_t limit_us);

/**
 * End an lcore's sleep: for producers of other work.  Cheap where it does not
 * sleep.
 * @return 0 or -ENOENT (the lcore polls no queue of ours)
 */
int vmcall_kick(unsigned int lcore_id);

/** An lcore and what it counted since it began. */
struct vmcall_lcore {
	unsigned int lcore_id;
	unsigned int queues;		/**< that it was seen to poll */
	enum vmcall_policy policy;	/**< in force */
	struct vmcall_error error;	/**< why it is not the one wanted */
	uint64_t polls;
	uint64_t packets;
	uint64_t arms;
	uint64_t packets_after_arm;	/**< found by the poll after arming */
	/** Found right after a sleep that only the limit ended: a few come just
	 * then; many say that something does not wake this lcore.
	 */
	uint64_t packets_after_limit;
	uint64_t sleeps;
	uint64_t wakes_packet;
	uint64_t wakes_limit;
	uint64_t slept_us;
};

/** @return 0 or -ENOENT (the lcore polls no queue of ours) */
int vmcall_lcore_get(unsigned int lcore_id, struct vmcall_lcore *lcore);

/** "poll", "interrupt", "pv-kick" or "vmcall"; NULL: there is no such one. */
const char *vmcall_policy_name(enum vmcall_policy policy);

#ifdef __cplusplus
}
#endif

#endif /* LIBVMCALL_H */
