/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/value.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "loader/btf.h"
#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

static struct btf *parsed(struct btf_gen *g)
{
	struct btf *btf;

	gen_finish(g);
	if (btf_parse(g->blob.data, g->blob.len, ".BTF", NULL, &rp, &btf) < 0)
		FAIL("%s", rp.text);
	gen_deinit(g);
	return btf;
}

/* Show @len bytes as type @id in both styles. Takes @g. */
static void shows_as(struct btf_gen *g, uint32_t id, const void *data, size_t len, const char *json,
		     const char *text)
{
	struct btf *btf = parsed(g);
	struct value_format *f;
	struct str out = {};
	/* Exactly this size, so that a sanitizer sees a read behind it. */
	void *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	if (value_compile(btf, id, &rp, &f) < 0)
		FAIL("%s", rp.text);
	btf_unref(btf); /* the format needs it no more */
	CHECK(value_format_fits(f, len));
	value_print(f, VALUE_JSON, copy, len, &out);
	CHECK_STR(str_text(&out), json);
	CHECK_EQ(strlen(json), out.len);
	str_truncate(&out, 0);
	value_print(f, VALUE_TEXT, copy, len, &out);
	CHECK_STR(str_text(&out), text);
	str_deinit(&out);
	value_format_free(f);
	free(copy);
}

static void int_shows_as(uint32_t size, uint32_t encoding, const void *data, const char *json)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "number", size, encoding);

	shows_as(&g, i, data, size, json, json);
}

TEST(integers_of_each_size_and_sign)
{
	int_shows_as(1, 0, &(uint8_t){ 255 }, "255");
	int_shows_as(1, BTF_INT_SIGNED, &(int8_t){ -128 }, "-128");
	int_shows_as(2, 0, &(uint16_t){ 65535 }, "65535");
	int_shows_as(2, BTF_INT_SIGNED, &(int16_t){ -32768 }, "-32768");
	int_shows_as(4, 0, &(uint32_t){ 4294967295 }, "4294967295");
	int_shows_as(4, BTF_INT_SIGNED, &(int32_t){ INT32_MIN }, "-2147483648");
	int_shows_as(8, 0, &(uint64_t){ UINT64_MAX }, "18446744073709551615");
	int_shows_as(8, BTF_INT_SIGNED, &(int64_t){ INT64_MIN }, "-9223372036854775808");
	int_shows_as(8, BTF_INT_SIGNED, &(int64_t){ 0 }, "0");
	int_shows_as(4, 0, &(uint32_t){ 9 }, "9");
	int_shows_as(4, 0, &(uint32_t){ 10 }, "10");
	int_shows_as(4, 0, &(uint32_t){ 99 }, "99");
	int_shows_as(4, 0, &(uint32_t){ 100 }, "100");
	int_shows_as(4, 0, &(uint32_t){ 12345 }, "12345");
	int_shows_as(1, BTF_INT_SIGNED | BTF_INT_CHAR, "a", "97");
}

TEST(integers_of_three_bytes)
{
	struct btf_gen g = {};
	uint32_t i = gen_int_bits(&g, "u24", 4, 0, 0, 24);

	shows_as(&g, i, &(uint32_t){ 0xff000102 }, 4,
		 __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "16711681" : "258",
		 __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "16711681" : "258");
}

TEST(bool_is_true_or_false)
{
	int_shows_as(1, BTF_INT_BOOL, &(uint8_t){ 0 }, "false");
	int_shows_as(1, BTF_INT_BOOL, &(uint8_t){ 1 }, "true");
	int_shows_as(1, BTF_INT_BOOL, &(uint8_t){ 2 }, "true");
}

