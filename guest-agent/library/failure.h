/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef FAILURE_H
#define FAILURE_H

/**
 * @file
 * Why something could not be done: a code that programs test and a sentence
 * that people read.  Both fit into a telemetry string (127 characters), and
 * the sentence holds no double quote, so that it can stand in JSON as it is.
 */
struct failure {
	char code[16];
	char text[128];
};

/**
 * Fill in a failure.
 *
 * @param failure where to, or NULL if the caller does not want to know
 * @param code    name of an error, e.g. "EPERM" or "EOPNOTSUPP"
 * @param format  printf-like sentence
 * @return always -1, so that a caller can `return failure_set(...)`
 */
int failure_set(struct failure *failure, const char *code,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Like failure_set(), with the name of the errno value given. */
int failure_errno(struct failure *failure, int error,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Make a failure say that there is none. */
void failure_clear(struct failure *failure);

#endif /* FAILURE_H */
