/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * reader - a cursor over bytes that nobody vouches for.
 *
 * Every read is checked against the end and corrected for byte order; the first
 * one that does not fit reports where, as in ".BTF+0x1c: need 4 bytes, have 2",
 * and returns -EBADMSG. Outputs are written only on success.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/report.h"

struct reader {
	const uint8_t *start, *pos, *end;
	bool swap;	  /* the bytes are of the other endianness */
	const char *what; /* for the sentence: ".BTF", "note section of /bin/x" */
	struct report *rp;
};

/* @data stays the caller's and must outlive the reader; so must @what and @rp. */
void reader_init(struct reader *rd, const void *data, size_t len, bool swap, const char *what,
		 struct report *rp);

static inline size_t reader_left(const struct reader *rd)
{
	return rd->end - rd->pos;
}
static inline size_t reader_offset(const struct reader *rd)
{
	return rd->pos - rd->start;
}

/* Each: 0 or -EBADMSG. */
int reader_u8(struct reader *rd, uint8_t *ret);
int reader_u16(struct reader *rd, uint16_t *ret);
int reader_u32(struct reader *rd, uint32_t *ret);
int reader_u64(struct reader *rd, uint64_t *ret);
/* @n bytes where they are; NULL-free for n = 0. */
int reader_bytes(struct reader *rd, size_t n, const void **ret);
int reader_skip(struct reader *rd, size_t n);
/* Move to @offset from the start. */
int reader_seek(struct reader *rd, size_t offset);
/* A NUL-terminated string inside the bytes. */
int reader_cstr(struct reader *rd, const char **ret);
/* Report something wrong at the cursor: "WHAT+0xOFF: …". Returns -EBADMSG. */
int reader_fail(struct reader *rd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