TEST(int128_is_hexadecimal)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "__int128", 16, 0);

	shows_as(&g, i, &(unsigned __int128){ (unsigned __int128)0x12 << 64 | 0xab }, 16,
		 "\"0x1200000000000000ab\"", "0x1200000000000000ab");
	g = (struct btf_gen){};
	i = gen_int(&g, "__int128", 16, 0);
	shows_as(&g, i, &(unsigned __int128){ 0xab }, 16, "\"0xab\"", "0xab");
	g = (struct btf_gen){};
	i = gen_int(&g, "__int128", 16, BTF_INT_SIGNED);
	shows_as(&g, i, &(__int128){ -1 }, 16, "\"0xffffffffffffffffffffffffffffffff\"",
		 "0xffffffffffffffffffffffffffffffff");
}

static void enum_shows_as(uint32_t kind, bool is_signed, uint32_t size, const void *data,
			  const char *json, const char *text)
{
	struct btf_gen g = {};
	uint32_t e = gen_enum(&g, kind, is_signed, "state", size, E("RUNNING", 0), E("SLEEPING", 1),
			      E("ALSO_SLEEPING", 1), E("ZOMBIE", 64), E("MINUS", -1));

	shows_as(&g, e, data, size, json, text);
}

TEST(enums_show_their_names)
{
	enum_shows_as(BTF_KIND_ENUM, true, 4, &(int32_t){ 0 }, "\"RUNNING\"", "RUNNING");
	enum_shows_as(BTF_KIND_ENUM, true, 4, &(int32_t){ 1 }, "\"SLEEPING\"", "SLEEPING");
	enum_shows_as(BTF_KIND_ENUM, true, 4, &(int32_t){ 64 }, "\"ZOMBIE\"", "ZOMBIE");
	enum_shows_as(BTF_KIND_ENUM, true, 4, &(int32_t){ -1 }, "\"MINUS\"", "MINUS");
	/* Old compilers do not say that it is signed. */
	enum_shows_as(BTF_KIND_ENUM, false, 4, &(int32_t){ -1 }, "\"MINUS\"", "MINUS");
	enum_shows_as(BTF_KIND_ENUM, true, 1, &(int8_t){ -1 }, "\"MINUS\"", "MINUS");
	enum_shows_as(BTF_KIND_ENUM, false, 2, &(int16_t){ 64 }, "\"ZOMBIE\"", "ZOMBIE");
	enum_shows_as(BTF_KIND_ENUM64, true, 8, &(int64_t){ -1 }, "\"MINUS\"", "MINUS");
	enum_shows_as(BTF_KIND_ENUM64, false, 8, &(int64_t){ 1 }, "\"SLEEPING\"", "SLEEPING");
}

TEST(unknown_enumerators_are_numbers)
{
	enum_shows_as(BTF_KIND_ENUM, true, 4, &(int32_t){ -7 }, "-7", "-7");
	enum_shows_as(BTF_KIND_ENUM, false, 4, &(int32_t){ -7 }, "4294967289", "4294967289");
	enum_shows_as(BTF_KIND_ENUM, false, 4, &(int32_t){ 2 }, "2", "2");
	enum_shows_as(BTF_KIND_ENUM64, true, 8, &(int64_t){ INT64_MIN }, "-9223372036854775808",
		      "-9223372036854775808");
	enum_shows_as(BTF_KIND_ENUM64, false, 8, &(int64_t){ -2 }, "18446744073709551614",
		      "18446744073709551614");
}

TEST(enum64_has_all_bits)
{
	struct btf_gen g = {};
	uint32_t e = gen_enum(&g, BTF_KIND_ENUM64, false, "big", 8, E("LOW", 1),
			      E("HIGH", (1ll << 40) + 1));

	shows_as(&g, e, &(uint64_t){ (1ull << 40) + 1 }, 8, "\"HIGH\"", "HIGH");
}

TEST(dense_enums_have_ends)
{
	for (int v = 9; v <= 13; v++) {
		static const char *const want[] = { "9", "A", "B", "C", "13" };
		struct btf_gen g = {};
		uint32_t e = gen_enum(&g, BTF_KIND_ENUM, false, "abc", 4, E("B", 11), E("A", 10),
				      E("C", 12));
		char json[8];

		snprintf(json, sizeof(json), v > 9 && v < 13 ? "\"%s\"" : "%s", want[v - 9]);
		shows_as(&g, e, &v, 4, json, want[v - 9]);
	}
}

