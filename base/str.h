/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * str - a byte string that is built piece by piece.
 *
 * Building never fails half-way: the first allocation that fails sets @failed,
 * later pieces are dropped, and the user asks str_error() once at the end. The
 * bytes are always followed by a NUL that is not counted.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

struct str {
	char *data; /* NULL until the first byte */
	size_t len, cap;
	bool failed; /* out of memory */
};

void str_deinit(struct str *s);
#define _cleanup_str_ _cleanup_(str_deinit)

/* 0, or -ENOMEM if any piece was dropped. */
static inline int str_error(const struct str *s)
{
	return s->failed ? -ENOMEM : 0;
}

/* Make room for @n more bytes; NULL and @failed when there is none. Returns where they go. */
char *str_reserve(struct str *s, size_t n);

static inline void str_add_mem(struct str *s, const void *data, size_t len)
{
	char *to = str_reserve(s, len);

	if (to && len) {
		memcpy(to, data, len);
		to[len] = '\0';
		s->len += len;
	}
}
static inline void str_add_char(struct str *s, char c)
{
	str_add_mem(s, &c, 1);
}
static inline void str_add(struct str *s, const char *text)
{
	str_add_mem(s, text, strlen(text));
}
void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *s, const char *fmt, va_list ap);
/* Decimal and "0x…" without the cost of printf. */
void str_add_u64(struct str *s, uint64_t v);
void str_add_i64(struct str *s, int64_t v);
void str_add_hex(struct str *s, uint64_t v);
/* "0x" and two digits a byte, lowest address first. */
void str_add_hex_bytes(struct str *s, const void *data, size_t len);
/*
 * A JSON string with its quotes. Bytes that are no valid UTF-8 become \u00XX of
 * the same number, so that the result is valid JSON whatever came in.
 */
void str_add_json(struct str *s, const char *text, size_t len);
/*
 * A word of the attach grammar or of text output: as it is where it is one
 * word, else in single quotes with \xNN for quotes, backslashes and controls.
 * An empty word is ''.
 */
void str_add_word(struct str *s, const char *text, size_t len);

/* Keep the first @len bytes. */
void str_truncate(struct str *s, size_t len);
/* The bytes (malloc'ed, NUL-terminated, never NULL unless failed); @s is empty again. */
char *str_take(struct str *s);
/* "" before the first byte. */
static inline const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

/* Does @name match the shell pattern of '*' and '?' as a whole? */
bool glob_match(const char *pattern, const char *name);
static inline bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
/*
 * A whole number in decimal, 0x or octal, an optional sign (for parse_u64() only a plus),
 * nothing behind it. 0, -EINVAL, -ERANGE.
 */
int parse_i64(const char *text, int64_t *ret);
int parse_u64(const char *text, uint64_t *ret);
/* How many single edits turn @a into @b, at most @max + 1: "did you mean". */
unsigned edit_distance(const char *a, const char *b, unsigned max);
