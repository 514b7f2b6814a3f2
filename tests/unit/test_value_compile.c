/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/value.h"

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

static void is_refused(struct btf_gen *g, uint32_t id, int err, const char *why)
{
	struct btf *btf = parsed(g);
	struct value_format *f = NULL;

	CHECK_EQ(value_compile(btf, id, &rp, &f), err);
	CHECK_HAS(rp.text, why);
	CHECK(!f);
	btf_unref(btf);
}

static void is_named(struct btf_gen *g, uint32_t id, const char *name)
{
	struct btf *btf = parsed(g);
	struct value_format *f;

	CHECK_EQ(value_compile(btf, id, &rp, &f), 0);
	CHECK_STR(value_format_name(f), name);
	value_format_free(f);
	btf_unref(btf);
}

TEST(types_are_named_as_in_c)
{
	struct btf_gen g = {};
	uint32_t s = gen_struct(&g, "event", 4, M("i", gen_int(&g, "int", 4, 0), 0));

	is_named(&g, s, "struct event");
	g = (struct btf_gen){};
	s = gen_array(&g, gen_array(&g, gen_int(&g, "int", 4, 0), 3), 2);
	is_named(&g, s, "int [2][3]");
	g = (struct btf_gen){};
	s = gen_ref(&g, BTF_KIND_PTR, NULL,
		    gen_ref(&g, BTF_KIND_CONST, NULL, gen_ref(&g, BTF_KIND_FWD, "hidden", 0)));
	is_named(&g, s, "const struct hidden *");
	g = (struct btf_gen){};
	s = gen_ref(&g, BTF_KIND_PTR, NULL, 0);
	is_named(&g, s, "void *");
	g = (struct btf_gen){};
	s = gen_ref(&g, BTF_KIND_TYPEDEF, "u32", gen_int(&g, "unsigned int", 4, 0));
	is_named(&g, s, "u32");
	g = (struct btf_gen){};
	s = gen_enum(&g, BTF_KIND_ENUM64, 0, "big", 8, E("A", 1));
	is_named(&g, s, "enum big");
	g = (struct btf_gen){};
	s = gen_union(&g, NULL, 4, M("i", gen_int(&g, "int", 4, 0), 0));
	is_named(&g, s, "union (anonymous)");
}

TEST(types_without_size_are_refused)
{
	struct btf_gen g = {};
	uint32_t f = gen_ref(&g, BTF_KIND_FWD, "hidden", 0), i;

	is_refused(&g, f, -EINVAL, "'struct hidden'");
	g = (struct btf_gen){};
	gen_int(&g, "int", 4, 0);
	is_refused(&g, 0, -EINVAL, "'void'");
	g = (struct btf_gen){};
	f = gen_ref(&g, BTF_KIND_FWD, "hidden", 0);
	f = gen_struct(&g, "holder", 8, M("h", f, 0));
	is_refused(&g, f, -EINVAL, "'struct holder'");
	g = (struct btf_gen){};
	i = gen_var(&g, "v", gen_int(&g, "int", 4, 0), 1);
	f = gen_datasec(&g, ".bss", 0, (uint32_t[]){ i, 0, 0 }, 1);
	is_refused(&g, f, -EINVAL, "laid out");
}

TEST(members_behind_their_struct_are_refused)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0), s = gen_struct(&g, "s", 4, M("i", i, 8)), a;

	is_refused(&g, s, -EBADMSG, "'struct s'");
	g = (struct btf_gen){};
	i = gen_int(&g, "long", 8, 0);
	s = gen_struct(&g, "inner", 8, M("i", i, 0));
	s = gen_struct(&g, "s", 4, M("in", s, 0));
	is_refused(&g, s, -EBADMSG, "reaches behind");
	g = (struct btf_gen){};
	i = gen_int(&g, "long", 8, 0);
	s = gen_struct(&g, NULL, 8, M("i", i, 0));
	s = gen_struct(&g, "s", 4, M(NULL, s, 0));
	is_refused(&g, s, -EBADMSG, "reaches behind");
	g = (struct btf_gen){};
	i = gen_int(&g, "int", 4, 0);
	a = gen_array(&g, i, 2);
	s = gen_struct(&g, "s", 8, M("a", a, 32));
	is_refused(&g, s, -EBADMSG, "reaches behind");
	g = (struct btf_gen){};
	i = gen_int(&g, "int", 4, 0);
	s = gen_bitfields(&g, "s", 4, M("b", i, BITS(8, 25)));
	is_refused(&g, s, -EBADMSG, "reaches behind");
	g = (struct btf_gen){};
	i = gen_ref(&g, BTF_KIND_FLOAT, "double", 8);
	s = gen_struct(&g, "s", 8, M("d", i, 8));
	is_refused(&g, s, -EBADMSG, "reaches behind");
}

TEST(odd_bit_fields_are_refused)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0), s;

	s = gen_bitfields(&g, "s", 8, M("b", i, BITS(33, 0)));
	is_refused(&g, s, -EBADMSG, "more bits");
	g = (struct btf_gen){};
	i = gen_ref(&g, BTF_KIND_FLOAT, "float", 4);
	s = gen_bitfields(&g, "s", 4, M("f", i, BITS(5, 0)));
	is_refused(&g, s, -EBADMSG, "float");
	g = (struct btf_gen){};
	i = gen_array(&g, gen_int(&g, "int", 4, 0), 1);
	s = gen_bitfields(&g, "s", 4, M("a", i, BITS(5, 0)));
	is_refused(&g, s, -EBADMSG, "no number");
}

