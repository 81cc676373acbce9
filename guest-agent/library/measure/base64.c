/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdlib.h>

#include "base64.h"

char *
base64_encode(const uint8_t *in, size_t length)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = malloc((length + 2) / 3 * 4 + 1);
	char *p = out;
	size_t i;

	if (out == NULL)
		return NULL;
	for (i = 0; i < length; i += 3) {
		uint32_t word = (uint32_t)in[i] << 16;

		if (i + 1 < length)
			word |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < length)
			word |= in[i + 2];
		*p++ = digits[word >> 18];
		*p++ = digits[word >> 12 & 63];
		*p++ = i + 1 < length ? digits[word >> 6 & 63] : '=';
		*p++ = i + 2 < length ? digits[word & 63] : '=';
	}
	*p = '\0';
	return out;
}
