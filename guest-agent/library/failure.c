/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"

static void
fill(struct failure *failure, const char *code, const char *format, va_list args)
{
	char *c;

	if (failure == NULL)
		return;
	snprintf(failure->code, sizeof(failure->code), "%s", code);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	for (c = failure->text; *c != '\0'; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = ' ';
}

int
failure_set(struct failure *failure, const char *code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(failure, code, format, args);
	va_end(args);
	return -1;
}

int
failure_errno(struct failure *failure, int error, const char *format, ...)
{
	const char *code = strerrorname_np(error);
	va_list args;

	va_start(args, format);
	fill(failure, code != NULL ? code : "EUNKNOWN", format, args);
	va_end(args);
	return -1;
}

void
failure_clear(struct failure *failure)
{
	memset(failure, 0, sizeof(*failure));
}
