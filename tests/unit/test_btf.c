/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/btf.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

/* The good blob that each malformed case spoils in one place. */
struct sample {
	struct btf_gen g;
	uint32_t t_int, t_char, ptr, array, point, num, ops, td, konst, proto, func, var, sec, flt,
		tag, ttag, e64, fwd;
};

static struct sample sample_new(void)
{
	struct sample s = {};
	struct btf_gen *g = &s.g;
	uint32_t info[3];

	s.t_int = gen_int(g, "int", 4, BTF_INT_SIGNED);
	s.t_char = gen_int(g, "char", 1, BTF_INT_SIGNED);
	s.ptr = gen_ref(g, BTF_KIND_PTR, NULL, s.t_int);
	s.array = gen_array(g, s.t_char, 16);
	s.point = gen_struct(g, "point", 24, M("x", s.t_int, 0), M("y", s.t_int, 32),
			     M("name", s.array, 64));
	s.num = gen_union(g, "num", 8, M("i", s.t_int, 0), M("p", s.ptr, 0));
	s.ops = gen_enum(g, BTF_KIND_ENUM, true, "ops", 4, E("ADD", 1), E("SUB", -1));
	s.td = gen_ref(g, BTF_KIND_TYPEDEF, "point_t", s.point);
	s.konst = gen_ref(g, BTF_KIND_CONST, NULL, s.td);
	s.proto = gen_proto(g, s.t_int,
			    (struct gen_member[]){ { "p", s.ptr, 0 }, { "n", s.t_int, 0 } }, 2);
	s.func = gen_func(g, "compute", s.proto, BTF_FUNC_GLOBAL);
	s.var = gen_var(g, "counter", s.t_int, BTF_VAR_GLOBAL_ALLOCATED);
	info[0] = s.var;
	info[1] = 0;
	info[2] = 4;
	s.sec = gen_datasec(g, ".data", 4, info, 1);
	s.flt = gen_ref(g, BTF_KIND_FLOAT, "float", 4);
	s.tag = gen_decl_tag(g, "important", s.func, 1);
	s.ttag = gen_ref(g, BTF_KIND_TYPE_TAG, "user", s.t_int);
	s.e64 = gen_enum(g, BTF_KIND_ENUM64, false, "big", 8, E("HUGE", INT64_MIN), E("ONE", 1));
	s.fwd = gen_ref(g, BTF_KIND_FWD, "hidden", 0);
	gen_finish(g);
	return s;
}

static int parse(const struct btf_gen *g, struct btf *base, struct btf **ret)
{
	/* A copy of exactly this size, so that a sanitizer sees a read behind it. */
	void *copy = malloc(g->blob.len ? g->blob.len : 1);
	int r;

	memcpy(copy, str_text(&g->blob), g->blob.len);
	r = btf_parse(copy, g->blob.len, ".BTF", base, &rp, ret);
	free(copy);
	return r;
}

/* The spoiled sample is refused with -EBADMSG at @offset, and the sentence says @why. */
static void refused_at(struct sample *s, size_t offset, const char *why)
{
	struct btf *btf = NULL;
	char where[32];

	report_clear(&rp);
	CHECK_EQ(parse(&s->g, NULL, &btf), -EBADMSG);
	CHECK(!btf);
	snprintf(where, sizeof(where), ".BTF+0x%zx: ", offset);
	CHECK(!strncmp(rp.text, where, strlen(where)) || (puts(rp.text), puts(where), 0));
	CHECK_HAS(rp.text, why);
	gen_deinit(&s->g);
}

