// SPDX-License-Identifier: Apache-2.0
#ifndef FRAME_H
#define FRAME_H

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The frames: Ethernet, IPv4, UDP and 18 bytes of ours, which is what fits into
 * the smallest frame (64 bytes with the check sum that the NIC adds).
 */
#define FRAME_CRC 4
#define FRAME_MAX 1514

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t length;	/**< without the check sum */
};

/** What a returning frame says of itself. */
struct frame_id {
	uint32_t run;
	uint32_t sequence;
	uint64_t sent_ns;	/**< CLOCK_MONOTONIC */
};

/**
 * Make the frame of a run; what changes from packet to packet is left out.
 * @param size with the check sum, bytes
 */
void frame_init(struct frame *frame, unsigned int size,
		const struct ether_addr *source_mac,
		const struct ether_addr *destination_mac,
		struct in_addr destination_ip, uint32_t run);

/** Send it to the nth address from the given one on, by the last octet. */
void frame_address(struct frame *frame, const struct ether_addr *first,
		   unsigned int nth);

/** Put number and time into it. */
void frame_stamp(struct frame *frame, uint32_t sequence, uint64_t sent_ns);

/** Read a received frame.  @return false if it is not one of ours */
bool frame_read(const uint8_t *bytes, size_t length, struct frame_id *id);

#endif
