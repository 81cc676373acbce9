/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "telemetry_link.h"

/* One message of at most size - 1 bytes. */
static int
receive(int fd, char *text, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	ssize_t n;
	int ready;

	do {
		ready = poll(&poll_fd, 1, TELEMETRY_TIMEOUT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -1;
	if (ready == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	n = recv(fd, text, size - 1, MSG_TRUNC);
	if (n < 0)
		return -1;
	if (n == 0) {
		errno = ECONNRESET;
		return -1;
	}
	if ((size_t)n >= size) {
		errno = EMSGSIZE;
		return -1;
	}
	text[n] = '\0';
	return 0;
}

int
telemetry_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char greeting[1024];
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    receive(fd, greeting, sizeof(greeting)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int
telemetry_ask(int fd, const char *command, char *reply, size_t size)
{
	if (send(fd, command, strlen(command), MSG_NOSIGNAL) < 0)
		return -1;
	return receive(fd, reply, size);
}
