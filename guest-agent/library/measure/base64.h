/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef BASE64_H
#define BASE64_H

/** @file Base64 (RFC 4648, section 4), for what goes into a JSON string. */

#include <stddef.h>
#include <stdint.h>

/** @return a string to be freed by the caller, NULL if there is no memory */
char *base64_encode(const uint8_t *in, size_t length);

#endif /* BASE64_H */
