/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

#define LINE_MOST 1024

static int
set_policy(struct settings *settings, char *value)
{
	enum vmcall_policy policy = VMCALL_POLICY_POLL;
	const char *name;

	while ((name = vmcall_policy_name(policy)) != NULL) {
		if (strcmp(name, value) == 0) {
			settings->options.policy = policy;
			return 0;
		}
		policy++;
	}
	return -1;
}

static int
number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *value >= least && *value <= most ?
		0 : -1;
}

static int
set_idle_threshold(struct settings *settings, char *value)
{
	return number(value, 0, VMCALL_MOST_US,
		&settings->options.idle_threshold_us);
}

static int
set_limit(struct settings *settings, char *value)
{
	return number(value, 1, VMCALL_MOST_US, &settings->options.limit_us);
}

static int
set_ports(struct settings *settings, char *value)
{
	if (strlen(value) >= sizeof(settings->ports))
		return -1;
	strcpy(settings->ports, value);
	return 0;
}

static int
set_lcores(struct settings *settings, char *value)
{
	char *word, *rest = value;

	settings->some_lcores = true;
	while ((word = strsep(&rest, ", ")) != NULL) {
		char *dash = strchr(word, '-');
		uint64_t first, last;

		if (word[0] == '\0')
			continue;
		if (dash != NULL)
			*dash = '\0';
		if (number(word, 0, RTE_MAX_LCORE - 1, &first) != 0 ||
		    number(dash != NULL ? dash + 1 : word, first,
				RTE_MAX_LCORE - 1, &last) != 0)
			return -1;
		for (; first <= last; first++)
			settings->lcores[first] = true;
	}
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct settings *settings, char *value);
	const char *wanted;
} keys[] = {
	{ "policy", set_policy, "poll, interrupt, pv-kick or vmcall" },
	{ "idle_threshold_us", set_idle_threshold, "0 to 60000000" },
	{ "limit_us", set_limit, "1 to 60000000" },
	{ "ports", set_ports, "names of ports, up to 511 characters" },
	{ "lcores", set_lcores, "lcores as in 1, 3-5" },
};

static char *
trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text + strspn(text, " \t");
}

static int
read_line(struct settings *settings, char *line, struct failure *failure)
{
	char *equals, *name;
	size_t i;

	line[strcspn(line, "#\n")] = '\0';
	name = trim(line);
	if (name[0] == '\0')
		return 0;
	equals = strchr(name, '=');
	if (equals == NULL)
		return failure_set(failure, "EINVAL",
			"%.40s: wanted key = value", name);
	*equals = '\0';
	name = trim(name);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char value[LINE_MOST];

		if (strcmp(keys[i].name, name) != 0)
			continue;
		strcpy(value, trim(equals + 1));
		if (keys[i].set(settings, value) == 0)
			return 0;
		return failure_set(failure, "EINVAL", "%s = %.30s: wanted %s",
			name, trim(equals + 1), keys[i].wanted);
	}
	return failure_set(failure, "EINVAL", "%.30s: no such key", name);
}

static int
read_file(struct settings *settings, FILE *file, const char *path,
		struct failure *failure)
{
	char line[LINE_MOST];
	struct failure why;
	unsigned int n;

	for (n = 1; fgets(line, sizeof(line), file) != NULL; n++)
		if (read_line(settings, line, &why) != 0)
			return failure_set(failure, why.code, "%.40s:%u: %s",
				path, n, why.text);
	return 0;
}

int
settings_read(struct settings *settings, struct failure *failure)
{
	const char *named = getenv(SETTINGS_VARIABLE);
	const char *path = named != NULL ? named : SETTINGS_FILE;
	FILE *file;
	int ret;

	*settings = (struct settings) {
		.options = {
			.policy = VMCALL_POLICY_POLL,
			.idle_threshold_us = VMCALL_IDLE_THRESHOLD_US,
			.limit_us = VMCALL_LIMIT_US,
		},
	};
	file = fopen(path, "re");
	if (file == NULL && errno == ENOENT && named == NULL)
		return 0;
	if (file == NULL)
		return failure_errno(failure, errno, "opening %.64s: %s", path,
			strerror(errno));
	ret = read_file(settings, file, path, failure);
	fclose(file);
	return ret;
}

bool
settings_has_port(const struct settings *settings, const char *name)
{
	char ports[sizeof(settings->ports)];
	char *word, *rest = ports;

	if (settings->ports[0] == '\0')
		return true;
	strcpy(ports, settings->ports);
	while ((word = strsep(&rest, ", ")) != NULL)
		if (strcmp(word, name) == 0)
			return true;
	return false;
}
