/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/btf_edit.h"

#include <stdio.h>

#include "bpf/feature.h"
#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

static struct btf *parsed(struct btf_gen *g, struct btf *base)
{
	struct btf *btf;

	gen_finish(g);
	CHECK_EQ(btf_parse(g->blob.data, g->blob.len, ".BTF", base, &rp, &btf), 0);
	gen_deinit(g);
	return btf;
}

static struct btf *finished(struct btf_edit *e)
{
	struct btf *btf;
	int r = btf_edit_finish(e, &rp, &btf);

	if (r < 0)
		FAIL("%s", rp.text);
	return btf;
}

TEST(makes_every_kind_from_nothing)
{
	struct btf_edit *e = btf_edit_new(NULL);
	uint32_t i = btf_edit_add_int(e, "int", 4, BTF_INT_SIGNED);
	uint32_t p = btf_edit_add_ref(e, BTF_KIND_PTR, "", i);
	uint32_t a = btf_edit_add_array(e, i, p, 3);
	uint32_t s = btf_edit_add_composite(e, BTF_KIND_STRUCT, "pair", 8, 2);
	uint32_t n = btf_edit_add_enum(e, "ops", 4, true, 1);
	uint32_t w = btf_edit_add_enum(e, "wide", 8, false, 1);
	uint32_t proto = btf_edit_add_proto(e, i, 1);
	uint32_t f = btf_edit_add_func(e, "run", proto, BTF_FUNC_GLOBAL);
	uint32_t v = btf_edit_add_var(e, "count", i, BTF_VAR_GLOBAL_ALLOCATED);
	uint32_t d = btf_edit_add_datasec(e, ".bss", 4, 1);
	struct btf_member *m;
	struct btf *btf;

	m = (struct btf_member *)(btf_edit_type(e, s) + 1);
	m[0] = (struct btf_member){ btf_edit_str(e, "a"), i, 0 };
	m[1] = (struct btf_member){ btf_edit_str(e, "b"), i, 32 };
	*(struct btf_enum *)(btf_edit_type(e, n) + 1) =
		(struct btf_enum){ btf_edit_str(e, "MINUS"), -1 };
	*(struct btf_enum64 *)(btf_edit_type(e, w) + 1) =
		(struct btf_enum64){ btf_edit_str(e, "HUGE"), 1, 2 };
	*(struct btf_param *)(btf_edit_type(e, proto) + 1) =
		(struct btf_param){ btf_edit_str(e, "a"), i };
	*(struct btf_var_secinfo *)(btf_edit_type(e, d) + 1) = (struct btf_var_secinfo){ v, 0, 4 };
	CHECK_EQ(btf_edit_n_types(e), 11);

	btf = finished(e);
	CHECK_EQ(btf_n_types(btf), 11);
	CHECK_EQ(btf_find(btf, "int", BTF_KIND_INT), i);
	CHECK_EQ(btf_size(btf, a), 24);
	CHECK_EQ(btf_array(btf_type(btf, a))->type, p);
	CHECK_STR(btf_str(btf, btf_members(btf_type(btf, s))[1].name_off), "b");
	CHECK_EQ(btf_enums(btf_type(btf, n))[0].val, -1);
	CHECK(btf_kflag(btf_type(btf, n)));
	CHECK(btf_enum64_value(btf_enums64(btf_type(btf, w))) == (2ull << 32 | 1));
	CHECK_EQ(btf_type(btf, f)->type, proto);
	CHECK_EQ(btf_vlen(btf_type(btf, f)), BTF_FUNC_GLOBAL);
	CHECK_EQ(btf_find(btf, ".bss", BTF_KIND_DATASEC), d);
	btf_unref(btf);
	btf_edit_free(e);
}

TEST(strings_are_kept_once)
{
	struct btf_edit *e = btf_edit_new(NULL);
	uint32_t hello = btf_edit_str(e, "hello");
	char name[16];

	CHECK(hello);
	CHECK_EQ(btf_edit_str(e, ""), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d", i % 500);
		btf_edit_str(e, name);
	}
	CHECK_EQ(btf_edit_str(e, "hello"), hello);
	CHECK_EQ(btf_edit_str(e, "s0"), hello + 6);
	CHECK_EQ(btf_edit_str(e, "s9"), hello + 6 + 9 * 3);
	btf_edit_free(e);
}

