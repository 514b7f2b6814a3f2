/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/json.h"

#include <stdint.h>
#include <string.h>

enum { MAX_DEPTH = 200 };

struct text {
	const char *p, *end;
	unsigned depth;
};

static int peek(const struct text *t)
{
	return t->p < t->end ? (unsigned char)*t->p : -1;
}

static bool take(struct text *t, char c)
{
	if (peek(t) != (unsigned char)c)
		return false;
	t->p++;
	return true;
}

static void blanks(struct text *t)
{
	while (t->p < t->end && strchr(" \t\r\n", *t->p) && *t->p)
		t->p++;
}

static bool digits(struct text *t)
{
	const char *start = t->p;

	while (peek(t) >= '0' && peek(t) <= '9')
		t->p++;
	return t->p > start;
}

static bool number(struct text *t)
{
	take(t, '-');
	if (!take(t, '0') && !digits(t))
		return false;
	if (take(t, '.') && !digits(t))
		return false;
	if (take(t, 'e') || take(t, 'E')) {
		if (!take(t, '+'))
			take(t, '-');
		return digits(t);
	}
	return true;
}

static bool hex4(struct text *t, unsigned *ret)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		int c = peek(t);

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v << 4 | ((c | 32) - 'a' + 10);
		else
			return false;
		t->p++;
	}
	*ret = v;
	return true;
}

static bool escape(struct text *t)
{
	unsigned v, low;
	int c = peek(t);

	t->p++;
	if (c > 0 && strchr("\"\\/bfnrt", c))
		return true;
	if (c != 'u' || !hex4(t, &v) || (v >= 0xdc00 && v <= 0xdfff))
		return false;
	if (v < 0xd800 || v > 0xdbff)
		return true;
	return take(t, '\\') && take(t, 'u') && hex4(t, &low) && low >= 0xdc00 && low <= 0xdfff;
}

/* One character of over 7 bits: shortest form, no surrogate, at most 0x10ffff. */
static bool utf8(struct text *t)
{
	static const struct {
		uint8_t mask, bits;
		uint32_t least;
	} forms[] = { { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
	int c = peek(t);

	for (unsigned more = 1; more <= 3; more++) {
		uint32_t v = c & (0xff >> (more + 2));

		if ((c & forms[more - 1].mask) != forms[more - 1].bits)
			continue;
		t->p++;
		for (unsigned i = 0; i < more; i++, t->p++) {
			if ((peek(t) & ~0x3f) != 0x80)
				return false;
			v = v << 6 | (peek(t) & 0x3f);
		}
		return v >= forms[more - 1].least && v <= 0x10ffff && (v < 0xd800 || v > 0xdfff);
	}
	return false;
}

static bool string(struct text *t)
{
	if (!take(t, '"'))
		return false;
	for (;;) {
		int c = peek(t);

		if (c == '"') {
			t->p++;
			return true;
		}
		if (c < 0x20)
			return false;
		if (c == '\\') {
			t->p++;
			if (!escape(t))
				return false;
		} else if (c >= 0x80) {
			if (!utf8(t))
				return false;
		} else {
			t->p++;
		}
	}
}

static bool word(struct text *t, const char *w)
{
	size_t len = strlen(w);

	if ((size_t)(t->end - t->p) < len || memcmp(t->p, w, len))
		return false;
	t->p += len;
	return true;
}

static bool value(struct text *t);

/* What is between brackets: elements, or members with their keys. */
static bool items(struct text *t, char close, bool keys)
{
	t->p++;
	blanks(t);
	if (take(t, close))
		return true;
	do {
		blanks(t);
		if (keys) {
			if (!string(t))
				return false;
			blanks(t);
			if (!take(t, ':'))
				return false;
		}
		if (!value(t))
			return false;
		blanks(t);
	} while (take(t, ','));
	return take(t, close);
}

static bool value(struct text *t)
{
	bool ok;

	if (t->depth++ >= MAX_DEPTH)
		return false;
	blanks(t);
	switch (peek(t)) {
	case '{':
		ok = items(t, '}', true);
		break;
	case '[':
		ok = items(t, ']', false);
		break;
	case '"':
		ok = string(t);
		break;
	case 't':
		ok = word(t, "true");
		break;
	case 'f':
		ok = word(t, "false");
		break;
	case 'n':
		ok = word(t, "null");
		break;
	default:
		ok = number(t);
	}
	t->depth--;
	return ok;
}

bool json_is_valid(const char *text, size_t len)
{
	struct text t = { text, text + len, 0 };

	if (!value(&t))
		return false;
	blanks(&t);
	return t.p == t.end;
}
