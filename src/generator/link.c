// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (4 * 1024 * 1024)

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static int complain(const char *interface, const char *what)
{
	fprintf(stderr, "vmcall-generator: %s: %s: %s\n", interface, what,
		strerror(errno));
	return -1;
}

static int read_interface(struct link *link, const char *interface)
{
	struct ifreq request = { 0 };

	if (strlen(interface) >= sizeof(request.ifr_name)) {
		errno = ENAMETOOLONG;
		return complain(interface, "interface name");
	}
	strcpy(request.ifr_name, interface);
	if (ioctl(link->fd, SIOCGIFFLAGS, &request) != 0)
		return complain(interface, "no such interface");
	if ((request.ifr_flags & IFF_UP) == 0) {
		errno = ENETDOWN;
		return complain(interface, "bring it up (ip link set up)");
	}
	if (ioctl(link->fd, SIOCGIFHWADDR, &request) != 0)
		return complain(interface, "no hardware address");
	memcpy(&link->mac, request.ifr_hwaddr.sa_data, sizeof(link->mac));
	return 0;
}

static int bind_to(const struct link *link, const char *interface, int index)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = index,
	};
	struct packet_mreq promiscuous = {
		.mr_ifindex = index,
		.mr_type = PACKET_MR_PROMISC,
	};

	if (setsockopt(link->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
		       &promiscuous, sizeof(promiscuous)) != 0)
		return complain(interface, "promiscuous mode");
	if (bind(link->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return complain(interface, "binding a packet socket");
	return 0;
}

static int set_options(const struct link *link, const char *interface,
		       bool qdisc_bypass)
{
	const int one = 1, size = RECEIVE_BUFFER;

	if (qdisc_bypass && setsockopt(link->fd, SOL_PACKET, PACKET_QDISC_BYPASS,
				       &one, sizeof(one)) != 0)
		return complain(interface, "--qdisc-bypass");
	/* Both only help: outgoing frames are distinguished by their type too. */
	setsockopt(link->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	if (setsockopt(link->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) != 0)
		setsockopt(link->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

int link_open(struct link *link, const char *interface, bool qdisc_bypass)
{
	/* Protocol 0: nothing is received before bind() names the interface. */
	link->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return complain(interface, "packet socket (run as root)");
	if (read_interface(link, interface) != 0 ||
	    set_options(link, interface, qdisc_bypass) != 0 ||
	    bind_to(link, interface, (int)if_nametoindex(interface)) != 0) {
		close(link->fd);
		return -1;
	}
	return 0;
}

ssize_t link_receive(const struct link *link, uint8_t *bytes, size_t size)
{
	struct sockaddr_ll from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(link->fd, bytes, size, MSG_DONTWAIT,
			     (struct sockaddr *)&from, &length);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return from.sll_pkttype == PACKET_OUTGOING ? 0 : n;
}
