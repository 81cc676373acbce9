/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef HDR_H
#define HDR_H

/**
 * @file
 * A High Dynamic Range histogram of fixed shape: three significant digits,
 * values from 1 ns to 60 s.  The layout of the counts and the V2 encoding are
 * those of the HdrHistogram libraries, so that any of them reads the result.
 * (Debian 12 has no package of HdrHistogram_c.)
 *
 * Recording writes two words, unless the value is a new extreme, allocates
 * nothing and takes no lock: one thread records.  Others may read at the same time and then see counts
 * that are each right but of slightly different moments.
 */

#include <stdint.h>

#define HDR_SIGNIFICANT_DIGITS	3
#define HDR_LOWEST		1ULL
#define HDR_HIGHEST		60000000000ULL
#define HDR_HALF_BITS		10	/* 2^11 sub-buckets: 3 digits */
#define HDR_BUCKETS		26	/* 2^11 << 25 > HDR_HIGHEST */
#define HDR_COUNTS		((HDR_BUCKETS + 1) << HDR_HALF_BITS)

struct hdr {
	uint64_t sum;	/**< exact sum of the values, not of their buckets */
	uint64_t min;	/**< exact; UINT64_MAX while empty */
	uint64_t max;	/**< exact, also above HDR_HIGHEST; 0 while empty */
	/** @{ the values from min to max, as far as they have buckets; none
	 * while it is empty
	 */
	uint64_t plain_low;
	uint64_t plain_span;
	/** @} */
	uint64_t counts[HDR_COUNTS];
};

/** Forget everything; also the way to make a new histogram usable. */
void hdr_reset(struct hdr *hdr);

/** Index into the counts of a value of at most HDR_HIGHEST. */
static inline uint32_t
hdr_index(uint64_t value)
{
	const uint64_t mask = (2ULL << HDR_HALF_BITS) - 1;
	/* 63 ^ clz, the highest bit's number, is one instruction: BSR. */
	uint32_t bucket = (63 ^ __builtin_clzll(value | mask)) - HDR_HALF_BITS;

	return (bucket << HDR_HALF_BITS) + (uint32_t)(value >> bucket);
}

/** Values recorded; adds the counts up. */
uint64_t hdr_count(const struct hdr *hdr);

/** Add all values of another, which may be recorded to meanwhile. */
void hdr_add(struct hdr *sum, const struct hdr *other);

/** hdr_record()'s rare part. @return the value to count it as */
uint64_t hdr_record_extreme(struct hdr *hdr, uint64_t value);

/**
 * Record one value below UINT64_MAX.  One above HDR_HIGHEST is counted in the
 * last bucket; max and sum still hold it exactly.
 */
static inline void
hdr_record(struct hdr *hdr, uint64_t value)
{
	hdr->sum += value;
	/* One comparison for both extremes and for the last bucket. */
	if (__builtin_expect(value - hdr->plain_low > hdr->plain_span, 0))
		value = hdr_record_extreme(hdr, value);
	hdr->counts[hdr_index(value)]++;
}

/**
 * The value at or below which the given share of the recorded values lies, to
 * the histogram's precision (the upper end of the bucket, at most max).
 *
 * @param hdr      histogram
 * @param per_mega share in parts per million, e.g. 999000 for p99.9
 * @return value in the recorded unit, 0 if the histogram is empty
 */
uint64_t hdr_percentile(const struct hdr *hdr, uint32_t per_mega);

/**
 * HdrHistogram V2, compressed (zlib), in base64: what the libraries decode
 * with "decodeFromCompressedBase64" and the like.
 *
 * @return a string to be freed by the caller, NULL if there is no memory
 */
char *hdr_encode(const struct hdr *hdr);

#endif /* HDR_H */