TEST(a_draft_without_changes_is_the_same)
{
	struct btf_gen g = {};
	struct btf *from, *to;
	struct btf_edit *e;
	const void *a, *b;
	size_t n, m;
	uint32_t i = gen_int(&g, "int", 4, 0);

	gen_struct(&g, "s", 4, M("i", i, 0));
	from = parsed(&g, NULL);
	e = btf_edit_new(from);
	to = finished(e);
	a = btf_bytes(from, &n);
	b = btf_bytes(to, &m);
	CHECK_EQ(n, m);
	CHECK(!memcmp(a, b, n));
	btf_unref(from);
	btf_unref(to);
	btf_edit_free(e);
}

TEST(a_draft_goes_on_where_it_came_from)
{
	struct btf_gen g = {};
	struct btf *from, *to;
	struct btf_edit *e;
	uint32_t i = gen_int(&g, "int", 4, 0), p;

	from = parsed(&g, NULL);
	e = btf_edit_new(from);
	btf_unref(from); /* the draft has all it needs */
	p = btf_edit_add_ref(e, BTF_KIND_PTR, "", i);
	CHECK_EQ(p, i + 1);
	CHECK(!btf_edit_type(e, 0));
	CHECK(!btf_edit_type(e, p + 1));
	btf_edit_type(e, i)->name_off = btf_edit_str(e, "renamed");
	to = finished(e);
	CHECK_STR(btf_type_name(to, i), "renamed");
	CHECK_EQ(btf_type(to, p)->type, i);
	btf_unref(to);
	/* The draft stays. */
	CHECK_EQ(btf_edit_add_ref(e, BTF_KIND_PTR, "", p), p + 1);
	to = finished(e);
	CHECK_EQ(btf_n_types(to), p + 2);
	btf_unref(to);
	btf_edit_free(e);
}

TEST(a_draft_of_a_split_keeps_its_base)
{
	struct btf_gen g = {}, h = {};
	struct btf *base, *split, *to;
	struct btf_edit *e;
	uint32_t i = gen_int(&g, "int", 4, 0), own;

	gen_finish(&g);
	h.first_str = g.strs.len;
	base = parsed(&g, NULL);
	h.first_id = btf_n_types(base);
	own = gen_ref(&h, BTF_KIND_TYPEDEF, "own", i);
	split = parsed(&h, base);
	e = btf_edit_new(split);
	CHECK(!btf_edit_type(e, i));
	CHECK_EQ(btf_edit_add_ref(e, BTF_KIND_TYPEDEF, "more", own), own + 1);
	to = finished(e);
	CHECK(btf_base(to) == base);
	CHECK_STR(btf_type_name(to, i), "int");
	CHECK_STR(btf_type_name(to, own), "own");
	CHECK_STR(btf_type_name(to, own + 1), "more");
	btf_unref(to);
	btf_unref(split);
	btf_unref(base);
	btf_edit_free(e);
}

TEST(a_wrong_draft_is_refused)
{
	struct btf_edit *e = btf_edit_new(NULL);
	struct btf *btf = NULL;

	btf_edit_add_ref(e, BTF_KIND_PTR, "", 99);
	CHECK_EQ(btf_edit_finish(e, &rp, &btf), -EBADMSG);
	CHECK_HAS(rp.text, "99");
	CHECK(!btf);
	btf_edit_free(e);
}

TEST(too_many_members_stick)
{
	struct btf_edit *e = btf_edit_new(NULL);
	struct btf *btf;

	CHECK_EQ(btf_edit_add_composite(e, BTF_KIND_STRUCT, "s", 4, 65536), 0);
	CHECK_EQ(btf_edit_add_int(e, "int", 4, 0), 0);
	CHECK_EQ(btf_edit_finish(e, &rp, &btf), -E2BIG);
	btf_edit_free(e);
}

/* ---- sanitize ---- */

struct sample {
	struct btf *btf;
	uint32_t t_int, var, sec, opt, proto, func, stat, flt, tag, ttag, e64, neg;
};

static struct sample sample_new(void)
{
	struct btf_gen g = {};
	struct sample s = {};
	uint32_t infos[6];

