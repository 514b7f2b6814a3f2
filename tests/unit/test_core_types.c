/* SPDX-License-Identifier: BSD-2-Clause */
/* Types, enumerators, candidates, and what no compiler writes. */
#include "loader/core.h"

#include <stdio.h>
#include <stdlib.h>

#include "loader/kernel_btf.h"
#include "tests/fake/sys.h"
#include "tests/unit/core_rig.h"

TEST(types_have_ids_and_sizes)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s___mine", 4, M("a", t.i32, 0));
	uint32_t td = gen_ref(&r.l, BTF_KIND_TYPEDEF, "td", s);
	uint32_t gone = gen_struct(&r.l, "gone", 4, M("a", t.i32, 0));
	uint32_t anon = gen_struct(&r.l, NULL, 4, M("a", t.i32, 0)), ks, ktd;

	gen_struct(&r.k, "x", 1, M("a", t.u8, 0));
	ks = gen_struct(&r.k, "s", 16, M("b", t.i32, 0));
	ktd = gen_ref(&r.k, BTF_KIND_TYPEDEF, "td", ks);
	rig_start(&r);
	CHECK_EQ(load64(&r, s, "0", BPF_CORE_TYPE_ID_TARGET, s), ks);
	CHECK_EQ(load64(&r, td, "0", BPF_CORE_TYPE_ID_TARGET, td), ktd);
	CHECK_EQ(load64(&r, gone, "0", BPF_CORE_TYPE_ID_TARGET, gone), 0);
	CHECK_EQ(load64(&r, gone, "0", BPF_CORE_TYPE_ID_LOCAL, gone), gone);
	/* Linkers renumber types: the number in the code means nothing. */
	CHECK_EQ(load64(&r, s, "0", BPF_CORE_TYPE_ID_TARGET, 12345), ks);
	CHECK_EQ(load64(&r, anon, "0", BPF_CORE_TYPE_ID_LOCAL, 12345), anon);
	CHECK_EQ(mov(&r, s, "0", BPF_CORE_TYPE_EXISTS, 1), 1);
	CHECK_EQ(mov(&r, s, "0", BPF_CORE_TYPE_SIZE, 4), 16);
	CHECK_EQ(mov(&r, td, "0", BPF_CORE_TYPE_SIZE, 4), 16);
	CHECK_EQ(mov(&r, gone, "0", BPF_CORE_TYPE_EXISTS, 1), 0);
	CHECK_EQ(mov(&r, gone, "0", BPF_CORE_TYPE_SIZE, 4), 0);
	CHECK_EQ(mov(&r, gone, "0", BPF_CORE_TYPE_MATCHES, 1), 0);
	CHECK_EQ(mov(&r, anon, "0", BPF_CORE_TYPE_EXISTS, 1), -EINVAL);
	CHECK_EQ(mov(&r, s, "1", BPF_CORE_TYPE_EXISTS, 1), -EINVAL);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_TYPE_EXISTS, 1), -EINVAL);
	rig_stop(&r);
}