TEST(enums_without_enumerators_are_numbers)
{
	struct btf_gen g = {};
	uint32_t e = gen_enums(&g, BTF_KIND_ENUM, false, "empty", 4, NULL, 0);

	shows_as(&g, e, &(uint32_t){ 3 }, 4, "3", "3");
}

TEST(pointers_are_hexadecimal)
{
	struct btf_gen g = {};
	uint32_t p = gen_ref(&g, BTF_KIND_PTR, NULL, 0);

	shows_as(&g, p, &(uint64_t){ 0xffff888000000010 }, 8, "\"0xffff888000000010\"",
		 "0xffff888000000010");
	g = (struct btf_gen){};
	p = gen_ref(&g, BTF_KIND_PTR, NULL, 0);
	shows_as(&g, p, &(uint64_t){ 0 }, 8, "\"0x0\"", "0x0");
}

static void float_shows_as(double v, uint32_t size, const char *json, const char *text)
{
	struct btf_gen g = {};
	uint32_t id = gen_ref(&g, BTF_KIND_FLOAT, "float", size);
	float f = v;

	shows_as(&g, id, size == 4 ? (void *)&f : &v, size, json, text);
}

TEST(floats_are_short_and_exact)
{
	float_shows_as(0.1, 8, "0.1", "0.1");
	float_shows_as(0.1, 4, "0.1", "0.1");
	float_shows_as(1.0 / 3, 8, "0.3333333333333333", "0.3333333333333333");
	float_shows_as(-2.5, 4, "-2.5", "-2.5");
	float_shows_as(0, 8, "0", "0");
	float_shows_as(1e300, 8, "1e+300", "1e+300");
	float_shows_as(2.2250738585072014e-308, 8, "2.2250738585072014e-308",
		       "2.2250738585072014e-308");
	float_shows_as(16777216, 4, "16777216", "16777216");
}

TEST(floats_that_are_no_numbers)
{
	float_shows_as(NAN, 8, "null", "nan");
	float_shows_as(-NAN, 4, "null", "nan");
	float_shows_as(INFINITY, 8, "null", "inf");
	float_shows_as(-INFINITY, 4, "null", "-inf");
}

TEST(floats_have_a_point_in_any_locale)
{
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		SKIP("no locale with a comma");
	float_shows_as(0.5, 8, "0.5", "0.5");
}

TEST(long_doubles_are_bytes)
{
	struct btf_gen g = {};
	uint32_t id = gen_ref(&g, BTF_KIND_FLOAT, "long double", 16);

	shows_as(&g, id, "0123456789abcdef", 16, "\"0x30313233343536373839616263646566\"",
		 "0x30313233343536373839616263646566");
}

TEST(structs_show_their_members)
{
	struct {
		uint32_t pid;
		char comm[16];
		uint64_t ts;
	} v = { 1, "bash", 77 };
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0), l = gen_int(&g, "long", 8, 0);
	uint32_t c = gen_array(&g, gen_int(&g, "char", 1, 0), 16);
	uint32_t s = gen_struct(&g, "event", 32, M("pid", i, 0), M("comm", c, 32), M("ts", l, 192));

	shows_as(&g, s, &v, sizeof(v), "{\"pid\":1,\"comm\":\"bash\",\"ts\":77}",
		 "pid=1 comm=bash ts=77");
}

TEST(inner_structs_have_braces)
{
	int v[] = { 1, 2, 3, 4, 5 };
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0);
	uint32_t p = gen_struct(&g, "point", 8, M("x", i, 0), M("y", i, 32));
	uint32_t s = gen_struct(&g, "line", 20, M("a", p, 0), M("n", i, 64), M("b", p, 96));

	shows_as(&g, s, v, sizeof(v), "{\"a\":{\"x\":1,\"y\":2},\"n\":3,\"b\":{\"x\":4,\"y\":5}}",
		 "a={x=1,y=2} n=3 b={x=4,y=5}");
}