TEST(parses_every_kind)
{
	struct sample s = sample_new();
	struct btf *btf;
	const struct btf_type *t;

	CHECK_EQ(parse(&s.g, NULL, &btf), 0);
	CHECK_EQ(btf_n_types(btf), s.g.n + 1);
	CHECK_EQ(btf_first_id(btf), 1);
	CHECK(!btf_base(btf));
	CHECK_EQ(btf_kind(btf_type(btf, 0)), BTF_KIND_UNKN);
	t = btf_type(btf, s.point);
	CHECK_STR(btf_type_name(btf, s.point), "point");
	CHECK(btf_is_composite(t));
	CHECK_EQ(btf_vlen(t), 3);
	CHECK_STR(btf_str(btf, btf_members(t)[2].name_off), "name");
	CHECK_EQ(btf_member_bit_offset(t, 2), 64);
	CHECK_EQ(btf_array(btf_type(btf, s.array))->nelems, 16);
	CHECK_EQ(btf_enums(btf_type(btf, s.ops))[1].val, -1);
	CHECK(btf_enum64_value(&btf_enums64(btf_type(btf, s.e64))[0]) == (uint64_t)INT64_MIN);
	CHECK_EQ(btf_secinfos(btf_type(btf, s.sec))[0].type, s.var);
	CHECK_EQ(btf_var(btf_type(btf, s.var))->linkage, BTF_VAR_GLOBAL_ALLOCATED);
	CHECK_EQ(BTF_INT_BITS(btf_int_info(btf_type(btf, s.t_char))), 8);
	CHECK_STR(btf_str(btf, 0), "");
	CHECK_STR(btf_str(btf, 1u << 30), "");
	CHECK(btf_has_str(btf, 0));
	CHECK(!btf_has_str(btf, s.g.strs.len));
	btf_unref(btf);
	gen_deinit(&s.g);
}

TEST(names_its_kinds)
{
	CHECK_STR(btf_kind_name(BTF_KIND_STRUCT), "struct");
	CHECK_STR(btf_kind_name(BTF_KIND_ENUM64), "enum64");
	CHECK(!btf_kind_name(0));
	CHECK(!btf_kind_name(BTF_KIND_MAX + 1));
}

TEST(sizes_and_alignments)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0), c = gen_int(&g, "char", 1, 0);
	uint32_t l = gen_int(&g, "long", 8, 0), w = gen_int(&g, "__int128", 16, 0);
	uint32_t p = gen_ref(&g, BTF_KIND_PTR, NULL, 0);
	uint32_t m = gen_array(&g, gen_array(&g, i, 3), 2);
	uint32_t ok = gen_struct(&g, "ok", 16, M("c", c, 0), M("l", l, 64));
	uint32_t packed = gen_struct(&g, "packed", 9, M("c", c, 0), M("l", l, 8));
	uint32_t bits = gen_bitfields(&g, "bits", 4, M("a", i, BITS(3, 0)), M("b", i, BITS(3, 3)));
	uint32_t f = gen_ref(&g, BTF_KIND_FLOAT, "long double", 16);
	uint32_t fwd = gen_ref(&g, BTF_KIND_FWD, "hidden", 0);
	uint32_t td = gen_ref(&g, BTF_KIND_TYPEDEF, "t", gen_ref(&g, BTF_KIND_CONST, NULL, m));
	uint32_t huge = gen_array(&g, gen_array(&g, gen_array(&g, i, -1), -1), -1);
	struct btf *btf;

	gen_finish(&g);
	CHECK_EQ(parse(&g, NULL, &btf), 0);
	CHECK_EQ(btf_size(btf, i), 4);
	CHECK_EQ(btf_size(btf, p), 8);
	CHECK_EQ(btf_size(btf, td), 24);
	CHECK_EQ(btf_size(btf, w), 16);
	CHECK_EQ(btf_size(btf, 0), -EINVAL);
	CHECK_EQ(btf_size(btf, fwd), -EINVAL);
	CHECK_EQ(btf_size(btf, huge), -E2BIG);
	CHECK_EQ(btf_alignment(btf, td), 4);
	CHECK_EQ(btf_alignment(btf, ok), 8);
	CHECK_EQ(btf_alignment(btf, packed), 1);
	CHECK_EQ(btf_alignment(btf, bits), 4);
	CHECK_EQ(btf_alignment(btf, w), 8);
	CHECK_EQ(btf_alignment(btf, f), 8);
	CHECK_EQ(btf_alignment(btf, fwd), 0);
	CHECK_EQ(btf_skip_modifiers(btf, td), m);
	btf_unref(btf);
	gen_deinit(&g);
}

TEST(only_plain_char_is_a_character)
{
	struct btf_gen g = {};
	uint32_t c = gen_int(&g, "char", 1, BTF_INT_SIGNED), u = gen_int(&g, "unsigned char", 1, 0);
	uint32_t enc = gen_int(&g, "x", 1, BTF_INT_CHAR),
		 td = gen_ref(&g, BTF_KIND_TYPEDEF, "u8", c);
	uint32_t k = gen_ref(&g, BTF_KIND_CONST, NULL, c), wide = gen_int(&g, "char", 4, 0);
	uint32_t loop = gen_ref(&g, BTF_KIND_CONST, NULL, g.n + 1);
	struct btf *btf;

	gen_finish(&g);
	CHECK_EQ(parse(&g, NULL, &btf), 0);
	CHECK(btf_is_char(btf, c));
	CHECK(btf_is_char(btf, enc));
	CHECK(btf_is_char(btf, k));
	CHECK(!btf_is_char(btf, u));
	CHECK(!btf_is_char(btf, td));
	CHECK(!btf_is_char(btf, wide));
	CHECK(!btf_is_char(btf, loop));
	btf_unref(btf);
	gen_deinit(&g);
}