/* One typedef "tN" a case on both sides; does it exist, does it match? */
TEST(shape_on_the_outside_and_all_the_way)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	struct btf_gen *l = &r.l, *k = &r.k;
	uint32_t lp = gen_ref(l, BTF_KIND_PTR, NULL, t.i32),
		 kp = gen_ref(k, BTF_KIND_PTR, NULL, t.i32);
	uint32_t kpp = gen_ref(k, BTF_KIND_PTR, NULL, kp);
	uint32_t ls = gen_struct(l, "s", 8, M("b", t.i32, 0), M("a", t.u64, 64));
	uint32_t ks = gen_struct(k, "s", 32, M("a", t.u64, 0), M("x", t.u8, 64), M("b", t.i32, 96));
	uint32_t ls2 = gen_struct(l, "s2", 8, M("a", t.i32, 0));
	uint32_t ks2 = gen_struct(k, "s2", 8, M("a", t.u32, 0));
	uint32_t lu = gen_union(l, "u", 4, M("a", t.i32, 0)),
		 ku = gen_union(k, "u", 4, M("a", t.i32, 0));
	uint32_t lf = gen_ref(l, BTF_KIND_FWD, "s", 0), kf = gen_ref(k, BTF_KIND_FWD, "s2", 0);
	uint32_t kfu = gen_record(k, "u", GEN_INFO(BTF_KIND_FWD, 1, 0), 0, NULL, 0);
	uint32_t le = gen_enum(l, BTF_KIND_ENUM, false, "e", 4, E("A", 1), E("B___f", 2));
	uint32_t ke = gen_enum(k, BTF_KIND_ENUM, false, "e", 4, E("B", 1), E("C", 2), E("A", 3));
	uint32_t ke64 = gen_enum(k, BTF_KIND_ENUM64, false, "e", 8, E("B", 1), E("A", 3));
	uint32_t kemin = gen_enum(k, BTF_KIND_ENUM, false, "e", 4, E("A", 1));
	struct {
		uint32_t local, kernel;
		bool exists, matches;
	} cases[] = {
		{ t.i32, t.i32, true, true },
		{ t.i32, t.u32, true, false },
		{ t.i32, t.i64, true, false },
		{ gen_ref(l, BTF_KIND_VOLATILE, NULL, t.i32),
		  gen_ref(k, BTF_KIND_CONST, NULL, t.i32), true, true },
		{ t.i32, kp, false, false },
		{ lp, kp, true, true },
		{ lp, kpp, false, false },
		{ gen_ref(l, BTF_KIND_PTR, NULL, 0), gen_ref(k, BTF_KIND_PTR, NULL, 0), true,
		  true },
		{ ls, ks, true, true },
		{ ls2, ks2, true, false },
		{ ls, ks2, true, false },
		{ ls, ku, false, false },
		{ gen_ref(l, BTF_KIND_PTR, NULL, ls2), gen_ref(k, BTF_KIND_PTR, NULL, ks2), true,
		  true },
		{ gen_ref(l, BTF_KIND_PTR, NULL, ls2), gen_ref(k, BTF_KIND_PTR, NULL, kf), false,
		  true },
		{ gen_ref(l, BTF_KIND_PTR, NULL, lf), gen_ref(k, BTF_KIND_PTR, NULL, ks), false,
		  true },
		{ gen_ref(l, BTF_KIND_PTR, NULL, lu), gen_ref(k, BTF_KIND_PTR, NULL, kfu), false,
		  true },
		{ gen_ref(l, BTF_KIND_PTR, NULL, ls), gen_ref(k, BTF_KIND_PTR, NULL, kfu), false,
		  false },
		{ lf, ks, false, false },
		{ le, ke, true, true },
		{ le, ke64, true, false },
		{ le, kemin, true, false },
		{ gen_array(l, t.i32, 3), gen_array(k, t.i32, 3), true, true },
		{ gen_array(l, t.i32, 3), gen_array(k, t.i32, 4), true, false },
		{ gen_array(l, t.i32, 3), gen_array(k, kp, 3), false, false },
		{ gen_proto(l, t.i32, (struct gen_member[]){ { "a", t.u64, 0 } }, 1),
		  gen_proto(k, t.i32, (struct gen_member[]){ { "b", t.u64, 0 } }, 1), true, true },
		{ gen_proto(l, t.i32, (struct gen_member[]){ { "a", t.u64, 0 } }, 1),
		  gen_proto(k, t.i32, (struct gen_member[]){ { "b", t.u32, 0 } }, 1), true, false },
		{ gen_proto(l, t.i32, (struct gen_member[]){ { "a", t.u64, 0 } }, 1),
		  gen_proto(k, t.i32, (struct gen_member[]){ { "b", kp, 0 } }, 1), false, false },
		{ gen_proto(l, 0, (struct gen_member[]){ { "a", t.u64, 0 } }, 1),
		  gen_proto(k, t.i32, (struct gen_member[]){ { "b", t.u64, 0 } }, 1), false,
		  false },
		{ gen_proto(l, 0, (struct gen_member[]){ { "a", t.u64, 0 } }, 1),
		  gen_proto(k, 0, NULL, 0), false, false },
		{ gen_ref(l, BTF_KIND_FLOAT, "float", 4), gen_ref(k, BTF_KIND_FLOAT, "float", 4),
		  false, false },
	};
	uint32_t ids[ARRAY_SIZE(cases)];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[8];

		snprintf(name, sizeof(name), "t%zu", i);
		ids[i] = gen_ref(l, BTF_KIND_TYPEDEF, name, cases[i].local);
		gen_ref(k, BTF_KIND_TYPEDEF, name, cases[i].kernel);
	}
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t exists = mov(&r, ids[i], "0", BPF_CORE_TYPE_EXISTS, 1);
		int64_t matches = mov(&r, ids[i], "0", BPF_CORE_TYPE_MATCHES, 1);

		if (exists != cases[i].exists || matches != cases[i].matches)
			FAIL("case %zu: exists %lld, matches %lld", i, (long long)exists,
			     (long long)matches);
	}
	rig_stop(&r);
}

