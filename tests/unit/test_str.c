/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/str.h"

#include <limits.h>
#include <stdio.h>

#include "base/bits.h"
#include "base/vec.h"
#include "tests/unit/test.h"

TEST(empty_string_has_text_and_no_error)
{
	_cleanup_str_ struct str s = {};

	CHECK_STR(str_text(&s), "");
	CHECK_EQ(str_error(&s), 0);
	str_add(&s, "");
	str_add_mem(&s, NULL, 0);
	CHECK_EQ(s.len, 0);
	CHECK_STR(str_text(&s), "");
}

TEST(pieces_are_joined_and_terminated)
{
	_cleanup_str_ struct str s = {};

	str_add(&s, "one");
	str_add_char(&s, ' ');
	str_add_mem(&s, "two and more", 3);
	str_printf(&s, " %s=%d", "three", 3);
	str_printf(&s, "%s", "");
	CHECK_STR(s.data, "one two three=3");
	CHECK_EQ(s.len, strlen(s.data));
}

TEST(keeps_nul_bytes)
{
	_cleanup_str_ struct str s = {};

	str_add_mem(&s, "a\0b", 3);
	str_add_char(&s, '\0');
	CHECK_EQ(s.len, 4);
	CHECK(!memcmp(s.data, "a\0b\0", 5));
}

TEST(grows_over_every_size_without_a_gap)
{
	_cleanup_str_ struct str s = {};

	for (int i = 0; i < 10000; i++) {
		str_add_char(&s, 'a' + i % 26);
		CHECK_EQ(s.len, i + 1);
		CHECK_EQ(s.data[s.len], '\0');
	}
	for (int i = 0; i < 10000; i++)
		CHECK_EQ(s.data[i], 'a' + i % 26);
}

TEST(fills_reserved_room_to_its_last_byte)
{
	for (size_t n = 0; n < 300; n++) {
		_cleanup_str_ struct str s = {};
		char *to;

		str_add(&s, "x");
		to = str_reserve(&s, n);
		CHECK(to == s.data + 1);
		/* The room for the NUL is not part of what was asked for. */
		memset(to, 'y', n);
		to[n] = '\0';
		s.len += n;
		CHECK_EQ(strlen(s.data), n + 1);
	}
}

TEST(no_memory_is_said_at_the_end)
{
	_cleanup_str_ struct str s = {};

	str_add(&s, "kept");
	CHECK(!str_reserve(&s, SIZE_MAX));
	CHECK_EQ(str_error(&s), -ENOMEM);
	str_add(&s, "dropped");
	str_printf(&s, "%d", 1);
	str_add_u64(&s, 1);
	str_add_json(&s, "x", 1);
	CHECK_STR(str_text(&s), "kept");
	CHECK_EQ(str_error(&s), -ENOMEM);
	CHECK(!str_take(&s));
	/* Taking makes it a new one. */
	CHECK_EQ(str_error(&s), 0);
	str_add(&s, "new");
	CHECK_STR(str_text(&s), "new");
}

TEST(sizes_near_the_end_of_the_address_space_do_not_wrap)
{
	static const size_t sizes[] = { SIZE_MAX,      SIZE_MAX - 1,	 SIZE_MAX - 2,
					SIZE_MAX - 64, SIZE_MAX / 2 + 1, PTRDIFF_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_str_ struct str s = {};

		str_add(&s, "ab");
		CHECK(!str_reserve(&s, sizes[i]));
		CHECK_EQ(str_error(&s), -ENOMEM);
	}
}

TEST(takes_what_was_built)
{
	_cleanup_str_ struct str s = {};
	_cleanup_free_ char *first = NULL, *empty = NULL;

	str_add(&s, "mine");
	first = str_take(&s);
	CHECK_STR(first, "mine");
	CHECK_EQ(s.len, 0);
	CHECK(!s.data);
	/* "never NULL unless failed" */
	empty = str_take(&s);
	CHECK_STR(empty, "");
}

TEST(truncates_only_to_less)
{
	_cleanup_str_ struct str s = {};

	str_truncate(&s, 0);
	str_truncate(&s, 5);
	CHECK_EQ(s.len, 0);
	str_add(&s, "abcdef");
	str_truncate(&s, 9);
	CHECK_STR(s.data, "abcdef");
	str_truncate(&s, 2);
	CHECK_STR(s.data, "ab");
	str_add(&s, "X");
	CHECK_STR(s.data, "abX");
	str_truncate(&s, 0);
	CHECK_STR(s.data, "");
}

