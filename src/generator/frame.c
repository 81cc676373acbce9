// SPDX-License-Identifier: Apache-2.0
#include "frame.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

#define MAGIC 0x564d	/* "VM" */
#define PORT 9		/* discard, RFC 863 */
#define SOURCE_IP 0xc6120002	/* 198.18.0.2, RFC 2544 */
#define TTL 64

struct payload {
	uint16_t magic;
	uint32_t run;
	uint32_t sequence;
	uint64_t sent_ns;
} __attribute__((packed));

struct headers {
	struct ether_header ethernet;
	struct iphdr ip;
	struct udphdr udp;
	struct payload payload;
} __attribute__((packed));

static uint16_t ip_checksum(const void *header)
{
	const uint8_t *bytes = header;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < sizeof(struct iphdr); i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

void frame_init(struct frame *frame, unsigned int size,
		const struct ether_addr *source_mac,
		const struct ether_addr *destination_mac,
		struct in_addr destination_ip, uint32_t run)
{
	struct headers *h = (struct headers *)frame->bytes;
	size_t ip_length;

	memset(frame, 0, sizeof(*frame));
	frame->length = size - FRAME_CRC;
	ip_length = frame->length - sizeof(h->ethernet);

	memcpy(h->ethernet.ether_dhost, destination_mac, ETH_ALEN);
	memcpy(h->ethernet.ether_shost, source_mac, ETH_ALEN);
	h->ethernet.ether_type = htons(ETHERTYPE_IP);

	h->ip.version = IPVERSION;
	h->ip.ihl = sizeof(h->ip) / 4;
	h->ip.tot_len = htons((uint16_t)ip_length);
	h->ip.ttl = TTL;
	h->ip.protocol = IPPROTO_UDP;
	h->ip.saddr = htonl(SOURCE_IP);
	h->ip.daddr = destination_ip.s_addr;
	h->ip.check = ip_checksum(&h->ip);

	/* No UDP check sum: IPv4 allows that, and the time changes late. */
	h->udp.source = htons(PORT);
	h->udp.dest = htons(PORT);
	h->udp.len = htons((uint16_t)(ip_length - sizeof(h->ip)));

	h->payload.magic = htons(MAGIC);
	h->payload.run = htonl(run);
}

void frame_address(struct frame *frame, const struct ether_addr *first,
		   unsigned int nth)
{
	struct headers *h = (struct headers *)frame->bytes;

	h->ethernet.ether_dhost[ETH_ALEN - 1] =
		(uint8_t)(first->ether_addr_octet[ETH_ALEN - 1] + nth);
}

void frame_stamp(struct frame *frame, uint32_t sequence, uint64_t sent_ns)
{
	struct headers *h = (struct headers *)frame->bytes;

	h->payload.sequence = htonl(sequence);
	h->payload.sent_ns = htobe64(sent_ns);
}

bool frame_read(const uint8_t *bytes, size_t length, struct frame_id *id)
{
	const struct headers *h = (const struct headers *)bytes;

	if (length < sizeof(*h) ||
	    h->ethernet.ether_type != htons(ETHERTYPE_IP) ||
	    h->ip.ihl != sizeof(h->ip) / 4 ||
	    h->ip.protocol != IPPROTO_UDP ||
	    h->payload.magic != htons(MAGIC))
		return false;
	id->run = ntohl(h->payload.run);
	id->sequence = ntohl(h->payload.sequence);
	id->sent_ns = be64toh(h->payload.sent_ns);
	return true;
}