TEST(enumerators_are_found_by_name)
{
	struct rig r = {};
	uint32_t e = gen_enum(&r.l, BTF_KIND_ENUM, false, "e___x", 4, E("A", 1), E("B___x", 2),
			      E("GONE", 3));
	uint32_t td = gen_ref(&r.l, BTF_KIND_TYPEDEF, "e_t", e);
	uint32_t e64 = gen_enum(&r.l, BTF_KIND_ENUM64, false, "big", 8, E("HUGE", 1ll << 40));
	uint32_t ke = gen_enum(&r.k, BTF_KIND_ENUM, true, "e", 4, E("Z", 0), E("B", -7), E("A", 9));

	gen_ref(&r.k, BTF_KIND_TYPEDEF, "e_t", ke);
	gen_enum(&r.k, BTF_KIND_ENUM64, false, "big", 8, E("HUGE", 5ll << 41));
	rig_start(&r);
	CHECK_EQ(load64(&r, e, "0", BPF_CORE_ENUMVAL_VALUE, 1), 9);
	CHECK_EQ(load64(&r, e, "1", BPF_CORE_ENUMVAL_VALUE, 2), -7);
	CHECK_EQ(load64(&r, e, "2", BPF_CORE_ENUMVAL_VALUE, 3), POISONED);
	CHECK_EQ(load64(&r, e, "1", BPF_CORE_ENUMVAL_VALUE, 3), -EINVAL);
	CHECK_EQ(load64(&r, e, "0", BPF_CORE_ENUMVAL_EXISTS, 1), 1);
	CHECK_EQ(load64(&r, e, "2", BPF_CORE_ENUMVAL_EXISTS, 1), 0);
	CHECK_EQ(load64(&r, td, "1", BPF_CORE_ENUMVAL_VALUE, 2), -7);
	CHECK_EQ(load64(&r, e64, "0", BPF_CORE_ENUMVAL_VALUE, 1ll << 40), 5ll << 41);
	/* More than a constant of an ALU instruction holds. */
	CHECK_EQ(mov(&r, e64, "0", BPF_CORE_ENUMVAL_VALUE, 0), -EINVAL);
	CHECK_EQ(load64(&r, e64, "1", BPF_CORE_ENUMVAL_VALUE, 0), -EINVAL);
	rig_stop(&r);
}

TEST(enumerator_may_become_64_bits_wide)
{
	struct rig r = {};
	uint32_t e = gen_enum(&r.l, BTF_KIND_ENUM, false, "e", 4, E("A", 1));

	gen_enum(&r.k, BTF_KIND_ENUM64, true, "e", 8, E("A", -(1ll << 33)));
	rig_start(&r);
	CHECK_EQ(load64(&r, e, "0", BPF_CORE_ENUMVAL_VALUE, 1), -(1ll << 33));
	rig_stop(&r);
}

/* Bit 31 of an enumerator: compilers extend it or do not, and go on doing the same. */
TEST(enumerator_keeps_the_compilers_extension)
{
	struct rig r = {};
	uint32_t e = gen_enum(&r.l, BTF_KIND_ENUM, false, "e", 4, E("TOP", (int32_t)(1u << 31)));

	gen_enum(&r.k, BTF_KIND_ENUM, false, "e", 4, E("TOP", (int32_t)(3u << 30)));
	rig_start(&r);
	CHECK_EQ(load64(&r, e, "0", BPF_CORE_ENUMVAL_VALUE, 1u << 31), 3u << 30);
	CHECK_EQ(load64(&r, e, "0", BPF_CORE_ENUMVAL_VALUE, INT32_MIN), (int32_t)(3u << 30));
	rig_stop(&r);
}

