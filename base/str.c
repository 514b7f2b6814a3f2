/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void str_deinit(struct str *s)
{
	free(s->data);
	*s = (struct str){};
}

char *str_reserve(struct str *s, size_t n)
{
	size_t want;

	if (s->failed)
		return NULL;
	if (s->data && n < s->cap - s->len)
		return s->data + s->len;
	if (__builtin_add_overflow(s->len, n + 1, &want) || n + 1 < n)
		goto fail;
	if (want < s->cap * 2)
		want = s->cap * 2;
	if (want < 64)
		want = 64;
	char *grown = realloc(s->data, want);
	if (!grown)
		goto fail;
	s->data = grown;
	s->cap = want;
	s->data[s->len] = '\0';
	return s->data + s->len;
fail:
	s->failed = true;
	return NULL;
}

void str_vprintf(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0 && str_reserve(s, n)) {
		vsnprintf(s->data + s->len, n + 1, fmt, again);
		s->len += n;
	}
	va_end(again);
}

void str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(s, fmt, ap);
	va_end(ap);
}

void str_add_u64(struct str *s, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = '0' + v % 10;
		v /= 10;
	} while (v);
	str_add_mem(s, digits + i, sizeof(digits) - i);
}

void str_add_i64(struct str *s, int64_t v)
{
	if (v < 0) {
		str_add_char(s, '-');
		str_add_u64(s, 0 - (uint64_t)v);
	} else {
		str_add_u64(s, v);
	}
}

void str_add_hex(struct str *s, uint64_t v)
{
	char digits[16];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	str_add_mem(s, "0x", 2);
	str_add_mem(s, digits + i, sizeof(digits) - i);
}

void str_add_hex_bytes(struct str *s, const void *data, size_t len)
{
	const unsigned char *p = data;
	char *to;

	str_add_mem(s, "0x", 2);
	if (!len || len > SIZE_MAX / 2 - 1)
		return;
	to = str_reserve(s, len * 2);
	if (!to)
		return;
	for (size_t i = 0; i < len; i++) {
		*to++ = "0123456789abcdef"[p[i] >> 4];
		*to++ = "0123456789abcdef"[p[i] & 15];
	}
	*to = '\0';
	s->len += len * 2;
}

/* Length of the well-formed UTF-8 sequence at @p, 0 if there is none (RFC 3629, table 3-7). */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool json_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

void str_add_json(struct str *s, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	str_add_char(s, '"');
	while (p < end) {
		const unsigned char *run = p;
		size_t n;

		while (p < end && json_plain(*p))
			p++;
		str_add_mem(s, run, p - run);
		if (p == end)
			break;
		n = utf8_len(p, end - p);
		if (*p == '"' || *p == '\\') {
			str_add_char(s, '\\');
			str_add_char(s, *p++);
		} else if (*p == '\n') {
			str_add_mem(s, "\\n", 2);
			p++;
		} else if (*p == '\t') {
			str_add_mem(s, "\\t", 2);
			p++;
		} else if (n > 1) {
			str_add_mem(s, p, n);
			p += n;
		} else {
			str_printf(s, "\\u%04x", *p++);
		}
	}
	str_add_char(s, '"');
}

/* A word that needs no quotes: letters, digits and what paths and symbols are made of. */
static bool word_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("_-./+@%^~*?[]$!&;<>|#(){}", c)) || c >= 0x80;
}

void str_add_word(struct str *s, const char *text, size_t len)
{
	bool plain = len > 0;

	for (size_t i = 0; i < len && plain; i++)
		plain = word_plain(text[i]);
	if (plain) {
		str_add_mem(s, text, len);
		return;
	}
	str_add_char(s, '\'');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c < ' ' || c == 0x7f || c == '\'' || c == '\\')
			str_printf(s, "\\x%02x", c);
		else
			str_add_char(s, c);
	}
	str_add_char(s, '\'');
}

void str_truncate(struct str *s, size_t len)
{
	if (len < s->len) {
		s->len = len;
		s->data[len] = '\0';
	}
}

char *str_take(struct str *s)
{
	char *data;

	if (!s->data)
		str_reserve(s, 0);
	data = s->failed ? NULL : s->data;
	if (data)
		s->data = NULL;
	str_deinit(s);
	return data;
}

bool glob_match(const char *pattern, const char *name)
{
	const char *star = NULL, *resume = NULL;

	/* On a mismatch only the last star can still help: linear in memory, no recursion. */
	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

int parse_u64(const char *text, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (*text == '+')
		text++;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (*end || end == text)
		return -EINVAL;
	if (errno)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_i64(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t v;
	int r;

	if (negative && text[1] == '+')
		return -EINVAL;
	r = parse_u64(text + negative, &v);
	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

unsigned edit_distance(const char *a, const char *b, unsigned max)
{
	enum { N = 64 };
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[N + 1];

	if (la > N || lb > N || (la > lb ? la - lb : lb - la) > max)
		return max + 1;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0], best = row[0] = i;

		for (size_t j = 1; j <= lb; j++) {
			unsigned above = row[j], cost = diagonal + (a[i - 1] != b[j - 1]);

			if (above + 1 < cost)
				cost = above + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			diagonal = above;
			row[j] = cost;
			if (cost < best)
				best = cost;
		}
		if (best > max)
			return max + 1;
	}
	return row[lb];
}
