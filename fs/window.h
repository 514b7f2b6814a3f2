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

/* A reply's bytes, counted: they are sent without a lock while the next ones are made. */
struct reply_bytes {
	unsigned refs; /* atomic */
	struct str str;
};

struct window {
	struct reply_bytes *bytes; /* NULL: none */
	uint64_t start;		   /* offset of the first */
};

static inline void reply_bytes_unref(struct reply_bytes *b)
{
	if (!b || __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL))
		return;
	str_deinit(&b->str);
	free(b);
}

static inline uint64_t window_end(const struct window *w)
{
	return w->start + (w->bytes ? w->bytes->str.len : 0);
}
/* Bytes that are there for a read at @off, at most @size; NULL if it is not inside. */
static inline const char *window_at(const struct window *w, uint64_t off, size_t size, size_t *ret)
{
	if (off < w->start || off >= window_end(w))
		return NULL;
	*ret = MIN(size, (size_t)(window_end(w) - off));
	return w->bytes->str.data + (off - w->start);
}
/* Forget the bytes: the window begins, empty, behind them. A window without bytes holds no memory. */
static inline void window_drop(struct window *w)
{
	w->start = window_end(w);
	reply_bytes_unref(take_ptr(w->bytes));
}
/*
 * window_turn() - forget the bytes and give an empty string for what comes next
 * The memory is used again unless a reply is still being sent from it. NULL when out of memory.
 */
static inline struct str *window_turn(struct window *w)
{
	w->start = window_end(w);
	if (w->bytes && __atomic_load_n(&w->bytes->refs, __ATOMIC_ACQUIRE) > 1)
		reply_bytes_unref(take_ptr(w->bytes));
	if (!w->bytes) {
		w->bytes = calloc(1, sizeof(*w->bytes));
		if (!w->bytes)
			return NULL;
		w->bytes->refs = 1;
	}
	str_truncate(&w->bytes->str, 0);
	w->bytes->str.failed = false;
	return &w->bytes->str;
}