TEST(candidates_must_agree)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s", 16, M("same", t.i32, 0), M("moved", t.i32, 32),
				M("wider", t.u32, 64));
	uint32_t e = gen_enum(&r.l, BTF_KIND_ENUM, false, "e", 4, E("A", 1), E("B", 2));

	gen_struct(&r.k, "s", 24, M("same", t.i32, 64), M("moved", t.i32, 32),
		   M("wider", t.u32, 128));
	gen_struct(&r.k, "s", 32, M("same", t.i32, 64), M("moved", t.i32, 96),
		   M("wider", t.u64, 128));
	gen_enum(&r.k, BTF_KIND_ENUM, false, "e", 4, E("A", 1), E("B", 2));
	gen_enum(&r.k, BTF_KIND_ENUM, false, "e", 4, E("A", 1), E("B", 3));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 8);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), -EINVAL);
	CHECK_HAS(rp.text, "ambiguous");
	CHECK_EQ(mov(&r, s, "0", BPF_CORE_TYPE_SIZE, 16), -EINVAL);
	CHECK_EQ(load64(&r, s, "0", BPF_CORE_TYPE_ID_TARGET, s), -EINVAL);
	CHECK_EQ(mov(&r, s, "0", BPF_CORE_TYPE_EXISTS, 1), 1);
	CHECK_EQ(load64(&r, e, "0", BPF_CORE_ENUMVAL_VALUE, 1), 1);
	CHECK_EQ(load64(&r, e, "1", BPF_CORE_ENUMVAL_VALUE, 2), -EINVAL);
	/* An address is the same for both, a load is not. */
	CHECK_EQ(mov(&r, s, "0:2", BPF_CORE_FIELD_BYTE_OFFSET, 8), 16);
	r.insns[0] = INSN_LDX_MEM(BPF_W, 1, 2, 8);
	CHECK_EQ(apply(&r, s, "0:2", BPF_CORE_FIELD_BYTE_OFFSET), -EINVAL);
	rig_stop(&r);
}

TEST(a_field_that_only_one_has_decides_for_its_type)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s___a", 8, M("only", t.i32, 0), M("x", t.i32, 32));
	uint32_t other = gen_struct(&r.l, "s___b", 4, M("x", t.i32, 0));

	gen_struct(&r.k, "s", 8, M("x", t.i32, 32));
	gen_struct(&r.k, "s", 24, M("only", t.i32, 64), M("x", t.i32, 128));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), -EINVAL);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 8);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), 16);
	CHECK_EQ(mov(&r, other, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), -EINVAL);
	rig_stop(&r);
}

TEST(candidates_are_of_the_same_kind)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s", 4, M("x", t.i32, 0));
	uint32_t e = gen_enum(&r.l, BTF_KIND_ENUM, false, "s", 4, E("A", 1));

	gen_union(&r.k, "s", 8, M("x", t.i32, 0));
	gen_ref(&r.k, BTF_KIND_TYPEDEF, "s", gen_struct(&r.k, "q", 8, M("x", t.i32, 32)));
	gen_enum(&r.k, BTF_KIND_ENUM64, false, "s", 8, E("A", 3));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_EXISTS, 1), 0);
	CHECK_EQ(load64(&r, e, "0", BPF_CORE_ENUMVAL_VALUE, 1), 3);
	rig_stop(&r);
}

TEST(refuses_malformed_access_strings)
{
	static const char *const bad[] = {
		"",	"x",	    "0:",	   ":0",	 "0::1",   "-1",
		"0:-1", "0:9",	    "0:0x",	   "0 :0",	 "0:0:0:", "0:0:0",
		"+1",	"0:1:0:7:", "99999999999", "2147483648", "0:1:1",
	};
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t a = gen_array(&r.l, t.i32, 1);
	uint32_t s = gen_struct(&r.l, "s", 8, M("x", t.i32, 0), M("a", a, 32), M("v", 0, 0));
	uint32_t huge = gen_struct(&r.l, "huge", UINT32_MAX, M("x", t.i32, 0));
	char deep[200] = "0";

	gen_struct(&r.k, "s", 4, M("x", t.i32, 0));
	for (int i = 0; i < 64; i++)
		strcat(deep, ":0");
	gen_str(&r.l, deep);
	gen_str(&r.l, "2147483647");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		gen_str(&r.l, bad[i]);
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (mov(&r, s, bad[i], BPF_CORE_FIELD_BYTE_OFFSET, 0) != -EINVAL)
			FAIL("\"%s\" is accepted", bad[i]);
	CHECK_EQ(mov(&r, s, deep, BPF_CORE_FIELD_BYTE_OFFSET, 0), -EINVAL);
	CHECK_HAS(rp.text, "64 levels");
	CHECK_EQ(mov(&r, huge, "2147483647", BPF_CORE_FIELD_BYTE_OFFSET, 0), -EINVAL);
	CHECK_EQ(mov(&r, huge, "2", BPF_CORE_FIELD_BYTE_OFFSET, 0), -EINVAL);
	/* void has no size and no members. */
	CHECK_EQ(mov(&r, s, "0:2", BPF_CORE_FIELD_BYTE_SIZE, 0), -EINVAL);
	CHECK_EQ(mov(&r, 0, "0:0", BPF_CORE_FIELD_BYTE_SIZE, 0), -EINVAL);
	CHECK_EQ(mov(&r, 0, "0", BPF_CORE_TYPE_EXISTS, 1), -EINVAL);
	CHECK_EQ(mov(&r, s, "0", BPF_CORE_ENUMVAL_VALUE, 0), -EINVAL);
	rig_stop(&r);
}