/* A hang here is killed by the harness. */
TEST(circles_end)
{
	struct btf_gen g = {};
	uint32_t td = gen_ref(&g, BTF_KIND_TYPEDEF, "t", 1), a = gen_array(&g, 2, 2);
	uint32_t s = gen_struct(&g, "s", 8, M("a", 3, 0), M("b", 3, 0));
	uint32_t one = gen_ref(&g, BTF_KIND_TYPEDEF, "one", 5),
		 two = gen_ref(&g, BTF_KIND_CONST, 0, 4);
	struct btf *btf;

	gen_finish(&g);
	CHECK_EQ(parse(&g, NULL, &btf), 0);
	CHECK_EQ(btf_skip_modifiers(btf, td), 0);
	CHECK_EQ(btf_skip_modifiers(btf, one), 0);
	CHECK_EQ(btf_skip_modifiers(btf, two), 0);
	CHECK_EQ(btf_size(btf, td), -E2BIG);
	CHECK_EQ(btf_size(btf, a), -E2BIG);
	CHECK_EQ(btf_alignment(btf, td), 0);
	CHECK_EQ(btf_alignment(btf, a), 0);
	CHECK_EQ(btf_alignment(btf, s), 0);
	btf_unref(btf);
	gen_deinit(&g);
}

/* ---- malformed headers ---- */

TEST(refuses_cut_headers)
{
	struct sample s = sample_new();
	size_t len = s.g.blob.len;
	struct btf *btf;

	for (size_t n = 0; n < len; n++) {
		s.g.blob.len = n;
		CHECK_EQ(parse(&s.g, NULL, &btf), -EBADMSG);
		CHECK_HAS(rp.text, ".BTF+0x");
	}
	s.g.blob.len = 1;
	refused_at(&s, 0, "need 2 bytes, have 1");
}

TEST(refuses_wrong_magic)
{
	struct sample s = sample_new();

	gen_header(&s.g)->magic = 0x1234;
	refused_at(&s, 0, "0x1234");
}

TEST(does_not_support_other_versions_and_flags)
{
	struct sample s = sample_new();
	struct btf *btf;

	gen_header(&s.g)->version = 2;
	CHECK_EQ(parse(&s.g, NULL, &btf), -EOPNOTSUPP);
	CHECK_HAS(rp.text, "version 2");
	gen_header(&s.g)->version = 1;
	gen_header(&s.g)->flags = 4;
	CHECK_EQ(parse(&s.g, NULL, &btf), -EOPNOTSUPP);
	CHECK_HAS(rp.text, "flags 0x4");
	gen_deinit(&s.g);
}

TEST(refuses_short_header_length)
{
	struct sample s = sample_new();

	gen_header(&s.g)->hdr_len = 20;
	refused_at(&s, 4, "header length 20");
}

TEST(refuses_long_header_length)
{
	struct sample s = sample_new();

	gen_header(&s.g)->hdr_len = 0xfffffff0;
	refused_at(&s, 4, "header length");
}

TEST(refuses_types_behind_the_end)
{
	struct sample s = sample_new();

	gen_header(&s.g)->type_len = 0xfffffffc;
	refused_at(&s, 8, "types");
}

TEST(refuses_strings_behind_the_end)
{
	struct sample s = sample_new();

	gen_header(&s.g)->str_len++;
	refused_at(&s, 16, "strings");
}

TEST(refuses_unaligned_types)
{
	struct sample s = sample_new();

	gen_header(&s.g)->type_off = 2;
	gen_header(&s.g)->type_len -= 4;
	refused_at(&s, 8, "aligned");
}

TEST(refuses_an_odd_length_of_types)
{
	struct sample s = sample_new();

	gen_header(&s.g)->type_len -= 1;
	refused_at(&s, 12, "aligned");
}

TEST(refuses_overlapping_sections)
{
	struct sample s = sample_new();

	gen_header(&s.g)->str_off -= 8;
	refused_at(&s, 16, "overlap");
}