TEST(anonymous_members_are_inlined)
{
	int v[] = { 1, 2, 3 };
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED), u = gen_int(&g, "unsigned", 4, 0);
	uint32_t un = gen_union(&g, NULL, 4, M("s", i, 0), M("u", u, 0));
	uint32_t in = gen_struct(&g, NULL, 8, M(NULL, un, 0), M("b", i, 32));
	uint32_t k = gen_ref(&g, BTF_KIND_CONST, NULL, in);
	uint32_t s = gen_struct(&g, "outer", 12, M(NULL, k, 0), M("c", i, 64));

	shows_as(&g, s, v, sizeof(v), "{\"s\":1,\"u\":1,\"b\":2,\"c\":3}", "s=1 u=1 b=2 c=3");
}

TEST(empty_structs_are_empty)
{
	struct btf_gen g = {};
	uint32_t e = gen_composite(&g, BTF_KIND_STRUCT, false, "empty", 0, NULL, 0);
	uint32_t s = gen_struct(&g, "holder", 0, M("e", e, 0), M(NULL, e, 0), M("f", e, 0));

	shows_as(&g, s, "", 0, "{\"e\":{},\"f\":{}}", "e={} f={}");
	g = (struct btf_gen){};
	e = gen_composite(&g, BTF_KIND_STRUCT, false, "empty", 0, NULL, 0);
	shows_as(&g, e, "", 0, "{}", "");
}

TEST(names_are_quoted_where_they_must_be)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0);
	uint32_t s = gen_struct(&g, "odd", 4, M("a\"b c", i, 0));

	shows_as(&g, s, &(int){ 1 }, 4, "{\"a\\\"b c\":1}", "'a\"b c'=1");
}

/* What the compiler of this test lays out, is what is expected. */
struct fields {
	unsigned a : 3;
	int b : 5;
	unsigned c : 24;
	_Bool d : 1;
	unsigned long long e : 63;
};

static struct fields fields_value(void)
{
	struct fields v = {};

	v.a = 5;
	v.b = -3;
	v.c = 0xabcdef;
	v.d = 1;
	v.e = 0x7edcba9876543210;
	return v;
}
static const char fields_json[] =
	"{\"a\":5,\"b\":-3,\"c\":11259375,\"d\":true,\"e\":9141386507638288912}";
static const char fields_text[] = "a=5 b=-3 c=11259375 d=true e=9141386507638288912";

TEST(bit_fields_of_new_style)
{
	struct fields v = fields_value();
	struct btf_gen g = {};
	uint32_t u = gen_int(&g, "unsigned int", 4, 0), i = gen_int(&g, "int", 4, BTF_INT_SIGNED);
	uint32_t b = gen_int(&g, "_Bool", 1, BTF_INT_BOOL), l = gen_int(&g, "long", 8, 0);
	uint32_t s = gen_bitfields(&g, "fields", 16, M("a", u, BITS(3, 0)), M("b", i, BITS(5, 3)),
				   M("c", u, BITS(24, 8)), M("d", b, BITS(1, 32)),
				   M("e", l, BITS(63, 64)));

	CHECK_EQ(sizeof(v), 16);
	shows_as(&g, s, &v, sizeof(v), fields_json, fields_text);
}

/* The offset of an old-style bit field is that of its member, that of its integer, or both. */
TEST(bit_fields_of_old_style)
{
	struct fields v = fields_value();
	struct btf_gen g = {};
	uint32_t a = gen_int_bits(&g, "unsigned int", 4, 0, 0, 3);
	uint32_t b = gen_int_bits(&g, "int", 4, BTF_INT_SIGNED, 3, 5);
	uint32_t c = gen_int_bits(&g, "unsigned int", 4, 0, 4, 24);
	uint32_t d = gen_int_bits(&g, "_Bool", 1, BTF_INT_BOOL, 0, 1);
	uint32_t e = gen_int_bits(&g, "long", 8, 0, 0, 63);
	uint32_t s = gen_struct(&g, "fields", 16, M("a", a, 0), M("b", b, 0), M("c", c, 4),
				M("d", d, 32), M("e", e, 64));

	shows_as(&g, s, &v, sizeof(v), fields_json, fields_text);
}

