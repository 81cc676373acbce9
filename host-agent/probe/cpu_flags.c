/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cpu_flags.h"

static bool
has_word(const char *text, const char *word)
{
	const size_t length = strlen(word);
	const char *at = text;

	while ((at = strstr(at, word)) != NULL) {
		if (at != text && at[-1] == ' ' &&
		    (at[length] == ' ' || at[length] == '\n'))
			return true;
		at += length;
	}
	return false;
}

bool
cpu_flag(const char *name)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192];
	bool found = false;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "flags", 5) == 0) {
			found = has_word(line, name);
			break;
		}
	if (file != NULL)
		fclose(file);
	return found;
}