TEST(refuses_a_first_string_that_is_not_empty)
{
	struct sample s = sample_new();
	size_t at = 24 + gen_header(&s.g)->str_off;

	s.g.blob.data[at] = 'x';
	refused_at(&s, at, "first string");
}

TEST(refuses_a_last_string_without_end)
{
	struct sample s = sample_new();

	s.g.blob.data[s.g.blob.len - 1] = 'x';
	refused_at(&s, s.g.blob.len - 1, "last string");
}

TEST(refuses_no_strings)
{
	struct sample s = sample_new();

	gen_header(&s.g)->str_len = 0;
	refused_at(&s, 20, "no strings");
}

TEST(accepts_no_types)
{
	struct btf_gen g = {};
	struct btf *btf;

	gen_finish(&g);
	CHECK_EQ(parse(&g, NULL, &btf), 0);
	CHECK_EQ(btf_n_types(btf), 1);
	CHECK_EQ(btf_find(btf, "int", BTF_KIND_INT), 0);
	CHECK_EQ(btf_find_essential(btf, "int", 3, 0), 0);
	btf_unref(btf);
	gen_deinit(&g);
}

TEST(drops_what_a_longer_header_says)
{
	struct sample s = sample_new(), longer = {};
	size_t len;
	struct btf *btf;

	longer.g = s.g;
	longer.g.blob = (struct str){};
	longer.g.hdr_len = 40;
	gen_finish(&longer.g);
	CHECK_EQ(parse(&longer.g, NULL, &btf), 0);
	CHECK(!memcmp(btf_bytes(btf, &len), s.g.blob.data, s.g.blob.len));
	CHECK_EQ(len, s.g.blob.len);
	btf_unref(btf);
	str_deinit(&longer.g.blob);
	gen_deinit(&s.g);
}

/* ---- malformed records ---- */

TEST(refuses_kind_0)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.ptr)->info = 0;
	refused_at(&s, gen_offset(&s.g, s.ptr), "kind 0");
}

TEST(does_not_support_unknown_kinds)
{
	struct sample s = sample_new();
	struct btf *btf;

	gen_type(&s.g, s.fwd)->info = GEN_INFO(20, 0, 0);
	CHECK_EQ(parse(&s.g, NULL, &btf), -EOPNOTSUPP);
	CHECK_HAS(rp.text, "kind 20");
	gen_deinit(&s.g);
}

TEST(refuses_a_record_that_does_not_fit)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.e64)->info = GEN_INFO(BTF_KIND_ENUM64, 0, 3);
	/* The record swallows the FWD behind it, which is as long as an enumerator. */
	gen_header(&s.g)->type_len -= 12;
	refused_at(&s, gen_offset(&s.g, s.e64), "needs 48 bytes, have 36");
}

TEST(refuses_half_a_record)
{
	struct sample s = sample_new();

	gen_header(&s.g)->type_len -= 4;
	refused_at(&s, gen_offset(&s.g, s.fwd), "needs 12 bytes, have 8");
}

TEST(refuses_unused_bits_of_info)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.ptr)->info |= 1 << 20;
	refused_at(&s, gen_offset(&s.g, s.ptr), "unused bits");
}

TEST(refuses_a_length_where_there_is_none)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.ptr)->info |= 3;
	refused_at(&s, gen_offset(&s.g, s.ptr), "length of 3");
}

TEST(refuses_names_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.td)->name_off = s.g.strs.len;
	refused_at(&s, gen_offset(&s.g, s.td), "name");
}

TEST(refuses_targets_that_do_not_exist)
{
	uint32_t sample_ids[] = { offsetof(struct sample, ptr),	  offsetof(struct sample, td),
				  offsetof(struct sample, konst), offsetof(struct sample, ttag),
				  offsetof(struct sample, func),  offsetof(struct sample, proto),
				  offsetof(struct sample, var),	  offsetof(struct sample, tag) };

	for (size_t i = 0; i < sizeof(sample_ids) / sizeof(sample_ids[0]); i++) {
		struct sample s = sample_new();
		uint32_t id = *(uint32_t *)((char *)&s + sample_ids[i]);

		gen_type(&s.g, id)->type = s.g.n + 1;
		refused_at(&s, gen_offset(&s.g, id), "does not exist");
	}
}

TEST(refuses_array_elements_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.array)[0] = 99;
	refused_at(&s, gen_offset(&s.g, s.array) + 12, "element type 99");
}