	s.t_int = gen_int(&g, "int", 4, BTF_INT_SIGNED);
	s.var = gen_var(&g, "counter", s.t_int, BTF_VAR_GLOBAL_ALLOCATED);
	infos[0] = infos[3] = s.var;
	infos[1] = 0;
	infos[4] = 8;
	infos[2] = infos[5] = 4;
	s.sec = gen_datasec(&g, ".data.my", 12, infos, 2);
	s.opt = gen_datasec(&g, "?.struct_ops", 12, infos, 1);
	s.proto = gen_proto(&g, s.t_int,
			    (struct gen_member[]){ { "n", s.t_int, 0 }, { NULL, s.t_int, 0 } }, 2);
	s.func = gen_func(&g, "run", s.proto, BTF_FUNC_GLOBAL);
	s.stat = gen_func(&g, "help", s.proto, BTF_FUNC_STATIC);
	s.flt = gen_ref(&g, BTF_KIND_FLOAT, "double", 8);
	s.tag = gen_decl_tag(&g, "important", s.var, -1);
	s.ttag = gen_ref(&g, BTF_KIND_TYPE_TAG, "user", s.t_int);
	s.e64 = gen_enum(&g, BTF_KIND_ENUM64, false, "big", 8, E("ONE", 1), E("HUGE", 1ll << 40));
	s.neg = gen_enum(&g, BTF_KIND_ENUM, true, "neg", 4, E("MINUS", -1));
	s.btf = parsed(&g, NULL);
	return s;
}

/* A kernel that has everything but @missing (none: N_FEATURES). */
static struct feature all_but(enum feature_id missing)
{
	struct feature f;

	for (int i = 0; i < N_FEATURES; i++)
		f.state[i] = i == (int)missing ? 1 : 2;
	return f;
}

static struct btf *sanitized(const struct sample *s, struct feature f)
{
	struct btf *btf = NULL;

	if (btf_sanitize(s->btf, &f, &rp, &btf) < 0)
		FAIL("%s", rp.text);
	return btf;
}

static uint32_t kind_of(const struct btf *btf, uint32_t id)
{
	return btf_kind(btf_type(btf, id));
}

