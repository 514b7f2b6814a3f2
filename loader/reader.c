/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reader_init(struct reader *rd, const void *data, size_t len, bool swap, const char *what,
		 struct report *rp)
{
	/* Never NULL, so that pointer arithmetic on empty input stays defined. */
	const uint8_t *start = data ? data : (const uint8_t *)"";

	*rd = (struct reader){
		.start = start,
		.pos = start,
		.end = start + (data ? len : 0),
		.swap = swap,
		.what = what,
		.rp = rp,
	};
}

int reader_fail(struct reader *rd, const char *fmt, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(rd->rp, -EBADMSG, "%s+0x%zx: %s", rd->what, reader_offset(rd), text);
}

static int need(struct reader *rd, size_t n)
{
	if (n > reader_left(rd))
		return reader_fail(rd, "need %zu byte%s, have %zu", n, n == 1 ? "" : "s",
				   reader_left(rd));
	return 0;
}

int reader_bytes(struct reader *rd, size_t n, const void **ret)
{
	int r = need(rd, n);

	if (r < 0)
		return r;
	*ret = rd->pos;
	rd->pos += n;
	return 0;
}

int reader_skip(struct reader *rd, size_t n)
{
	int r = need(rd, n);

	if (r < 0)
		return r;
	rd->pos += n;
	return 0;
}

int reader_u8(struct reader *rd, uint8_t *ret)
{
	int r = need(rd, sizeof(*ret));

	if (r < 0)
		return r;
	*ret = *rd->pos++;
	return 0;
}

int reader_u16(struct reader *rd, uint16_t *ret)
{
	uint16_t v;
	int r = need(rd, sizeof(v));

	if (r < 0)
		return r;
	memcpy(&v, rd->pos, sizeof(v));
	rd->pos += sizeof(v);
	*ret = rd->swap ? __builtin_bswap16(v) : v;
	return 0;
}

int reader_u32(struct reader *rd, uint32_t *ret)
{
	uint32_t v;
	int r = need(rd, sizeof(v));

	if (r < 0)
		return r;
	memcpy(&v, rd->pos, sizeof(v));
	rd->pos += sizeof(v);
	*ret = rd->swap ? __builtin_bswap32(v) : v;
	return 0;
}

int reader_u64(struct reader *rd, uint64_t *ret)
{
	uint64_t v;
	int r = need(rd, sizeof(v));

	if (r < 0)
		return r;
	memcpy(&v, rd->pos, sizeof(v));
	rd->pos += sizeof(v);
	*ret = rd->swap ? __builtin_bswap64(v) : v;
	return 0;
}

int reader_seek(struct reader *rd, size_t offset)
{
	size_t len = rd->end - rd->start;

	if (offset > len)
		return report(rd->rp, -EBADMSG, "%s+0x%zx: lies behind the end at 0x%zx", rd->what,
			      offset, len);
	rd->pos = rd->start + offset;
	return 0;
}

int reader_cstr(struct reader *rd, const char **ret)
{
	const uint8_t *nul = memchr(rd->pos, '\0', reader_left(rd));

	if (!nul)
		return reader_fail(rd, "string does not end");
	*ret = (const char *)rd->pos;
	rd->pos = nul + 1;
	return 0;
}