TEST(refuses_array_indices_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.array)[1] = 99;
	refused_at(&s, gen_offset(&s.g, s.array) + 12, "index type 99");
}

TEST(refuses_member_types_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.point)[4] = 99;
	refused_at(&s, gen_offset(&s.g, s.point) + 24, "member 1: type 99");
}

TEST(refuses_member_names_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.point)[6] = 0xffffffff;
	refused_at(&s, gen_offset(&s.g, s.point) + 36, "member 2: name");
}

TEST(refuses_members_behind_their_struct)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.point)[5] = 24 * 8 + 1;
	refused_at(&s, gen_offset(&s.g, s.point) + 24, "member 1 lies behind");
}

TEST(refuses_enumerator_names_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.ops)[2] = 99999;
	refused_at(&s, gen_offset(&s.g, s.ops) + 20, "enumerator 1");
}

TEST(refuses_enumerator64_names_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.e64)[3] = 99999;
	refused_at(&s, gen_offset(&s.g, s.e64) + 24, "enumerator 1");
}

TEST(refuses_enums_of_odd_size)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.ops)->size = 3;
	refused_at(&s, gen_offset(&s.g, s.ops), "enum of 3 bytes");
}

TEST(refuses_integers_with_more_bits_than_bytes)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.t_int)[0] = 8 << 16 | 32;
	refused_at(&s, gen_offset(&s.g, s.t_int) + 12, "32 bits from bit 8");
}

TEST(refuses_integers_of_over_128_bits)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.t_int)->size = 32;
	gen_words(&s.g, s.t_int)[0] = 1 << 16 | 128;
	refused_at(&s, gen_offset(&s.g, s.t_int) + 12, "128 bits");
}

TEST(refuses_floats_of_odd_size)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.flt)->size = 5;
	refused_at(&s, gen_offset(&s.g, s.flt), "float of 5 bytes");
}

TEST(refuses_parameters_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.proto)[3] = 99;
	refused_at(&s, gen_offset(&s.g, s.proto) + 20, "parameter 1: type 99");
}

TEST(refuses_parameter_names_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.proto)[0] = 99999;
	refused_at(&s, gen_offset(&s.g, s.proto) + 12, "parameter 0: name");
}

TEST(refuses_functions_without_prototype)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.func)->type = s.point;
	refused_at(&s, gen_offset(&s.g, s.func), "no prototype");
}

TEST(refuses_unknown_linkage_of_functions)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.func)->info = GEN_INFO(BTF_KIND_FUNC, 0, 3);
	refused_at(&s, gen_offset(&s.g, s.func), "linkage 3");
}

TEST(refuses_unknown_linkage_of_variables)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.var)[0] = 3;
	refused_at(&s, gen_offset(&s.g, s.var) + 12, "linkage 3");
}

TEST(refuses_sections_of_what_is_no_variable)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.sec)[0] = s.point;
	refused_at(&s, gen_offset(&s.g, s.sec) + 12, "neither variable nor function");
}

TEST(refuses_section_variables_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.sec)[0] = 99;
	refused_at(&s, gen_offset(&s.g, s.sec) + 12, "variable 0: type 99");
}

TEST(refuses_tags_of_components_that_do_not_exist)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.tag)[0] = 2;
	refused_at(&s, gen_offset(&s.g, s.tag) + 12, "component 2");
	s = sample_new();
	gen_words(&s.g, s.tag)[0] = -2;
	refused_at(&s, gen_offset(&s.g, s.tag) + 12, "component -2");
}

TEST(refuses_tags_of_components_of_what_has_none)
{
	struct sample s = sample_new();

	gen_type(&s.g, s.tag)->type = s.t_int;
	refused_at(&s, gen_offset(&s.g, s.tag) + 12, "component of a int");
}

/* ---- byte order, split ---- */

TEST(foreign_endianness_gives_the_same)
{
	struct sample s = sample_new();
	struct btf *native, *foreign;
	const void *a, *b;
	size_t n, m;

	CHECK_EQ(parse(&s.g, NULL, &native), 0);
	gen_swap(&s.g);
	CHECK_EQ(parse(&s.g, NULL, &foreign), 0);
	a = btf_bytes(native, &n);
	b = btf_bytes(foreign, &m);
	CHECK_EQ(n, m);
	CHECK(!memcmp(a, b, n));
	btf_unref(native);
	btf_unref(foreign);
	gen_deinit(&s.g);
}