TEST(a_struct_inside_itself_is_refused)
{
	struct btf_gen g = {};
	uint32_t s = gen_struct(&g, "s", 8, M("s", 1, 0));

	is_refused(&g, s, -E2BIG, "'struct s'");
	g = (struct btf_gen){};
	s = gen_struct(&g, "s", 8, M(NULL, 1, 0), M(NULL, 1, 0));
	is_refused(&g, s, -E2BIG, "'struct s'");
	g = (struct btf_gen){};
	s = gen_array(&g, 1, 2);
	is_refused(&g, s, -E2BIG, "");
}

TEST(exponential_nesting_is_refused)
{
	struct btf_gen g = {};
	uint32_t s = gen_int(&g, "int", 4, 0);

	for (int depth = 0; depth < 25; depth++)
		s = gen_union(&g, "u", 4, M("a", s, 0), M("b", s, 0));
	is_refused(&g, s, -E2BIG, "'union u'");
	/* Also if no member ever prints anything. */
	g = (struct btf_gen){};
	s = gen_composite(&g, BTF_KIND_STRUCT, false, NULL, 0, NULL, 0);
	for (int depth = 0; depth < 25; depth++)
		s = gen_struct(&g, NULL, 0, M(NULL, s, 0), M(NULL, s, 0));
	is_refused(&g, s, -E2BIG, "'struct (anonymous)'");
}

TEST(long_names_do_not_use_up_memory)
{
	static char name[1 << 20];
	struct btf_gen g = {};
	uint32_t s, e;

	memset(name, 'x', sizeof(name) - 1);
	e = gen_composite(&g, BTF_KIND_STRUCT, false, "empty", 0, NULL, 0);
	s = gen_struct(&g, "s", 0, M(name, e, 0), M("b", e, 0), M("c", e, 0));
	gen_finish(&g);
	/* 40 structs of structs whose members all have that name. */
	for (int i = 0; i < 40; i++)
		s = gen_struct(&g, "s", 0, M("a", s, 0), M("b", s, 0));
	is_refused(&g, s, -E2BIG, "");
}

TEST(too_much_output_from_too_few_bytes_is_refused)
{
	struct gen_member *m = calloc(60000, sizeof(*m));
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "u8", 1, 0), u, a;

	for (int n = 0; n < 60000; n++)
		m[n] = M("some_name", i, 0);
	u = gen_composite(&g, BTF_KIND_UNION, false, "views", 1, m, 60000);
	a = gen_array(&g, u, 1 << 30);
	free(m);
	is_refused(&g, a, -E2BIG, "views");
}

TEST(huge_arrays_of_scalars_are_one_step)
{
	struct btf_gen g = {};
	uint32_t a = gen_array(&g, gen_int(&g, "int", 4, 0), 1u << 31);
	struct btf *btf = parsed(&g);
	struct value_format *f;
	struct str out = {};

	CHECK_EQ(value_compile(btf, a, &rp, &f), 0);
	CHECK_EQ(value_format_size(f), 4ll << 31);
	CHECK(!value_format_fits(f, 4));
	/* A value that is not there cannot be shown; what is there can. */
	value_print(f, VALUE_TEXT, "\1\2\3\4", 4, &out);
	CHECK_STR(str_text(&out), "0x01020304");
	str_deinit(&out);
	value_format_free(f);
	btf_unref(btf);
}

TEST(sizes_that_overflow_are_refused)
{
	struct btf_gen g = {};
	uint32_t a = gen_int(&g, "int", 4, 0);

	for (int i = 0; i < 3; i++)
		a = gen_array(&g, a, UINT32_MAX);
	is_refused(&g, a, -E2BIG, "too large");
}

TEST(deep_loops_stay_on_their_stack)
{
	struct btf_gen g = {};
	uint32_t a = gen_int(&g, "u8", 1, 0);
	struct btf *btf;

	/* Arrays of structs of arrays …: as many loops as there may be, and more. */
	for (int i = 0; i < 40; i++)
		a = gen_array(&g, gen_struct(&g, "s", 1, M("a", a, 0)), 1);
	btf = parsed(&g);
	for (uint32_t id = 1; id < btf_n_types(btf); id++) {
		struct value_format *f = NULL;
		struct str out = {};

		if (value_compile(btf, id, &rp, &f) == 0)
			value_print(f, VALUE_JSON, "\5", 1, &out);
		str_deinit(&out);
		value_format_free(f);
	}
	btf_unref(btf);
}

TEST(arrays_too_deep_are_refused)
{
	struct btf_gen g = {};
	uint32_t a = gen_int(&g, "u8", 1, 0);

	for (int i = 0; i < 40; i++)
		a = gen_array(&g, a, 1);
	is_refused(&g, a, -E2BIG, "");
}

/* Every type of the kernel, with random bytes: a format or a sentence. */
TEST(every_type_of_vmlinux_compiles)
{
	static uint8_t bytes[1 << 16];
	struct str out = {};
	struct btf *btf;

	if (btf_parse_file("/sys/kernel/btf/vmlinux", NULL, &rp, &btf) < 0)
		SKIP("this kernel has no BTF");
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = rand();
	btf_for_each_type (id, btf) {
		struct value_format *f = NULL;
		int r = value_compile(btf, id, &rp, &f);

		if (r == -EINVAL && btf_size(btf, id) < 0)
			continue;
		if (r < 0)
			FAIL("type %u (%s): %s", id, btf_type_name(btf, id), rp.text);
		str_truncate(&out, 0);
		if (value_format_size(f) <= sizeof(bytes)) {
			value_print(f, VALUE_JSON, bytes, value_format_size(f), &out);
			CHECK_EQ(str_error(&out), 0);
			CHECK_EQ(strlen(str_text(&out)), out.len);
		}
		value_format_free(f);
	}
	str_deinit(&out);
	btf_unref(btf);
}
