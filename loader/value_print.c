/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output goes straight into the string's spare bytes: a step asks once for as
 * many as it can need and then writes without looking. Only strings take the way
 * of base/str.h, where escaping is.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "loader/btf.h"
#include "loader/value_priv.h"

enum {
	NUMBER_MAX = 40, /* bytes of the longest number, its quotes and a comma */
	BIG_ENDIAN_HOST = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
};

struct printer {
	const struct value_format *f;
	enum value_style style;
	const uint8_t *data;
	size_t len;
	struct str *out;
	char *p, *end; /* where the next byte goes, and the last one that may */
};

/* An array of elements that is under way. */
struct loop {
	const uint8_t *outer; /* the element that it is in */
	uint64_t left;
};

static void commit(struct printer *o)
{
	if (!o->p)
		return;
	o->out->len = o->p - o->out->data;
	*o->p = '\0';
}

/* Spare bytes as they are now; NULL and NULL when there is no memory. */
static bool refill(struct printer *o, size_t n)
{
	o->p = str_reserve(o->out, n);
	o->end = o->p ? o->out->data + o->out->cap - 1 : NULL;
	return o->p;
}

static inline bool need(struct printer *o, size_t n)
{
	if ((size_t)(o->end - o->p) >= n)
		return true;
	commit(o);
	return refill(o, n);
}

static inline void put_lit(struct printer *o, const struct lit *lit)
{
	const char *text = o->f->pool + lit->off;

	/* Most are short: a copy of fixed length is a few moves. Both sides have room for it. */
	if (lit->len <= LIT_SLACK)
		memcpy(o->p, text, LIT_SLACK);
	else
		memcpy(o->p, text, lit->len);
	o->p += lit->len;
}