static void check_numbers(uint64_t v)
{
	_cleanup_str_ struct str s = {};
	char expected[80];

	str_add_u64(&s, v);
	str_add_char(&s, ' ');
	str_add_i64(&s, (int64_t)v);
	str_add_char(&s, ' ');
	str_add_hex(&s, v);
	snprintf(expected, sizeof(expected), "%llu %lld 0x%llx", (unsigned long long)v,
		 (long long)v, (unsigned long long)v);
	CHECK_STR(s.data, expected);
}

TEST(numbers_are_what_printf_says)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		check_numbers(1ull << bit);
		check_numbers((1ull << bit) - 1);
		check_numbers(0 - (1ull << bit));
	}
	for (uint64_t p = 1; p <= UINT64_MAX / 10; p *= 10) {
		check_numbers(p);
		check_numbers(p - 1);
	}
	check_numbers(0);
	check_numbers(UINT64_MAX);
	check_numbers((uint64_t)INT64_MIN);
}

TEST(bytes_as_hex)
{
	_cleanup_str_ struct str s = {};
	unsigned char all[256];

	str_add_hex_bytes(&s, "", 0);
	CHECK_STR(s.data, "0x");
	str_add_hex_bytes(&s, "\x00\xff\x0a", 3);
	CHECK_STR(s.data, "0x0x00ff0a");
	for (int i = 0; i < 256; i++)
		all[i] = i;
	str_truncate(&s, 0);
	str_add_hex_bytes(&s, all, sizeof(all));
	CHECK_EQ(s.len, 2 + 512);
	for (int i = 0; i < 256; i++) {
		unsigned byte;

		CHECK_EQ(sscanf(s.data + 2 + 2 * i, "%2x", &byte), 1);
		CHECK_EQ(byte, i);
	}
}

static void check_json(const char *text, size_t len, const char *expected)
{
	_cleanup_str_ struct str s = {};

	str_add_json(&s, text, len);
	CHECK_STR(s.data, expected);
	CHECK_EQ(s.len, strlen(expected));
}
#define CHECK_JSON(literal, expected) check_json(literal, sizeof(literal) - 1, expected)

TEST(json_escapes_what_must_be)
{
	CHECK_JSON("", "\"\"");
	CHECK_JSON("plain text", "\"plain text\"");
	CHECK_JSON("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	CHECK_JSON("\n\t\r\b\x1b", "\"\\n\\t\\u000d\\u0008\\u001b\"");
	CHECK_JSON("a\0b", "\"a\\u0000b\"");
	CHECK_JSON("\x7f", "\"\\u007f\"");
}

