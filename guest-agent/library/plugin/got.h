/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef GOT_H
#define GOT_H

/**
 * @file
 * Calls of a program that is linked already, led elsewhere: by their slots in
 * the global offset tables of the program and its libraries.  A library that
 * EAL loads by -d comes too late for symbols alone.
 */

#include <stddef.h>

struct got_hook {
	const char *name;	/**< of the function */
	void *replacement;
	void **original;	/**< out: where the function is */
};

/**
 * Lead all calls of these functions to their replacements, but those of this
 * library.
 * @return number of slots written; -1: the program has not all of them
 */
int got_replace(const struct got_hook *hooks, size_t count);

#endif /* GOT_H */
