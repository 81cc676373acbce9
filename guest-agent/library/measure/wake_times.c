/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_lcore.h>

#include "base64.h"
#include "failure.h"
#include "wake_times.h"

#define LEB_MAX		10	/* bytes of 64 bits, seven at a time */
#define WAKE_MAX	(2 * LEB_MAX)

int
wake_times_init(struct wake_times *times, struct failure *failure)
{
	*times = (struct wake_times) {
		.ring = rte_ring_create_elem("vmcall_wakes",
			sizeof(struct wake_time), WAKE_TIMES_MOST + 1,
			(int)rte_socket_id(), RING_F_SP_ENQ),
	};
	if (times->ring == NULL)
		return failure_errno(failure, rte_errno,
			"a ring for the times of wakes: %s",
			rte_strerror(rte_errno));
	return 0;
}

static bool
take(struct wake_times *times, struct wake_time *time)
{
	return rte_ring_mc_dequeue_elem(times->ring, time, sizeof(*time)) == 0;
}

void
wake_times_start(struct wake_times *times)
{
	struct wake_time forgotten;

	wake_times_stop(times);
	while (take(times, &forgotten))
		;
	times->missed_before = __atomic_load_n(&times->missed,
		__ATOMIC_RELAXED);
	__atomic_store_n(&times->on, true, __ATOMIC_RELAXED);
}

void
wake_times_stop(struct wake_times *times)
{
	__atomic_store_n(&times->on, false, __ATOMIC_RELAXED);
}

uint64_t
wake_times_missed(const struct wake_times *times)
{
	return __atomic_load_n(&times->missed, __ATOMIC_RELAXED) -
		times->missed_before;
}

static uint8_t *
put_leb128(uint8_t *p, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	return p;
}

char *
wake_times_take(struct wake_times *times, size_t most, uint32_t *count)
{
	const size_t bytes = most / 4 * 3;
	uint8_t *out = malloc(bytes);
	uint8_t *p = out;
	uint64_t last = 0;
	struct wake_time time;
	char *text;

	*count = 0;
	if (out == NULL)
		return NULL;
	while ((size_t)(p - out) + WAKE_MAX <= bytes && take(times, &time)) {
		p = put_leb128(p, time.after - last);
		p = put_leb128(p, time.after - time.before);
		last = time.after;
		++*count;
	}
	text = base64_encode(out, (size_t)(p - out));
	free(out);
	return text;
}