TEST(json_keeps_utf8)
{
	CHECK_JSON("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d",
		   "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d\"");
	CHECK_JSON("\xc2\x80\xdf\xbf", "\"\xc2\x80\xdf\xbf\"");
	CHECK_JSON("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"");
}

/* Each byte that is no part of a well-formed sequence becomes \u00XX of its own. */
TEST(json_replaces_what_is_no_utf8)
{
	CHECK_JSON("\xff\xfe", "\"\\u00ff\\u00fe\"");
	CHECK_JSON("\x80", "\"\\u0080\"");				    /* continuation alone */
	CHECK_JSON("\xc0\xaf", "\"\\u00c0\\u00af\"");			    /* overlong '/' */
	CHECK_JSON("\xc1\xbf", "\"\\u00c1\\u00bf\"");			    /* overlong */
	CHECK_JSON("\xe0\x80\xaf", "\"\\u00e0\\u0080\\u00af\"");	    /* overlong */
	CHECK_JSON("\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"");	    /* surrogate */
	CHECK_JSON("\xf4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\""); /* over U+10FFFF */
	CHECK_JSON("\xf5\x80\x80\x80", "\"\\u00f5\\u0080\\u0080\\u0080\"");
	CHECK_JSON("\xf0\x80\x80\x80", "\"\\u00f0\\u0080\\u0080\\u0080\"");
	CHECK_JSON("\xc3(", "\"\\u00c3(\""); /* second byte missing */
}

TEST(json_does_not_read_behind_a_cut_sequence)
{
	static const char sequence[] = "\xf0\x9f\x90\x9d";

	for (size_t len = 1; len < 4; len++) {
		/* Of its own size, so that a sanitizer sees one byte too many. */
		_cleanup_free_ char *cut = malloc(len);
		_cleanup_str_ struct str s = {};

		memcpy(cut, sequence, len);
		str_add_json(&s, cut, len);
		CHECK_EQ(s.len, 2 + 6 * len);
	}
}

static void check_word(const char *text, size_t len, const char *expected)
{
	_cleanup_str_ struct str s = {};

	str_add_word(&s, text, len);
	CHECK_STR(s.data, expected);
}
#define CHECK_WORD(literal, expected) check_word(literal, sizeof(literal) - 1, expected)

TEST(words_are_quoted_where_they_must)
{
	CHECK_WORD("", "''");
	CHECK_WORD("/usr/lib/libc.so.6", "/usr/lib/libc.so.6");
	CHECK_WORD("tcp_*", "tcp_*");
	CHECK_WORD("with blank", "'with blank'");
	CHECK_WORD("a:b", "'a:b'");
	CHECK_WORD("a,b", "'a,b'");
	CHECK_WORD("a=b", "'a=b'");
	CHECK_WORD("it's", "'it\\x27s'");
	CHECK_WORD("back\\slash", "'back\\x5cslash'");
	CHECK_WORD("tab\there\n", "'tab\\x09here\\x0a'");
	CHECK_WORD("a\0b", "'a\\x00b'");
	CHECK_WORD("\"", "'\"'");
	CHECK_WORD("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
}

TEST(globs)
{
	CHECK(glob_match("", ""));
	CHECK(!glob_match("", "a"));
	CHECK(glob_match("*", ""));
	CHECK(glob_match("**", "abc"));
	CHECK(glob_match("a*c", "abc"));
	CHECK(glob_match("a*c", "ac"));
	CHECK(!glob_match("a*c", "acb"));
	CHECK(glob_match("a*b*c", "aXbYbZc"));
	CHECK(glob_match("*.so", "libc.so.so"));
	CHECK(glob_match("?", "x"));
	CHECK(!glob_match("?", ""));
	CHECK(!glob_match("a?", "a"));
	CHECK(glob_match("a?*", "ab"));
	CHECK(!glob_match("abc", "ab"));
	CHECK(!glob_match("ab", "abc"));
	CHECK(glob_match("*a*", "bab"));
	CHECK(!glob_match("*aab", "aaac"));
	CHECK(glob_match("*aab", "aaab"));
	CHECK(glob_match("a*", "a*"));
}

/* A pattern with many stars is the classic way to make a matcher take for ever. */
TEST(many_stars_take_no_time)
{
	char name[5001], pattern[201];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < 198; i += 2)
		memcpy(pattern + i, "a*", 2);
	memcpy(pattern + 198, "b", 2);
	CHECK(!glob_match(pattern, name));
}

static void check_u64(const char *text, int err, uint64_t expected)
{
	uint64_t v = 12345;

	if (parse_u64(text, &v) != err)
		FAIL("\"%s\" is %d, not %d", text, parse_u64(text, &v), err);
	CHECK_EQ(v, err ? 12345 : expected);
}

static void check_i64(const char *text, int err, int64_t expected)
{
	int64_t v = 12345;

	if (parse_i64(text, &v) != err)
		FAIL("\"%s\" is %d, not %d", text, parse_i64(text, &v), err);
	CHECK_EQ(v, err ? 12345 : expected);
}

TEST(parses_unsigned)
{
	check_u64("0", 0, 0);
	check_u64("42", 0, 42);
	check_u64("0x2a", 0, 42);
	check_u64("0X2A", 0, 42);
	check_u64("052", 0, 42);
	check_u64("18446744073709551615", 0, UINT64_MAX);
	check_u64("0xffffffffffffffff", 0, UINT64_MAX);
	check_u64("18446744073709551616", -ERANGE, 0);
	check_u64("99999999999999999999999", -ERANGE, 0);
}

TEST(parses_signed)
{
	check_i64("-1", 0, -1);
	check_i64("-0", 0, 0);
	check_i64("-0x10", 0, -16);
	check_i64("9223372036854775807", 0, INT64_MAX);
	check_i64("-9223372036854775808", 0, INT64_MIN);
	check_i64("9223372036854775808", -ERANGE, 0);
	check_i64("-9223372036854775809", -ERANGE, 0);
	check_i64("-99999999999999999999999", -ERANGE, 0);
}

/* "an optional sign": a plus is one. */
TEST(parses_a_plus)
{
	check_i64("+5", 0, 5);
	check_u64("+5", 0, 5);
	check_i64("+-5", -EINVAL, 0);
	check_i64("-+5", -EINVAL, 0);
	check_u64("++5", -EINVAL, 0);
}

TEST(refuses_what_is_no_number)
{
	static const char *const bad[] = { "",	 " ",	"-",  "+",   "x",   "5 ",   " 5", "5x",
					   "0x", "0xg", "08", "--5", "1.5", "0x 1", "-0x" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		check_u64(bad[i], -EINVAL, 0);
		check_i64(bad[i], -EINVAL, 0);
	}
	check_u64("-1", -EINVAL, 0);
	/* Too large and no number is first of all no number. */
	check_u64("99999999999999999999999x", -EINVAL, 0);
}

TEST(distance_of_spellings)
{
	CHECK_EQ(edit_distance("", "", 3), 0);
	CHECK_EQ(edit_distance("kprobe", "kprobe", 3), 0);
	CHECK_EQ(edit_distance("kprob", "kprobe", 3), 1);
	CHECK_EQ(edit_distance("cokie", "cookie", 3), 1);
	CHECK_EQ(edit_distance("mallocc", "malloc", 2), 1);
	CHECK_EQ(edit_distance("kitten", "sitting", 3), 3);
	CHECK_EQ(edit_distance("", "abc", 3), 3);
	CHECK_EQ(edit_distance("abc", "", 2), 3);
	CHECK_EQ(edit_distance("abcdef", "uvwxyz", 2), 3);
	CHECK_EQ(edit_distance("ab", "ba", 3), 2);
}

TEST(distance_of_long_names_is_too_far_or_right)
{
	char a[200], b[200];

	for (size_t n = 60; n < 70; n++) {
		memset(a, 'a', sizeof(a));
		memset(b, 'a', sizeof(b));
		a[n] = b[n] = '\0';
		b[n / 2] = 'b';
		CHECK(edit_distance(a, b, 2) == 1 || edit_distance(a, b, 2) == 3);
	}
	a[63] = '\0';
	memcpy(b, a, 64);
	b[0] = 'x';
	CHECK_EQ(edit_distance(a, b, 2), 1);
}

TEST(ranges_do_not_wrap)
{
	CHECK(range_fits(0, 0, 0));
	CHECK(range_fits(0, 10, 10));
	CHECK(range_fits(10, 0, 10));
	CHECK(!range_fits(11, 0, 10));
	CHECK(!range_fits(5, 6, 10));
	CHECK(!range_fits(UINT64_MAX, 2, 10));
	CHECK(!range_fits(2, UINT64_MAX, 10));
	CHECK(range_fits(0, UINT64_MAX, UINT64_MAX));
}

TEST(alignment_and_powers)
{
	CHECK_EQ(align_up(0, 8), 0);
	CHECK_EQ(align_up(1, 8), 8);
	CHECK_EQ(align_up(8, 8), 8);
	CHECK(is_pow2(1) && is_pow2(4096) && is_pow2(1ull << 63));
	CHECK(!is_pow2(0) && !is_pow2(3) && !is_pow2(UINT64_MAX));
}

TEST(vec_grows_and_keeps_its_elements)
{
	VEC(struct {
		int a;
		char b[12];
	})
	v = {};
	int sum = 0;

	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(vec_reserve(&v, 1), 0);
		v.data[v.len].a = i;
		v.len++;
	}
	vec_for_each (it, &v)
		sum += it->a;
	CHECK_EQ(sum, 999 * 1000 / 2);
	/* An absurd size changes nothing. */
	CHECK_EQ(vec_reserve(&v, SIZE_MAX - 5), -ENOMEM);
	CHECK_EQ(vec_reserve(&v, SIZE_MAX / 8), -ENOMEM);
	CHECK_EQ(v.len, 1000);
	CHECK_EQ(v.data[999].a, 999);
	vec_deinit(&v);
	CHECK_EQ(v.cap, 0);
	vec_for_each (it, &v)
		FAIL("an empty array has element %p", (void *)it);
}

TEST(vec_push_evaluates_its_value_once)
{
	VEC(int) v = {};
	int next = 0;

	for (int i = 0; i < 50; i++)
		CHECK_EQ(vec_push(&v, next++), 0);
	CHECK_EQ(next, 50);
	CHECK_EQ(v.data[49], 49);
	vec_deinit(&v);
}
