/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "telemetry_link.h"
#include "telemetry_serve.h"

#define NOBODY_THERE_NS 100000000L

struct line {
	char text[TELEMETRY_COMMAND_MAX + 1];
	size_t length;
	bool too_long;
};

static void
pause_a_little(void)
{
	const struct timespec time = { .tv_nsec = NOBODY_THERE_NS };

	nanosleep(&time, NULL);
}

static int
write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (n <= 0) {
			pause_a_little();
			continue;
		}
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Where commands come from and where replies go. */
struct ends {
	int in;
	int out;
	bool may_end;	/* a pipe ends with its writer; a device does not */
};

static int
answer_error(int out, const char *code, const char *text)
{
	char reply[256];
	int n = snprintf(reply, sizeof(reply),
		"{\"code\":\"%s\",\"error\":\"%s\"}\n", code, text);

	return write_all(out, reply, (size_t)n);
}

/* One try with the connection there is, one with a new one: the program may
 * have been restarted since.
 */
static int
ask(int *link, const char *socket, const char *command, char *reply,
		size_t size)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (*link < 0)
			*link = telemetry_connect(socket);
		if (*link < 0)
			return -1;
		if (telemetry_ask(*link, command, reply, size) == 0)
			return 0;
		close(*link);
		*link = -1;
		if (errno == ETIMEDOUT || errno == EMSGSIZE)
			return -1;
	}
	return -1;
}

static int
answer(int out, int *link, const char *socket, const struct line *line)
{
	static char reply[TELEMETRY_REPLY_MAX];
	size_t length;

	if (line->too_long)
		return answer_error(out, "EMSGSIZE", "the line is too long");
	if (line->text[0] != '/')
		return answer_error(out, "EINVAL",
			"a telemetry command begins with a slash");
	if (ask(link, socket, line->text, reply, sizeof(reply) - 1) != 0)
		return answer_error(out,
			errno == ETIMEDOUT ? "ETIMEDOUT" : "ENOTCONN",
			strerror(errno));
	length = strlen(reply);
	reply[length++] = '\n';
	return write_all(out, reply, length);
}

/* @return true when the line is complete */
static bool
add_character(struct line *line, char c)
{
	if (c == '\n' || c == '\r') {
		line->text[line->length] = '\0';
		return true;
	}
	if (line->length < TELEMETRY_COMMAND_MAX)
		line->text[line->length++] = c;
	else
		line->too_long = true;
	return false;
}

static int
open_ends(const char *path, struct ends *ends)
{
	struct termios mode;

	if (strcmp(path, "-") == 0) {
		*ends = (struct ends) { STDIN_FILENO, STDOUT_FILENO, true };
		return 0;
	}
	ends->in = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ends->out = ends->in;
	ends->may_end = false;
	/* A terminal would echo the replies back as commands. */
	if (ends->in >= 0 && tcgetattr(ends->in, &mode) == 0) {
		cfmakeraw(&mode);
		tcsetattr(ends->in, TCSANOW, &mode);
	}
	return ends->in < 0 ? -1 : 0;
}

int
telemetry_serve(const char *path, const char *socket)
{
	struct line line = { .length = 0 };
	struct ends ends;
	int link = -1;

	if (open_ends(path, &ends) != 0) {
		fprintf(stderr, "vmcall-telemetry: %s: %s\n", path,
			strerror(errno));
		return -1;
	}
	for (;;) {
		char input[512];
		ssize_t i, n = read(ends.in, input, sizeof(input));

		if (n == 0 && ends.may_end)
			return 0;
		if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EIO) {
			fprintf(stderr, "vmcall-telemetry: reading %s: %s\n",
				path, strerror(errno));
			return -1;
		}
		if (n <= 0) {
			pause_a_little();
			continue;
		}
		for (i = 0; i < n; i++) {
			if (!add_character(&line, input[i]))
				continue;
			if (line.length > 0 &&
			    answer(ends.out, &link, socket, &line) != 0) {
				fprintf(stderr,
					"vmcall-telemetry: writing %s: %s\n",
					path, strerror(errno));
				return -1;
			}
			line.length = 0;
			line.too_long = false;
		}
	}
}