/* Types that contain themselves in every way that BTF allows. */
TEST(circles_end)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s", 4, M("x", t.i32, 0));
	uint32_t td = gen_ref(&r.l, BTF_KIND_TYPEDEF, "td", t.i32);
	uint32_t in = gen_struct(&r.l, "in", 8, M("in", r.l.n + 1, 0), M("x", t.i32, 0));
	uint32_t p = gen_ref(&r.l, BTF_KIND_PTR, NULL, r.l.n + 1);
	uint32_t ptd = gen_ref(&r.l, BTF_KIND_TYPEDEF, "ptd", p);
	char deep[200] = "0";

	gen_struct(&r.k, "s", 8, M(NULL, r.k.n + 1, 0), M(NULL, r.k.n + 1, 0), M("y", t.i32, 0));
	gen_ref(&r.k, BTF_KIND_TYPEDEF, "td", r.k.n + 1);
	gen_struct(&r.k, "in", 8, M("in", r.k.n + 1, 0), M("x", t.i32, 0));
	p = gen_ref(&r.k, BTF_KIND_PTR, NULL, r.k.n + 1);
	gen_ref(&r.k, BTF_KIND_TYPEDEF, "ptd", p);
	for (int i = 0; i < 62; i++)
		strcat(deep, ":0");
	gen_str(&r.l, strcat(deep, ":1"));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_EXISTS, 1), -EINVAL);
	CHECK_HAS(rp.text, "levels");
	CHECK_EQ(mov(&r, td, "0", BPF_CORE_TYPE_EXISTS, 1), 0);
	CHECK_EQ(mov(&r, in, "0", BPF_CORE_TYPE_MATCHES, 1), -EINVAL);
	CHECK_EQ(mov(&r, in, deep, BPF_CORE_FIELD_BYTE_OFFSET, 0), 0);
	CHECK_EQ(mov(&r, ptd, "0", BPF_CORE_TYPE_EXISTS, 1), -EINVAL);
	CHECK_EQ(mov(&r, ptd, "0", BPF_CORE_TYPE_MATCHES, 1), -EINVAL);
	rig_stop(&r);
}

/* A function that takes 16 functions that each take 16 functions …: 16^15 comparisons. */
TEST(comparisons_that_fan_out_end)
{
	struct rig r = {};
	struct gen_member params[16];
	uint32_t td = 0;

	for (int side = 0; side < 2; side++) {
		struct btf_gen *g = side ? &r.k : &r.l;
		uint32_t id = gen_int(g, "int", 4, BTF_INT_SIGNED);

		for (int i = 0; i < 15; i++) {
			for (size_t j = 0; j < ARRAY_SIZE(params); j++)
				params[j] = M("f", id, 0);
			id = gen_ref(g, BTF_KIND_PTR, NULL,
				     gen_proto(g, 0, params, ARRAY_SIZE(params)));
		}
		td = gen_ref(g, BTF_KIND_TYPEDEF, "td", id);
	}
	rig_start(&r);
	CHECK_EQ(mov(&r, td, "0", BPF_CORE_TYPE_EXISTS, 1), -E2BIG);
	CHECK_HAS(rp.text, "steps");
	CHECK_EQ(mov(&r, td, "0", BPF_CORE_TYPE_MATCHES, 1), -E2BIG);
	rig_stop(&r);
}

