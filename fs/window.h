/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * window - the last reply of an open file, kept so that it can be read again.
 *
 * head(1), sed(1) and shells read a block, use some lines of it and seek back to
 * behind the last one they used; whoever reads next on the same open (`{ head -n2; cat; } < f`) must
 * find the rest there. So cursors and streams serve any offset inside their last
 * reply; a read at its end replaces it by what comes next; other offsets are ESPIPE.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/str.h"

struct window {
	struct str bytes;
	uint64_t start; /* offset of the first */
};

static inline uint64_t window_end(const struct window *w)
{
	return w->start + w->bytes.len;
}
/* Bytes that are there for a read at @off, at most @size; NULL if it is not inside. */
static inline const char *window_at(const struct window *w, uint64_t off, size_t size, size_t *ret)
{
	if (off < w->start || off >= window_end(w))
		return NULL;
	*ret = MIN(size, (size_t)(window_end(w) - off));
	return w->bytes.data + (off - w->start);
}
/* Forget the bytes and continue behind them. The memory is kept if it is small. */
static inline void window_advance(struct window *w)
{
	w->start += w->bytes.len;
	if (w->bytes.cap > 4096)
		str_deinit(&w->bytes);
	else
		str_truncate(&w->bytes, 0);
}
