/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base64.h"
#include "hdr.h"

#define V2_COOKIE		0x1c849313U	/* V2, word size 1 */
#define V2_COMPRESSED_COOKIE	0x1c849314U
#define V2_HEADER		40
#define V2_COMPRESSED_HEADER	8
#define LEB_MAX			9

void
hdr_reset(struct hdr *hdr)
{
	memset(hdr, 0, sizeof(*hdr));
	hdr->min = UINT64_MAX;
	hdr->plain_low = UINT64_MAX;
}

static uint64_t
at_most_highest(uint64_t value)
{
	return value < HDR_HIGHEST ? value : HDR_HIGHEST;
}

uint64_t
hdr_record_extreme(struct hdr *hdr, uint64_t value)
{
	if (value < hdr->min)
		hdr->min = value;
	if (value > hdr->max)
		hdr->max = value;
	hdr->plain_low = at_most_highest(hdr->min);
	hdr->plain_span = at_most_highest(hdr->max) - hdr->plain_low;
	return at_most_highest(value);
}

uint64_t
hdr_count(const struct hdr *hdr)
{
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < HDR_COUNTS; i++)
		total += hdr->counts[i];
	return total;
}

void
hdr_add(struct hdr *sum, const struct hdr *other)
{
	uint32_t i;

	if (other->min != UINT64_MAX) {
		hdr_record_extreme(sum, other->min);
		hdr_record_extreme(sum, other->max);
	}
	sum->sum += other->sum;
	for (i = 0; i < HDR_COUNTS; i++)
		sum->counts[i] += other->counts[i];
}

/* The highest value that lands in the same bucket as the index says. */
static uint64_t
highest_of(uint32_t index)
{
	uint32_t bucket = index >> HDR_HALF_BITS;
	uint64_t sub = index & ((1U << HDR_HALF_BITS) - 1);

	if (bucket == 0)
		return sub;
	sub += 1ULL << HDR_HALF_BITS;
	return ((sub + 1) << (bucket - 1)) - 1;
}

uint64_t
hdr_percentile(const struct hdr *hdr, uint32_t per_mega)
{
	uint64_t total = hdr_count(hdr), seen = 0, wanted, value;
	uint32_t i;

	if (total == 0)
		return 0;
	wanted = (uint64_t)(((__uint128_t)total * per_mega + 999999) / 1000000);
	if (wanted == 0)
		wanted = 1;
	for (i = 0; i < HDR_COUNTS; i++) {
		seen += hdr->counts[i];
		if (seen >= wanted) {
			value = highest_of(i);
			return value < hdr->max ? value : hdr->max;
		}
	}
	return hdr->max;
}

static uint8_t *
put_be32(uint8_t *p, uint32_t value)
{
	int shift;

	for (shift = 24; shift >= 0; shift -= 8)
		*p++ = (uint8_t)(value >> shift);
	return p;
}

static uint8_t *
put_be64(uint8_t *p, uint64_t value)
{
	return put_be32(put_be32(p, (uint32_t)(value >> 32)), (uint32_t)value);
}

/* ZigZag, then LEB128 whose ninth byte carries eight bits. */
static uint8_t *
put_zigzag(uint8_t *p, int64_t value)
{
	uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
	int i;

	for (i = 0; i < LEB_MAX - 1 && rest >= 0x80; i++) {
		*p++ = (uint8_t)(rest | 0x80);
		rest >>= 7;
	}
	*p++ = (uint8_t)rest;
	return p;
}

/* Counts up to the last one that is not zero; a negative number is a run of
 * zeros.
 */
static uint8_t *
put_counts(uint8_t *p, const struct hdr *hdr)
{
	int64_t zeros = 0;
	uint32_t i, end = 0;

	for (i = 0; i < HDR_COUNTS; i++)
		if (hdr->counts[i] != 0)
			end = i + 1;
	for (i = 0; i < end; i++) {
		uint64_t count = hdr->counts[i];

		if (count == 0) {
			zeros++;
			continue;
		}
		if (zeros != 0)
			p = put_zigzag(p, -zeros);
		zeros = 0;
		p = put_zigzag(p, (int64_t)count);
	}
	return p;
}

static size_t
encode_plain(const struct hdr *hdr, uint8_t *out)
{
	uint8_t *end = put_counts(out + V2_HEADER, hdr);
	const double ratio = 1.0;
	uint64_t ratio_bits;
	uint8_t *p = out;

	memcpy(&ratio_bits, &ratio, sizeof(ratio_bits));
	p = put_be32(p, V2_COOKIE);
	p = put_be32(p, (uint32_t)(end - out - V2_HEADER));
	p = put_be32(p, 0);
	p = put_be32(p, HDR_SIGNIFICANT_DIGITS);
	p = put_be64(p, HDR_LOWEST);
	p = put_be64(p, HDR_HIGHEST);
	put_be64(p, ratio_bits);
	return (size_t)(end - out);
}

char *
hdr_encode(const struct hdr *hdr)
{
	const size_t plain_max = V2_HEADER + (size_t)HDR_COUNTS * LEB_MAX * 2;
	uLongf packed = compressBound(plain_max);
	uint8_t *out = malloc(V2_COMPRESSED_HEADER + packed);
	uint8_t *plain = malloc(plain_max);
	char *text = NULL;

	if (plain != NULL && out != NULL &&
	    compress2(out + V2_COMPRESSED_HEADER, &packed, plain,
		    encode_plain(hdr, plain), Z_BEST_COMPRESSION) == Z_OK) {
		put_be32(put_be32(out, V2_COMPRESSED_COOKIE), (uint32_t)packed);
		text = base64_encode(out, V2_COMPRESSED_HEADER + packed);
	}
	free(plain);
	free(out);
	return text;
}