/* The budget is for different questions: the same one may be asked any number of times. */
TEST(answers_are_kept)
{
	enum { N = 2000 };
	struct rig r = {};
	struct ints t = gen_ints(&r);
	static struct gen_member m[N];
	static char names[N][16];
	uint32_t s = 0;

	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "m%d", i);
		m[i] = M(names[i], t.i32, 32 * i);
	}
	s = gen_composite(&r.l, BTF_KIND_STRUCT, false, "s", 4 * N, m, N);
	gen_composite(&r.k, BTF_KIND_STRUCT, false, "s", 4 * N, m, N);
	rig_start(&r);
	/* 2000 × 2000 names each: without memory far beyond the budget. */
	for (int i = 0; i < 35000; i++)
		CHECK_EQ(mov(&r, s, "0", BPF_CORE_TYPE_MATCHES, 1), 1);
	rig_stop(&r);
}

TEST(describes_what_was_wanted)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t a = gen_array(&r.l, t.i32, 4);
	uint32_t s = gen_struct(&r.l, "task", 20, M("pid", t.i32, 0), M("bad\nname", a, 32));
	uint32_t e = gen_enum(&r.l, BTF_KIND_ENUM, false, "e", 4, E("A", 1));
	struct {
		uint32_t type;
		const char *access;
		uint32_t kind;
		const char *text;
	} cases[] = {
		{ s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, "<byte_off> [9] struct task.pid (0:0)" },
		{ s, "1:1:2", BPF_CORE_FIELD_EXISTS,
		  "<field_exists> [9] struct task[1].bad?name[2] (1:1:2)" },
		{ s, "0", BPF_CORE_TYPE_SIZE, "<type_size> [9] struct task (0)" },
		{ e, "0", BPF_CORE_ENUMVAL_VALUE, "<enumval_value> [10] enum e::A (0)" },
		{ s, "oops", BPF_CORE_FIELD_BYTE_OFFSET, "<byte_off> [9] struct task (oops)" },
		{ 0, "0", 77, "<kind 77> [0] void (anonymous) (0)" },
		{ 4000, "0", BPF_CORE_TYPE_EXISTS, "<type_exists> [4000] void (anonymous) (0)" },
	};
	char buf[128], small[10];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		gen_str(&r.l, cases[i].access);
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ext_core relo = { 0, cases[i].type, find_str(r.local, cases[i].access),
					 cases[i].kind };

		core_describe(r.local, &relo, buf, sizeof(buf));
		CHECK_STR(buf, cases[i].text);
		core_describe(r.local, &relo, small, sizeof(small));
		CHECK_EQ(strlen(small), sizeof(small) - 1);
	}
	rig_stop(&r);
}

/* The object's type is in no vmlinux: modules are asked, and only then. */
TEST(candidates_come_from_modules_if_vmlinux_has_none)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	struct btf *vmlinux = NULL;
	struct btf_gen m = {};
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t mod = gen_struct(&r.l, "bpfuse_of_module", 4, M("x", t.i32, 0));
	uint32_t task = gen_struct(&r.l, "task_struct", 4, M("pid", t.i32, 0));

	if (kernel_btf_get(kb, &rp, &vmlinux) < 0)
		SKIP("%s", rp.text);
	rig_start(&r);
	m.first_id = btf_n_types(vmlinux);
	for (m.first_str = 1; btf_has_str(vmlinux, m.first_str);)
		m.first_str++;
	t.i32 = gen_int(&m, "int", 4, BTF_INT_SIGNED);
	gen_struct(&m, "bpfuse_of_module", 16, M("x", t.i32, 64));
	gen_struct(&m, "task_struct", 1 << 16, M("pid", t.i32, 8 << 15));
	gen_finish(&m);
	fake_sys_add_btf("bpfuse_mod", str_text(&m.blob), m.blob.len);
	core_free(r.core);
	r.core = core_new(r.local, kb, NULL);
	CHECK_EQ(mov(&r, mod, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 8);
	CHECK(mov(&r, task, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0) != 1 << 15);
	CHECK(mov(&r, task, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0) >= 0);
	btf_unref(vmlinux);
	gen_deinit(&m);
	rig_stop(&r);
	fake_sys_reset();
}