/* Besides @changed no type may differ, in any byte, but for its name's offset. */
static void only_changed(const struct sample *s, const struct btf *btf, const uint32_t *changed,
			 size_t n)
{
	btf_for_each_type (id, s->btf) {
		const struct btf_type *a = btf_type(s->btf, id), *b = btf_type(btf, id);
		bool expected = id == s->opt; /* always renamed */

		for (size_t i = 0; i < n; i++)
			expected |= changed[i] == id;
		if ((a->info != b->info || a->size != b->size || a->name_off != b->name_off) !=
		    expected)
			FAIL("type %u (%s): kind %u became %u", id, btf_type_name(s->btf, id),
			     btf_kind(a), btf_kind(b));
	}
}
#define ONLY_CHANGED(s, btf, ...) \
	only_changed(s, btf, (uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4)

TEST(nothing_to_change_gives_the_same_btf)
{
	struct btf_gen g = {};
	struct feature f = all_but(N_FEATURES);
	struct btf *btf, *same;

	gen_int(&g, "int", 4, 0);
	btf = parsed(&g, NULL);
	CHECK_EQ(btf_sanitize(btf, &f, &rp, &same), 0);
	CHECK(same == btf);
	btf_unref(same);
	btf_unref(btf);
}

TEST(optional_sections_are_renamed)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(N_FEATURES));

	only_changed(&s, btf, NULL, 0);
	CHECK_STR(btf_type_name(btf, s.opt), "_.struct_ops");
	CHECK_EQ(kind_of(btf, s.opt), BTF_KIND_DATASEC);
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(without_datasec)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(FEATURE_BTF_DATASEC));
	const struct btf_type *t;

	ONLY_CHANGED(&s, btf, s.var, s.sec, s.opt);
	CHECK_EQ(kind_of(btf, s.var), BTF_KIND_INT);
	CHECK_EQ(btf_size(btf, s.var), 1);
	CHECK_EQ(btf_int_info(btf_type(btf, s.var)), 8);
	t = btf_type(btf, s.sec);
	CHECK_EQ(btf_kind(t), BTF_KIND_STRUCT);
	CHECK_STR(btf_type_name(btf, s.sec), "_data_my");
	CHECK_STR(btf_type_name(btf, s.opt), "__struct_ops");
	CHECK_EQ(btf_size(btf, s.sec), 12);
	CHECK_EQ(btf_vlen(t), 2);
	CHECK_EQ(btf_members(t)[1].type, s.var);
	CHECK_EQ(btf_member_bit_offset(t, 1), 64);
	CHECK_STR(btf_str(btf, btf_members(t)[1].name_off), "counter");
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(without_func)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(FEATURE_BTF_FUNC));
	const struct btf_type *t = btf_type(btf, s.proto);

	ONLY_CHANGED(&s, btf, s.proto, s.func, s.stat);
	CHECK_EQ(btf_kind(t), BTF_KIND_ENUM);
	CHECK_EQ(t->size, 4);
	CHECK_EQ(btf_vlen(t), 2);
	CHECK_STR(btf_str(btf, btf_enums(t)[0].name_off), "n");
	/* No enumerator may be without a name. */
	CHECK(*btf_str(btf, btf_enums(t)[1].name_off));
	CHECK_EQ(kind_of(btf, s.func), BTF_KIND_TYPEDEF);
	CHECK_EQ(btf_type(btf, s.func)->type, s.proto);
	CHECK_STR(btf_type_name(btf, s.func), "run");
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(without_global_func)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(FEATURE_BTF_GLOBAL_FUNC));

	ONLY_CHANGED(&s, btf, s.func);
	CHECK_EQ(kind_of(btf, s.func), BTF_KIND_FUNC);
	CHECK_EQ(btf_vlen(btf_type(btf, s.func)), BTF_FUNC_STATIC);
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(without_float)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(FEATURE_BTF_FLOAT));

	ONLY_CHANGED(&s, btf, s.flt);
	CHECK_EQ(kind_of(btf, s.flt), BTF_KIND_STRUCT);
	CHECK_EQ(btf_size(btf, s.flt), 8);
	CHECK_STR(btf_type_name(btf, s.flt), "");
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(without_decl_tag)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(FEATURE_BTF_DECL_TAG));

	ONLY_CHANGED(&s, btf, s.tag);
	CHECK_EQ(kind_of(btf, s.tag), BTF_KIND_INT);
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(without_type_tag)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(FEATURE_BTF_TYPE_TAG));

	ONLY_CHANGED(&s, btf, s.ttag);
	CHECK_EQ(kind_of(btf, s.ttag), BTF_KIND_CONST);
	CHECK_EQ(btf_type(btf, s.ttag)->type, s.t_int);
	CHECK_STR(btf_type_name(btf, s.ttag), "");
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(without_enum64)
{
	struct sample s = sample_new();
	struct btf *btf = sanitized(&s, all_but(FEATURE_BTF_ENUM64));
	const struct btf_type *t = btf_type(btf, s.e64);

	ONLY_CHANGED(&s, btf, s.e64, s.neg);
	CHECK_EQ(btf_kind(t), BTF_KIND_UNION);
	CHECK_EQ(btf_size(btf, s.e64), 8);
	CHECK_EQ(btf_vlen(t), 2);
	CHECK_STR(btf_str(btf, btf_members(t)[1].name_off), "HUGE");
	CHECK_EQ(btf_member_bit_offset(t, 1), 0);
	/* The members' type is new, behind all others. */
	CHECK_EQ(btf_members(t)[0].type, btf_n_types(s.btf));
	CHECK_EQ(btf_size(btf, btf_members(t)[0].type), 1);
	CHECK(!btf_kflag(btf_type(btf, s.neg)));
	CHECK_EQ(btf_enums(btf_type(btf, s.neg))[0].val, -1);
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(the_oldest_kernel_gets_only_what_it_knows)
{
	struct sample s = sample_new();
	struct btf *btf;
	struct feature f;

	memset(f.state, 1, sizeof(f.state));
	btf = sanitized(&s, f);
	btf_for_each_type (id, btf)
		CHECK(kind_of(btf, id) <= BTF_KIND_RESTRICT);
	btf_unref(btf);
	btf_unref(s.btf);
}

TEST(only_asks_about_what_is_there)
{
	struct btf_gen g = {};
	struct feature f = {};
	struct btf *btf, *same;

	gen_int(&g, "int", 4, 0);
	btf = parsed(&g, NULL);
	CHECK_EQ(btf_sanitize(btf, &f, &rp, &same), 0);
	for (int i = 0; i < N_FEATURES; i++)
		CHECK_EQ(f.state[i], 0);
	btf_unref(same);
	btf_unref(btf);
}