TEST(bit_fields_that_cross_nine_bytes)
{
	/* No C compiler does this, but a packed struct of another one may. */
	uint8_t v[9] = { 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };
	struct btf_gen g = {};
	uint32_t l = gen_int(&g, "long", 8, 0);
	uint32_t s = gen_bitfields(&g, "packed", 9, M("x", l, BITS(64, 7)));

	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		SKIP("written for little endian");
	shows_as(&g, s, v, sizeof(v), "{\"x\":18446744073709551615}", "x=18446744073709551615");
}

TEST(bit_fields_of_enums)
{
	uint32_t v = 2 | 7 << 2;
	struct btf_gen g = {};
	uint32_t e = gen_enum(&g, BTF_KIND_ENUM, false, "color", 4, E("RED", 1), E("BLUE", 2));
	uint32_t n = gen_enum(&g, BTF_KIND_ENUM, true, "sign", 4, E("MINUS", -1), E("PLUS", 1));
	uint32_t s = gen_bitfields(&g, "fields", 4, M("c", e, BITS(2, 0)), M("s", n, BITS(3, 2)),
				   M("t", n, BITS(2, 5)));

	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		SKIP("written for little endian");
	shows_as(&g, s, &v, 4, "{\"c\":\"BLUE\",\"s\":\"MINUS\",\"t\":0}", "c=BLUE s=MINUS t=0");
}

TEST(bit_fields_of_int128)
{
	unsigned __int128 v = ((unsigned __int128)0xabc << 64 | 0x1234567890abcdef) << 3;
	struct btf_gen g = {};
	uint32_t w = gen_int(&g, "__int128", 16, 0);
	uint32_t s = gen_bitfields(&g, "wide", 16, M("w", w, BITS(100, 3)));

	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		SKIP("written for little endian");
	shows_as(&g, s, &v, 16, "{\"w\":\"0xabc1234567890abcdef\"}", "w=0xabc1234567890abcdef");
}

TEST(arrays_of_scalars)
{
	int v[] = { -1, 2, 3 };
	struct btf_gen g = {};
	uint32_t a = gen_array(&g, gen_int(&g, "int", 4, BTF_INT_SIGNED), 3);

	shows_as(&g, a, v, sizeof(v), "[-1,2,3]", "[-1,2,3]");
	g = (struct btf_gen){};
	a = gen_array(&g, gen_int(&g, "_Bool", 1, BTF_INT_BOOL), 2);
	shows_as(&g, a, "\0\1", 2, "[false,true]", "[false,true]");
	g = (struct btf_gen){};
	a = gen_array(&g, gen_int(&g, "unsigned char", 1, 0), 6);
	shows_as(&g, a, "\x02\x42\xac\x11\0\x02", 6, "[2,66,172,17,0,2]", "[2,66,172,17,0,2]");
	g = (struct btf_gen){};
	a = gen_array(&g, gen_ref(&g, BTF_KIND_PTR, NULL, 0), 1);
	shows_as(&g, a, &(uint64_t){ 16 }, 8, "[\"0x10\"]", "[0x10]");
	g = (struct btf_gen){};
	a = gen_array(&g, gen_enum(&g, BTF_KIND_ENUM, 0, "e", 4, E("ZERO", 0), E("ONE", 1)), 3);
	shows_as(&g, a, (int[]){ 1, 0, 2 }, 12, "[\"ONE\",\"ZERO\",2]", "[ONE,ZERO,2]");
	g = (struct btf_gen){};
	a = gen_array(&g, gen_ref(&g, BTF_KIND_FLOAT, "long double", 12), 2);
	shows_as(&g, a, "aaaaaaaaaaaabbbbbbbbbbbb", 24,
		 "[\"0x616161616161616161616161\",\"0x626262626262626262626262\"]",
		 "[0x616161616161616161616161,0x626262626262626262626262]");
}