static inline void put_u64(struct printer *o, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	unsigned i = sizeof(digits);

	while (v >= 100) {
		i -= 2;
		memcpy(digits + i, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		i -= 2;
		memcpy(digits + i, pairs + v * 2, 2);
	} else {
		digits[--i] = '0' + v;
	}
	memcpy(o->p, digits + i, sizeof(digits) - i);
	o->p += sizeof(digits) - i;
}

static inline void put_i64(struct printer *o, int64_t v)
{
	if (v < 0)
		*o->p++ = '-';
	put_u64(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_text(struct printer *o, const char *text)
{
	o->p = stpcpy(o->p, text);
}

/* In quotes for JSON, which has no such numbers. */
static void put_hex(struct printer *o, uint64_t hi, uint64_t lo)
{
	static const char digit[] = "0123456789abcdef";
	unsigned n = 1;

	while (n < 16 && (hi ? hi : lo) >> (4 * n))
		n++;
	if (o->style == VALUE_JSON)
		*o->p++ = '"';
	*o->p++ = '0';
	*o->p++ = 'x';
	for (unsigned i = n; i-- > 0;)
		*o->p++ = digit[(hi ? hi : lo) >> (4 * i) & 15];
	for (unsigned i = hi ? 16 : 0; i-- > 0;)
		*o->p++ = digit[lo >> (4 * i) & 15];
	if (o->style == VALUE_JSON)
		*o->p++ = '"';
}

/* The fewest digits that give the same number again. */
static void put_double(struct printer *o, double v, bool single)
{
	char text[40];
	int digits = single ? 6 : 15, max = single ? 9 : 17;

	if (!isfinite(v)) {
		put_text(o, o->style == VALUE_JSON ? "null"
			    : isnan(v)		   ? "nan"
			    : v < 0		   ? "-inf"
						   : "inf");
		return;
	}
	for (;; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (digits == max ||
		    (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v))
			break;
	}
	/* A locale may have put something else for the point. */
	for (const char *c = text; *c; c++) {
		if (strchr("0123456789+-eE", *c))
			*o->p++ = *c;
		else if (o->p[-1] != '.')
			*o->p++ = '.';
	}
}

/* @n <= 64 bits from @bit, as the host's compiler lays out bit fields. */
static uint64_t load_bits(const uint8_t *p, unsigned bit, unsigned n)
{
	unsigned n_bytes, shift;
	unsigned __int128 v = 0;

	if (!n)
		return 0;
	p += bit / 8;
	bit %= 8;
	n_bytes = (bit + n + 7) / 8;
	for (unsigned i = 0; i < n_bytes; i++)
		v = v << 8 | p[BIG_ENDIAN_HOST ? i : n_bytes - 1 - i];
	shift = BIG_ENDIAN_HOST ? n_bytes * 8 - bit - n : bit;
	return (uint64_t)(v >> shift) & (UINT64_MAX >> (64 - n));
}

static inline uint64_t load(const struct step *s, const uint8_t *p)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch ((enum load)s->load) {
	case LOAD_U8:
		return *p;
	case LOAD_I8:
		return (int8_t)*p;
	case LOAD_U16:
	case LOAD_I16:
		memcpy(&u16, p, sizeof(u16));
		return s->load == LOAD_U16 ? u16 : (uint64_t)(int16_t)u16;
	case LOAD_U32:
	case LOAD_I32:
		memcpy(&u32, p, sizeof(u32));
		return s->load == LOAD_U32 ? u32 : (uint64_t)(int32_t)u32;
	case LOAD_U64:
	case LOAD_I64:
		memcpy(&u64, p, sizeof(u64));
		return u64;
	case LOAD_UBITS:
		return load_bits(p, s->bit, s->bits);
	case LOAD_IBITS:
		u64 = load_bits(p, s->bit, s->bits);
		if (s->bits && s->bits < 64 && u64 >> (s->bits - 1))
			u64 |= UINT64_MAX << s->bits;
		return u64;
	}
	return 0;
}

static const struct enum_value *enum_find(const struct value_format *f, uint32_t table, uint64_t v)
{
	const struct enum_table *t = &f->tables[table];
	const struct enum_value *values;
	uint32_t lo = 0, hi = t->n;

	if (!t->n)
		return NULL;
	values = f->values + t->first;
	v &= t->mask;
	if (t->dense)
		return v - values[0].value < t->n ? &values[v - values[0].value] : NULL;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (values[mid].value == v)
			return &values[mid];
		if (values[mid].value < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void put_enum(struct printer *o, const struct step *s, const uint8_t *p)
{
	uint64_t v = load(s, p);
	const struct enum_value *e = enum_find(o->f, s->arg, v);

	if (e) {
		if (need(o, e->lit[o->style].len + LIT_SLACK + NUMBER_MAX))
			put_lit(o, &e->lit[o->style]);
	} else if (s->load >= LOAD_I8) {
		put_i64(o, v);
	} else {
		put_u64(o, v);
	}
}

static void put_wide(struct printer *o, const struct step *s, const uint8_t *p)
{
	unsigned low = s->bits < 64 ? s->bits : 64;

	/* The low 64 bits are the last ones where bits count from the highest. */
	if (BIG_ENDIAN_HOST)
		put_hex(o, load_bits(p, s->bit, s->bits - low),
			load_bits(p, s->bit + s->bits - low, low));
	else
		put_hex(o, load_bits(p, s->bit + low, s->bits - low), load_bits(p, s->bit, low));
}

static void put_bytes(struct printer *o, const uint8_t *p, size_t n)
{
	commit(o);
	value_print_bytes(o->style, p, n, o->out);
	refill(o, NUMBER_MAX);
}

/* One value; there are NUMBER_MAX bytes for it. */
static inline void put_scalar(struct printer *o, const struct step *s, const uint8_t *p)
{
	double d;
	float f;

	switch ((enum show)s->show) {
	case SHOW_UINT:
		put_u64(o, load(s, p));
		break;
	case SHOW_INT:
		put_i64(o, load(s, p));
		break;
	case SHOW_BOOL:
		put_text(o, load(s, p) ? "true" : "false");
		break;
	case SHOW_ENUM:
		put_enum(o, s, p);
		break;
	case SHOW_PTR:
		put_hex(o, 0, load(s, p));
		break;
	case SHOW_FLOAT:
		memcpy(&f, p, sizeof(f));
		put_double(o, f, true);
		break;
	case SHOW_DOUBLE:
		memcpy(&d, p, sizeof(d));
		put_double(o, d, false);
		break;
	case SHOW_WIDE:
		put_wide(o, s, p);
		break;
	case SHOW_BYTES:
		put_bytes(o, p, s->stride);
		break;
	default:
		break;
	}
}

static uint64_t count_of(const struct printer *o, const struct step *s)
{
	if (!s->flexible)
		return s->count;
	/* What counts as the type's own padding is not an element. */
	return o->len > o->f->size && o->len > s->off ? (o->len - s->off) / s->stride : 0;
}

static void put_array(struct printer *o, const struct step *s, const uint8_t *p)
{
	uint64_t n = count_of(o, s);

	for (uint64_t i = 0; i < n; i++, p += s->stride) {
		if (i)
			*o->p++ = ',';
		put_scalar(o, s, p);
		if (!o->p || !need(o, NUMBER_MAX))
			return;
	}
}

/* Is each of the 8 bytes printable ASCII, neither quote nor backslash? */
static inline bool plain8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101, high = ones * 0x80;
	uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\', del = v ^ ones * 0x7f;

	/* The textbook test for "a byte is less than n", exact where no byte has its high bit. */
	return !((v | (v - ones * 0x20) | (quote - ones) | (slash - ones) | (del - ones)) & high);
}

static void put_chars(struct printer *o, const struct step *s, const uint8_t *p)
{
	uint64_t max = count_of(o, s), n = strnlen((const char *)p, max), i = 0;

	if (o->style == VALUE_JSON && n <= 256 && need(o, n + LIT_SLACK)) {
		char *to = o->p;

		*to++ = '"';
		for (; i + 8 <= n; i += 8) {
			uint64_t v;

			memcpy(&v, p + i, 8);
			if (!plain8(v))
				break;
			memcpy(to + i, &v, 8);
		}
		for (; i < n && p[i] >= ' ' && p[i] < 0x7f && p[i] != '"' && p[i] != '\\'; i++)
			to[i] = p[i];
		if (i == n) {
			to[n] = '"';
			o->p = to + n + 1;
			return;
		}
	}
	commit(o);
	if (o->style == VALUE_JSON)
		str_add_json(o->out, (const char *)p, n);
	else
		str_add_word(o->out, (const char *)p, n);
	refill(o, NUMBER_MAX);
}

static void run(struct printer *o)
{
	struct loop loops[BTF_MAX_DEPTH + 1];
	unsigned depth = 0;
	const uint8_t *base = o->data;
	const struct step *s = o->f->steps;

	for (;; s++) {
		if (!need(o, s->lit[o->style].len + LIT_SLACK + NUMBER_MAX))
			return;
		put_lit(o, &s->lit[o->style]);
		switch ((enum show)s->show) {
		case SHOW_END:
			return;
		case SHOW_LOOP:
			if (!count_of(o, s)) {
				s = &o->f->steps[s->arg] - 1;
				break;
			}
			loops[depth++] = (struct loop){ base, count_of(o, s) - 1 };
			base += s->off;
			break;
		case SHOW_NEXT:
			if (!loops[depth - 1].left) {
				base = loops[--depth].outer;
				break;
			}
			loops[depth - 1].left--;
			*o->p++ = ',';
			base += s->stride;
			s = &o->f->steps[s->arg] - 1;
			break;
		case SHOW_CHARS:
			put_chars(o, s, base + s->off);
			break;
		default:
			if (s->array)
				put_array(o, s, base + s->off);
			else
				put_scalar(o, s, base + s->off);
		}
		if (!o->p)
			return;
	}
}

void value_print(const struct value_format *f, enum value_style style, const void *data, size_t len,
		 struct str *out)
{
	struct printer o = { .f = f, .style = style, .data = data, .len = len, .out = out };

	if (!value_format_fits(f, len)) {
		value_print_bytes(style, data, len, out);
		return;
	}
	if (!refill(&o, 256))
		return;
	run(&o);
	commit(&o);
}

void value_print_bytes(enum value_style style, const void *data, size_t len, struct str *out)
{
	if (style == VALUE_JSON)
		str_add_char(out, '"');
	str_add_hex_bytes(out, data, len);
	if (style == VALUE_JSON)
		str_add_char(out, '"');
}

size_t value_format_size(const struct value_format *f)
{
	return f->size;
}

bool value_format_fits(const struct value_format *f, size_t len)
{
	return len == f->size || (f->flexible && len > f->size);
}

const char *value_format_name(const struct value_format *f)
{
	return f->name;
}