TEST(foreign_malformed_is_refused_at_the_same_place)
{
	struct sample s = sample_new();

	gen_words(&s.g, s.point)[4] = 99;
	gen_swap(&s.g);
	s.g.hdr_len = 24;
	{
		struct btf *btf;

		CHECK_EQ(parse(&s.g, NULL, &btf), -EBADMSG);
		CHECK_HAS(rp.text, "member 1: type 99 does not exist");
	}
	gen_deinit(&s.g);
}

struct split {
	struct sample s;
	struct btf_gen g;
	struct btf *base, *btf;
	uint32_t own, again;
};

static struct split split_new(void)
{
	struct split p = { .s = sample_new() };

	CHECK_EQ(parse(&p.s.g, NULL, &p.base), 0);
	p.g.first_id = btf_n_types(p.base);
	p.g.first_str = p.s.g.strs.len;
	p.own = gen_struct(&p.g, "module_thing", 32, M("at", p.s.point, 0), M("n", p.s.t_int, 192));
	p.again = gen_struct(&p.g, "point", 4, M("x", p.s.t_int, 0));
	gen_finish(&p.g);
	CHECK_EQ(parse(&p.g, p.base, &p.btf), 0);
	return p;
}

static void split_free(struct split *p)
{
	btf_unref(p->btf);
	btf_unref(p->base);
	gen_deinit(&p->g);
	gen_deinit(&p->s.g);
}

TEST(split_continues_its_base)
{
	struct split p = split_new();
	uint32_t n = 0;

	CHECK_EQ(p.own, btf_n_types(p.base));
	CHECK_EQ(btf_first_id(p.btf), p.own);
	CHECK_EQ(btf_n_types(p.btf), p.own + 2);
	CHECK(btf_base(p.btf) == p.base);
	CHECK_STR(btf_type_name(p.btf, p.own), "module_thing");
	CHECK_STR(btf_type_name(p.btf, p.s.func), "compute");
	CHECK_EQ(btf_size(p.btf, p.own), 32);
	/* Its own strings begin where those of the base end. */
	CHECK_STR(btf_str(p.btf, p.s.g.strs.len), "at");
	CHECK_STR(btf_str(p.base, p.s.g.strs.len), "");
	CHECK(btf_has_str(p.btf, p.s.g.strs.len));
	btf_for_each_type (id, p.btf)
		n++;
	CHECK_EQ(n, 2);
	/* It holds its base. */
	btf_unref(p.base);
	CHECK_STR(btf_type_name(p.btf, p.s.point), "point");
	p.base = NULL;
	split_free(&p);
}

TEST(split_finds_in_its_base_first)
{
	struct split p = split_new();

	CHECK_EQ(btf_find(p.btf, "point", BTF_KIND_STRUCT), p.s.point);
	CHECK_EQ(btf_find(p.btf, "module_thing", BTF_KIND_STRUCT), p.own);
	CHECK_EQ(btf_find(p.base, "module_thing", BTF_KIND_STRUCT), 0);
	/* The search for candidates does not look into the base. */
	CHECK_EQ(btf_find_essential(p.btf, "point", 5, 0), p.again);
	CHECK_EQ(btf_find_essential(p.btf, "point", 5, p.again), 0);
	split_free(&p);
}

TEST(split_may_be_without_strings)
{
	struct split p = split_new();
	struct btf_gen g = { .first_id = btf_n_types(p.base), .first_str = p.s.g.strs.len };
	struct btf *btf;

	gen_ref(&g, BTF_KIND_PTR, NULL, p.s.point);
	gen_finish(&g);
	CHECK_EQ(parse(&g, p.base, &btf), 0);
	CHECK_EQ(btf_n_types(btf), g.first_id + 1);
	btf_unref(btf);
	gen_deinit(&g);
	split_free(&p);
}

TEST(split_without_its_base_is_refused)
{
	struct split p = split_new();
	struct btf *btf;

	CHECK_EQ(parse(&p.g, NULL, &btf), -EBADMSG);
	CHECK_HAS(rp.text, "first string");
	split_free(&p);
}

TEST(references_count)
{
	struct sample s = sample_new();
	struct btf *btf;

	CHECK_EQ(parse(&s.g, NULL, &btf), 0);
	CHECK(btf_ref(btf) == btf);
	btf_unref(btf);
	CHECK_STR(btf_type_name(btf, s.point), "point");
	btf_unref(btf);
	btf_unref(NULL);
	gen_deinit(&s.g);
}