TEST(arrays_of_arrays)
{
	int v[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	struct btf_gen g = {};
	uint32_t a = gen_array(&g, gen_array(&g, gen_int(&g, "int", 4, 0), 3), 2);

	shows_as(&g, a, v, sizeof(v), "[[1,2,3],[4,5,6]]", "[[1,2,3],[4,5,6]]");
}

TEST(arrays_of_structs)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0);
	uint32_t p = gen_struct(&g, "point", 8, M("x", i, 0), M("y", i, 32));
	uint32_t t = gen_ref(&g, BTF_KIND_TYPEDEF, "point_t", p);
	uint32_t s = gen_struct(&g, "path", 20, M("n", i, 0), M("at", gen_array(&g, t, 2), 32));
	int v[] = { 9, 1, 2, 3, 4 };

	shows_as(&g, s, v, sizeof(v), "{\"n\":9,\"at\":[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4}]}",
		 "n=9 at=[{x=1,y=2},{x=3,y=4}]");
}

TEST(arrays_in_structs_in_arrays)
{
	struct btf_gen g = {};
	uint32_t b = gen_int(&g, "u8", 1, 0), row = gen_array(&g, gen_array(&g, b, 2), 2);
	uint32_t s = gen_struct(&g, "cell", 5, M("id", b, 0), M("m", row, 8));
	uint32_t a = gen_array(&g, gen_array(&g, s, 1), 2);
	uint8_t v[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

	shows_as(&g, a, v, sizeof(v),
		 "[[{\"id\":1,\"m\":[[2,3],[4,5]]}],[{\"id\":6,\"m\":[[7,8],[9,10]]}]]",
		 "[[{id=1,m=[[2,3],[4,5]]}],[{id=6,m=[[7,8],[9,10]]}]]");
}

static void chars_show_as(const char *chars, size_t n, const char *json, const char *text)
{
	struct btf_gen g = {};
	uint32_t a = gen_array(&g, gen_int(&g, "char", 1, BTF_INT_SIGNED), n);

	shows_as(&g, a, chars, n, json, text);
}

TEST(characters_end_at_their_nul)
{
	chars_show_as("bash\0rest", 9, "\"bash\"", "bash");
	chars_show_as("full", 4, "\"full\"", "full");
	chars_show_as("\0\0\0\0", 4, "\"\"", "''");
	chars_show_as("two words", 9, "\"two words\"", "'two words'");
	chars_show_as("exactly8", 8, "\"exactly8\"", "exactly8");
	chars_show_as("sixteen+exactly!", 16, "\"sixteen+exactly!\"", "sixteen+exactly!");
}

TEST(characters_are_escaped_wherever_they_are)
{
	/* In the words of eight bytes and in what remains. */
	chars_show_as("a\"bcdefg", 8, "\"a\\\"bcdefg\"", "'a\"bcdefg'");
	chars_show_as("12345678\\", 9, "\"12345678\\\\\"", "'12345678\\x5c'");
	chars_show_as("1234567\n90123456", 16, "\"1234567\\n90123456\"", "'1234567\\x0a90123456'");
	chars_show_as("\x7f", 1, "\"\\u007f\"", "'\\x7f'");
	chars_show_as("12345678123456\x01\x1f", 16, "\"12345678123456\\u0001\\u001f\"",
		      "'12345678123456\\x01\\x1f'");
}

TEST(characters_that_are_no_utf8_are_valid_json)
{
	chars_show_as("gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\"", "gr\xc3\xbc\xc3\x9f");
	chars_show_as("\xff\xfe", 2, "\"\\u00ff\\u00fe\"", "\xff\xfe");
	chars_show_as("\xc3", 1, "\"\\u00c3\"", "\xc3");
}

TEST(long_strings_are_whole)
{
	char chars[1000], json[1003];

	memset(chars, 'x', sizeof(chars));
	snprintf(json, sizeof(json), "\"%.*s\"", 1000, chars);
	json[1001] = '"';
	json[1002] = '\0';
	memset(json + 1, 'x', 1000);
	json[0] = '"';
	struct btf_gen g = {};
	uint32_t a = gen_array(&g, gen_int(&g, "char", 1, 0), 1000);
	char text[1001] = {};

	memset(text, 'x', 1000);
	shows_as(&g, a, chars, sizeof(chars), json, text);
}

TEST(characters_in_two_dimensions)
{
	struct btf_gen g = {};
	uint32_t a = gen_array(&g, gen_array(&g, gen_int(&g, "char", 1, 0), 4), 2);

	shows_as(&g, a, "ab\0\0cdef", 8, "[\"ab\",\"cdef\"]", "[ab,cdef]");
}

/* ---- flexible arrays ---- */

static uint32_t flexible(struct btf_gen *g, uint32_t element)
{
	uint32_t i = gen_int(g, "int", 4, 0);

	return gen_struct(g, "packet", 4, M("n", i, 0), M("data", gen_array(g, element, 0), 32));
}

TEST(flexible_arrays_have_what_is_left)
{
	struct btf_gen g = {};
	uint32_t s = flexible(&g, gen_int(&g, "short", 2, 0));
	struct {
		int n;
		uint16_t data[3];
	} v = { 7, { 1, 2, 3 } };

	shows_as(&g, s, &v, 4, "{\"n\":7,\"data\":[]}", "n=7 data=[]");
	g = (struct btf_gen){};
	s = flexible(&g, gen_int(&g, "short", 2, 0));
	shows_as(&g, s, &v, 10, "{\"n\":7,\"data\":[1,2,3]}", "n=7 data=[1,2,3]");
	/* Half an element is none. */
	g = (struct btf_gen){};
	s = flexible(&g, gen_int(&g, "short", 2, 0));
	shows_as(&g, s, &v, 9, "{\"n\":7,\"data\":[1,2]}", "n=7 data=[1,2]");
}

TEST(flexible_arrays_of_characters)
{
	struct btf_gen g = {};
	uint32_t s = flexible(&g, gen_int(&g, "char", 1, 0));

	shows_as(&g, s, "\1\1\1\1hello", 9, "{\"n\":16843009,\"data\":\"hello\"}",
		 "n=16843009 data=hello");
	g = (struct btf_gen){};
	s = flexible(&g, gen_int(&g, "char", 1, 0));
	shows_as(&g, s, "\1\1\1\1", 4, "{\"n\":16843009,\"data\":\"\"}", "n=16843009 data=''");
}

TEST(flexible_arrays_of_structs)
{
	struct btf_gen g = {};
	uint32_t b = gen_int(&g, "u8", 1, 0);
	uint32_t s = flexible(&g, gen_struct(&g, "pair", 2, M("a", b, 0), M("b", b, 8)));

	shows_as(&g, s, "\1\1\1\1\1\2\3\4\5", 9,
		 "{\"n\":16843009,\"data\":[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]}",
		 "n=16843009 data=[{a=1,b=2},{a=3,b=4}]");
}

TEST(only_the_last_array_is_flexible)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0), a = gen_array(&g, i, 0);
	uint32_t s = gen_struct(&g, "s", 4, M("none", a, 0), M("n", i, 0));
	struct btf *btf = parsed(&g);
	struct value_format *f;

	CHECK_EQ(value_compile(btf, s, &rp, &f), 0);
	CHECK(value_format_fits(f, 4));
	CHECK(!value_format_fits(f, 3));
	CHECK(!value_format_fits(f, 8));
	value_format_free(f);
	btf_unref(btf);
}

