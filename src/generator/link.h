// SPDX-License-Identifier: Apache-2.0
#ifndef LINK_H
#define LINK_H

#include <net/ethernet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** A packet socket on one interface. */
struct link {
	int fd;
	struct ether_addr mac;
};

/**
 * Open it: promiscuous, for IPv4 frames, without our own outgoing ones.
 * Errors are printed.
 * @return 0 or -1
 */
int link_open(struct link *link, const char *interface, bool qdisc_bypass);

/**
 * Take one frame if there is one.
 * @return its length; 0 if there is none (or it is one that we sent); -1 with
 *         errno set
 */
ssize_t link_receive(const struct link *link, uint8_t *bytes, size_t size);

#endif