TEST(a_length_that_does_not_fit_shows_bytes)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0);
	struct btf *btf = parsed(&g);
	struct value_format *f;
	struct str out = {};

	CHECK_EQ(value_compile(btf, i, &rp, &f), 0);
	CHECK_EQ(value_format_size(f), 4);
	value_print(f, VALUE_JSON, "\1\2\3", 3, &out);
	CHECK_STR(str_text(&out), "\"0x010203\"");
	str_deinit(&out);
	value_format_free(f);
	btf_unref(btf);
}

TEST(bytes_without_a_type)
{
	struct str out = {};

	value_print_bytes(VALUE_JSON, "\0\xff", 2, &out);
	value_print_bytes(VALUE_TEXT, "\0\xff", 2, &out);
	value_print_bytes(VALUE_TEXT, NULL, 0, &out);
	CHECK_STR(str_text(&out), "\"0x00ff\"0x00ff0x");
	str_deinit(&out);
}

TEST(output_is_added_to_what_is_there)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0);
	struct btf *btf = parsed(&g);
	struct value_format *f;
	struct str out = {};
	char want[3000] = "";

	CHECK_EQ(value_compile(btf, i, &rp, &f), 0);
	for (int v = 0; v < 500; v++) {
		value_print(f, VALUE_JSON, &v, 4, &out);
		str_add_char(&out, '\n');
		sprintf(want + strlen(want), "%d\n", v);
	}
	CHECK_STR(str_text(&out), want);
	str_deinit(&out);
	value_format_free(f);
	btf_unref(btf);
}

/* ---- sections ---- */

TEST(sections_show_their_variables)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0), proto = gen_proto(&g, i, NULL, 0);
	uint32_t a = gen_var(&g, "counter", i, 1),
		 f = gen_func(&g, "kfunc", proto, BTF_FUNC_EXTERN);
	uint32_t p = gen_struct(&g, "point", 8, M("x", i, 0), M("y", i, 32));
	uint32_t b = gen_var(&g, "at", p, 0);
	uint32_t words[] = { a, 0, 4, f, 0, 4, b, 4, 8 };
	uint32_t sec = gen_datasec(&g, ".data", 12, words, 3);

	shows_as(&g, sec, (int[]){ 1, 2, 3 }, 12, "{\"counter\":1,\"at\":{\"x\":2,\"y\":3}}",
		 "counter=1 at={x=2,y=3}");
}

TEST(variables_show_their_type)
{
	struct btf_gen g = {};
	uint32_t v = gen_var(&g, "counter", gen_int(&g, "int", 4, 0), 1);

	shows_as(&g, v, &(int){ 5 }, 4, "5", "5");
}

TEST(huge_arrays_of_nothing_show_nothing)
{
	struct btf_gen g = {};
	uint32_t e = gen_composite(&g, BTF_KIND_STRUCT, false, "empty", 0, NULL, 0);
	uint32_t a = gen_array(&g, e, UINT32_MAX);
	uint32_t s = gen_struct(&g, "s", 0, M("a", a, 0));

	shows_as(&g, s, "", 0, "{\"a\":[]}", "a=[]");
	g = (struct btf_gen){};
	e = gen_array(&g, gen_int(&g, "int", 4, 0), 0);
	a = gen_array(&g, gen_array(&g, e, UINT32_MAX), 1000);
	s = gen_struct(&g, "s", 0, M("a", a, 0));
	shows_as(&g, s, "", 0, "{\"a\":[]}", "a=[]");
}

TEST(deep_arrays_show)
{
	struct btf_gen g = {};
	uint32_t a = gen_int(&g, "u8", 1, 0);
	char text[128] = "";

	for (int i = 0; i < 30; i++) {
		a = gen_array(&g, a, 1);
		strcat(text, "[");
	}
	strcat(text, "5");
	for (int i = 0; i < 30; i++)
		strcat(text, "]");
	shows_as(&g, a, "\5", 1, text, text);
}
