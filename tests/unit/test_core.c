/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields and instructions; test_core_types.c has the rest. */
#include "loader/core.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/core_rig.h"

TEST(offset_follows_member_that_moved)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "task", 8, M("pid", t.i32, 0), M("tgid", t.i32, 32));

	gen_struct(&r.k, "task", 24, M("state", t.u64, 0), M("tgid", t.i32, 64),
		   M("pid", t.i32, 128));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 16);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), 8);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_EXISTS, 1), 1);
	rig_stop(&r);
}

TEST(pointer_target_may_be_an_array)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "task", 8, M("pid", t.i32, 0), M("tgid", t.i32, 32));

	gen_struct(&r.k, "task", 24, M("state", t.u64, 0), M("tgid", t.i32, 64));
	gen_str(&r.l, "2:1");
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "2:1", BPF_CORE_FIELD_BYTE_OFFSET, 20), 2 * 24 + 8);
	CHECK_EQ(mov(&r, s, "2", BPF_CORE_FIELD_BYTE_OFFSET, 16), 2 * 24);
	CHECK_EQ(mov(&r, s, "2", BPF_CORE_FIELD_BYTE_SIZE, 8), 24);
	rig_stop(&r);
}

TEST(missing_field_is_an_answer_or_poison)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "task", 8, M("pid", t.i32, 0), M("gone", t.i32, 32));
	uint32_t none = gen_struct(&r.l, "none", 4, M("x", t.i32, 0));

	gen_struct(&r.k, "task", 4, M("pid", t.i32, 0));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_EXISTS, 1), 0);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), POISONED);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_SIZE, 4), POISONED);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_SIGNED, 1), POISONED);
	CHECK_EQ(mov(&r, none, "0:0", BPF_CORE_FIELD_EXISTS, 1), 0);
	CHECK_EQ(mov(&r, none, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), POISONED);
	/* Poison needs no instruction that could hold the value. */
	r.insns[0] = INSN_LDX_MEM(BPF_W, 1, 2, 4);
	CHECK_EQ(apply(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET), 0);
	CHECK(is_poison(&r.insns[0]));
	rig_stop(&r);
}

TEST(anonymous_members_are_looked_through)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t flat = gen_struct(&r.l, "flat", 8, M("a", t.i32, 0), M("b", t.i32, 32));
	uint32_t in = gen_struct(&r.l, NULL, 8, M("a", t.i32, 0), M("b", t.i32, 32));
	uint32_t un = gen_union(&r.l, NULL, 8, M("u", t.u64, 0), M(NULL, in, 0));
	uint32_t deep = gen_struct(&r.l, "deep", 16, M("x", t.u64, 0), M(NULL, un, 64));

	in = gen_struct(&r.k, NULL, 8, M("pad", t.i32, 0), M("b", t.i32, 32));
	un = gen_union(&r.k, NULL, 8, M("u", t.u64, 0), M(NULL, in, 0));
	gen_struct(&r.k, "flat", 24, M("a", t.i32, 0), M(NULL, un, 128));
	gen_struct(&r.k, "deep", 16, M("b", t.i32, 0), M("a", t.i32, 32));
	gen_str(&r.l, "0:1:1:1");
	gen_str(&r.l, "0:1:1");
	rig_start(&r);
	CHECK_EQ(mov(&r, flat, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), 20);
	CHECK_EQ(mov(&r, deep, "0:1:1:1", BPF_CORE_FIELD_BYTE_OFFSET, 12), 0);
	/* What has no name cannot be found. */
	CHECK_EQ(mov(&r, deep, "0:1:1", BPF_CORE_FIELD_BYTE_OFFSET, 8), -EINVAL);
	CHECK_HAS(rp.text, "without a name");
	rig_stop(&r);
}

TEST(flavours_are_not_part_of_names)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t a = gen_struct(&r.l, "task___old", 8, M("state", t.i64, 0));
	uint32_t b = gen_struct(&r.l, "task___new", 8, M("__state", t.u32, 0));

	gen_struct(&r.k, "task", 8, M("pid", t.i32, 0), M("__state", t.u32, 32));
	gen_struct(&r.k, "task_", 8, M("state", t.i64, 0));
	rig_start(&r);
	CHECK_EQ(mov(&r, a, "0:0", BPF_CORE_FIELD_EXISTS, 1), 0);
	CHECK_EQ(mov(&r, b, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 4);
	rig_stop(&r);
}

TEST(array_elements_have_bounds)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t a4 = gen_array(&r.l, t.i32, 4), a8 = gen_array(&r.l, t.i32, 8);
	uint32_t a0 = gen_array(&r.l, t.i32, 0);
	uint32_t s = gen_struct(&r.l, "s", 20, M("x", t.i32, 0), M("a", a4, 32));
	uint32_t big = gen_struct(&r.l, "big", 36, M("x", t.i32, 0), M("a", a8, 32));
	uint32_t flex = gen_struct(&r.l, "flex", 4, M("x", t.i32, 0), M("a", a0, 32));
	uint32_t front = gen_struct(&r.l, "front", 4, M("a", a0, 0), M("x", t.i32, 0));

	a4 = gen_array(&r.k, t.i32, 4);
	a0 = gen_array(&r.k, t.i32, 0);
	gen_struct(&r.k, "s", 40, M("x", t.u64, 0), M("a", a4, 64));
	gen_struct(&r.k, "big", 40, M("x", t.u64, 0), M("a", a4, 64));
	gen_struct(&r.k, "flex", 8, M("x", t.u64, 0), M("a", a0, 64));
	gen_str(&r.l, "0:1:3");
	gen_str(&r.l, "0:0:5");
	gen_str(&r.l, "0:1:4");
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:1:3", BPF_CORE_FIELD_BYTE_OFFSET, 16), 20);
	CHECK_EQ(mov(&r, s, "0:1:3", BPF_CORE_FIELD_BYTE_SIZE, 4), 4);
	CHECK_EQ(mov(&r, s, "0:1:3", BPF_CORE_FIELD_EXISTS, 1), 1);
	CHECK_EQ(mov(&r, s, "0:1:3", BPF_CORE_FIELD_SIGNED, 1), -EINVAL);
	/* Beyond the object's own array, beyond the kernel's. */
	CHECK_EQ(mov(&r, s, "0:1:4", BPF_CORE_FIELD_BYTE_OFFSET, 20), -EINVAL);
	CHECK_EQ(mov(&r, big, "0:1:5", BPF_CORE_FIELD_BYTE_OFFSET, 24), POISONED);
	CHECK_EQ(mov(&r, big, "0:1:3", BPF_CORE_FIELD_BYTE_OFFSET, 16), 20);
	/* A flexible end has no bounds, a zero-length array elsewhere has no elements. */
	CHECK_EQ(mov(&r, flex, "0:1:5", BPF_CORE_FIELD_BYTE_OFFSET, 24), 28);
	CHECK_EQ(mov(&r, front, "0:0:5", BPF_CORE_FIELD_BYTE_OFFSET, 20), -EINVAL);
	rig_stop(&r);
}

TEST(kernel_array_of_no_size_must_be_the_last)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t a4 = gen_array(&r.l, t.i32, 4), a0;
	uint32_t last = gen_struct(&r.l, "last", 20, M("x", t.i32, 0), M("a", a4, 32));
	uint32_t mid = gen_struct(&r.l, "mid", 20, M("x", t.i32, 0), M("a", a4, 32));
	uint32_t uni = gen_struct(&r.l, "uni", 20, M("x", t.i32, 0), M("a", a4, 32));

	a0 = gen_array(&r.k, t.i32, 0);
	gen_struct(&r.k, "last", 8, M("x", t.u64, 0), M("a", a0, 64));
	gen_struct(&r.k, "mid", 8, M("a", a0, 0), M("x", t.u64, 0));
	a0 = gen_union(&r.k, NULL, 8, M("a", a0, 0), M("y", t.u64, 0));
	gen_struct(&r.k, "uni", 16, M("x", t.u64, 0), M(NULL, a0, 64));
	gen_str(&r.l, "0:1:3");
	rig_start(&r);
	CHECK_EQ(mov(&r, last, "0:1:3", BPF_CORE_FIELD_BYTE_OFFSET, 16), 20);
	CHECK_EQ(mov(&r, mid, "0:1:3", BPF_CORE_FIELD_BYTE_OFFSET, 16), POISONED);
	CHECK_EQ(mov(&r, uni, "0:1:3", BPF_CORE_FIELD_BYTE_OFFSET, 16), 20);
	rig_stop(&r);
}

TEST(array_of_structs_keeps_its_stride)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t e = gen_struct(&r.l, "elem", 8, M("k", t.i32, 0), M("v", t.i32, 32));
	uint32_t s = gen_struct(&r.l, "s", 24, M("e", gen_array(&r.l, e, 3), 0));

	e = gen_struct(&r.k, "elem", 16, M("v", t.i32, 64), M("k", t.i32, 0));
	gen_struct(&r.k, "s", 80, M("x", t.u64, 0), M("e", gen_array(&r.k, e, 4), 64));
	gen_str(&r.l, "0:0:2:1");
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:0:2:1", BPF_CORE_FIELD_BYTE_OFFSET, 20), 8 + 2 * 16 + 8);
	rig_stop(&r);
}

/* Loads and shifts as programs write them must give the bits, wherever they are. */
TEST(bit_fields_are_found_and_shifted)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s =
		gen_bitfields(&r.l, "s", 8, M("a", t.u32, BITS(3, 0)), M("b", t.i32, BITS(5, 3)),
			      M("c", t.u32, BITS(0, 32)), M("d", t.u32, BITS(4, 8)));

	gen_bitfields(&r.k, "s", 16, M("b", t.i32, BITS(7, 41)), M("a", t.u64, BITS(0, 64)),
		      M("c", t.u8, BITS(2, 30)), M("d", t.u32, BITS(12, 26)));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 0), 4);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_SIZE, 4), 4);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_LSHIFT_U64, 56), 64 - (41 - 32 + 7));
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_RSHIFT_U64, 59), 57);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_SIGNED, 1), 1);
	/* Which integer is loaded for bits is the compiler's choice: any value is fine. */
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 77), 4);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_RSHIFT_U64, 58), -EINVAL);
	/* Bits that became a whole integer, and the other way round. */
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 8);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_BYTE_SIZE, 4), 8);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_LSHIFT_U64, 61), 0);
	CHECK_EQ(mov(&r, s, "0:2", BPF_CORE_FIELD_BYTE_OFFSET, 4), 3);
	CHECK_EQ(mov(&r, s, "0:2", BPF_CORE_FIELD_LSHIFT_U64, 32), 64 - 6 - 2);
	/* A field over the border of its type needs a wider load. */
	CHECK_EQ(mov(&r, s, "0:3", BPF_CORE_FIELD_BYTE_OFFSET, 0), 0);
	CHECK_EQ(mov(&r, s, "0:3", BPF_CORE_FIELD_BYTE_SIZE, 4), 8);
	CHECK_EQ(mov(&r, s, "0:3", BPF_CORE_FIELD_LSHIFT_U64, 52), 64 - 26 - 12);
	rig_stop(&r);
}

TEST(old_style_bit_fields_have_their_width_in_the_integer)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_bitfields(&r.l, "s", 4, M("a", t.u32, BITS(3, 0)));
	uint32_t bits = gen_int_bits(&r.k, "unsigned int", 4, 0, 0, 5);

	gen_struct(&r.k, "s", 8, M("a", bits, 35));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 4);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_LSHIFT_U64, 61), 64 - 3 - 5);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_RSHIFT_U64, 61), 59);
	rig_stop(&r);
}

TEST(signedness_of_enumerations_is_in_the_flag)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t e = gen_enum(&r.l, BTF_KIND_ENUM, false, "e", 4, E("A", 1));
	uint32_t s = gen_struct(&r.l, "s", 8, M("e", e, 0), M("u", t.u32, 32));

	e = gen_enum(&r.k, BTF_KIND_ENUM, true, "e", 4, E("A", -1));
	gen_struct(&r.k, "s", 8, M("e", e, 0), M("u", t.i32, 32));
	rig_start(&r);
	/* clang before 15 knows it and does not write it into BTF: both are fine. */
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_SIGNED, 0), 1);
	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_SIGNED, 1), 1);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_SIGNED, 0), 1);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_SIGNED, 1), -EINVAL);
	rig_stop(&r);
}

/* Pairs of member types, and whether code for the one can use the other. */
TEST(fields_need_the_same_kind_only)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	struct btf_gen *l = &r.l, *k = &r.k;
	struct {
		uint32_t local, kernel;
		bool fits;
	} cases[] = {
		{ t.i32, t.u64, true },
		{ t.i32, gen_int_bits(k, "odd", 4, 0, 3, 5), false },
		{ gen_ref(l, BTF_KIND_CONST, NULL, t.i32), gen_ref(k, BTF_KIND_TYPEDEF, "x", t.u8),
		  true },
		{ gen_ref(l, BTF_KIND_PTR, NULL, t.i32), gen_ref(k, BTF_KIND_PTR, NULL, 0), true },
		{ gen_ref(l, BTF_KIND_PTR, NULL, 0), t.u64, false },
		{ t.i32, gen_ref(k, BTF_KIND_FLOAT, "float", 4), false },
		{ gen_struct(l, "p", 4, M("x", t.i32, 0)), gen_union(k, "q", 8, M("y", t.u64, 0)),
		  true },
		{ gen_struct(l, "p2", 4, M("x", t.i32, 0)), t.i32, false },
		{ gen_enum(l, BTF_KIND_ENUM, false, "e1___f", 4, E("A", 1)),
		  gen_enum(k, BTF_KIND_ENUM64, false, "e1", 8, E("B", 1)), true },
		{ gen_enum(l, BTF_KIND_ENUM, false, "e2", 4, E("A", 1)),
		  gen_enum(k, BTF_KIND_ENUM, false, "other", 4, E("A", 1)), false },
		{ gen_enum(l, BTF_KIND_ENUM, false, NULL, 4, E("A", 1)),
		  gen_enum(k, BTF_KIND_ENUM, false, "e3", 4, E("A", 1)), true },
		{ gen_array(l, t.i32, 4), gen_array(k, t.u8, 9), true },
		{ gen_array(l, t.i32, 4), gen_array(k, gen_ref(k, BTF_KIND_PTR, NULL, 0), 4),
		  false },
		{ gen_array(l, t.i32, 4), t.i32, false },
	};
	struct gen_member lm[ARRAY_SIZE(cases)], km[ARRAY_SIZE(cases)];
	char names[ARRAY_SIZE(cases)][8], access[ARRAY_SIZE(cases)][8];
	uint32_t s;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(names[i], sizeof(names[i]), "m%zu", i);
		snprintf(access[i], sizeof(access[i]), "0:%zu", i);
		gen_str(l, access[i]);
		lm[i] = M(names[i], cases[i].local, 0);
		km[i] = M(names[i], cases[i].kernel, 0);
	}
	s = gen_composite(l, BTF_KIND_UNION, false, "u", 64, lm, ARRAY_SIZE(cases));
	gen_composite(k, BTF_KIND_UNION, false, "u", 64, km, ARRAY_SIZE(cases));
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t exists = mov(&r, s, access[i], BPF_CORE_FIELD_EXISTS, 1);

		if (exists != cases[i].fits)
			FAIL("case %zu: %lld", i, (long long)exists);
	}
	rig_stop(&r);
}

TEST(memory_instructions_get_offsets)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s", 8, M("a", t.i32, 0), M("b", t.i32, 32));
	uint8_t codes[] = { BPF_LDX | BPF_MEM | BPF_W, BPF_STX | BPF_MEM | BPF_W,
			    BPF_ST | BPF_MEM | BPF_W, BPF_STX | BPF_ATOMIC | BPF_W };

	gen_struct(&r.k, "s", 32, M("b", t.i32, 160));
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		r.insns[0] = INSN(codes[i], 1, 2, 4, 7);
		CHECK_EQ(apply(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET), 0);
		CHECK_EQ(r.insns[0].code, codes[i]);
		CHECK_EQ(r.insns[0].off, 20);
		CHECK_EQ(r.insns[0].imm, 7);
		/* Not what the compiler wrote for this field. */
		r.insns[0] = INSN(codes[i], 1, 2, 8, 7);
		CHECK_EQ(apply(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET), -EINVAL);
		CHECK_EQ(r.insns[0].off, 8);
		/* Only an offset makes sense there. */
		r.insns[0] = INSN(codes[i], 1, 2, 4, 7);
		CHECK_EQ(apply(&r, s, "0:1", BPF_CORE_FIELD_BYTE_SIZE), -EINVAL);
	}
	rig_stop(&r);
}

TEST(offsets_of_memory_instructions_are_15_bits)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s", 8, M("a", t.i32, 0), M("b", t.i32, 32));

	gen_struct(&r.k, "s", 1 << 20, M("a", t.i32, 32764 * 8), M("b", t.i32, 32768 * 8));
	rig_start(&r);
	r.insns[0] = INSN_LDX_MEM(BPF_W, 1, 2, 0);
	CHECK_EQ(apply(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET), 0);
	CHECK_EQ(r.insns[0].off, 32764);
	r.insns[0] = INSN_LDX_MEM(BPF_W, 1, 2, 4);
	CHECK_EQ(apply(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET), -EINVAL);
	CHECK_HAS(rp.text, "32768 does not fit");
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), 32768);
	rig_stop(&r);
}

TEST(only_zero_extended_fields_change_their_size)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t p = gen_ref(&r.l, BTF_KIND_PTR, NULL, 0), s, one;
	static const struct {
		const char *access;
		uint8_t size, new_size; /* BPF_W, …; new 0xff: poison */
		int16_t off;
	} cases[] = {
		{ "0:0", BPF_DW, BPF_W, 0 }, { "0:1", BPF_W, BPF_DW, 8 },
		{ "0:2", BPF_W, BPF_B, 12 }, { "0:3", BPF_DW, 0xff, 16 },
		{ "0:4", BPF_W, 0xff, 24 },
	};

	s = gen_struct(&r.l, "s", 40, M("u", t.u64, 0), M("v", t.u32, 64), M("w", t.u32, 96),
		       M("i", t.i64, 128), M("x", t.i32, 192), M("p", p, 256));
	one = gen_struct(&r.l, "one", 4, M("a", gen_array(&r.l, t.u32, 1), 0));
	gen_struct(&r.k, "s", 40, M("u", t.u32, 0), M("v", t.u64, 64), M("w", t.u8, 128),
		   M("i", t.i32, 160), M("x", t.u64, 192),
		   M("p", gen_ref(&r.k, BTF_KIND_PTR, NULL, 0), 256));
	gen_struct(&r.k, "one", 24, M("a", gen_array(&r.k, t.u64, 3), 0));
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		r.insns[0] = INSN_LDX_MEM(cases[i].size, 1, 2, cases[i].off);
		CHECK_EQ(apply(&r, s, cases[i].access, BPF_CORE_FIELD_BYTE_OFFSET), 0);
		CHECK_EQ(is_poison(&r.insns[0]), cases[i].new_size == 0xff);
		if (cases[i].new_size != 0xff)
			CHECK_EQ(r.insns[0].code, BPF_LDX | BPF_MEM | cases[i].new_size);
		/* As an address all of them are fine. */
		CHECK(mov(&r, s, cases[i].access, BPF_CORE_FIELD_BYTE_OFFSET, cases[i].off) >= 0);
	}
	/* The instruction itself must have had the size of the field. */
	r.insns[0] = INSN_LDX_MEM(BPF_B, 1, 2, 0);
	CHECK_EQ(apply(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET), -EINVAL);
	/* An element is as good as a member; a whole array is no number. */
	r.insns[0] = INSN_LDX_MEM(BPF_W, 1, 2, 0);
	CHECK_EQ(apply(&r, one, "0:0:0", BPF_CORE_FIELD_BYTE_OFFSET), 0);
	CHECK_EQ(r.insns[0].code, BPF_LDX | BPF_MEM | BPF_DW);
	r.insns[0] = INSN_LDX_MEM(BPF_W, 1, 2, 0);
	CHECK_EQ(apply(&r, one, "0:0", BPF_CORE_FIELD_BYTE_OFFSET), 0);
	CHECK(is_poison(&r.insns[0]));
	rig_stop(&r);
}

TEST(constants_must_hold_what_the_object_says)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s", 8, M("a", t.i32, 0), M("b", t.i32, 32));

	gen_struct(&r.k, "s", 32, M("b", t.i32, 160));
	rig_start(&r);
	CHECK_EQ(mov(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 5), -EINVAL);
	CHECK_HAS(rp.text, "prog");
	CHECK_HAS(rp.text, "<byte_off>");
	CHECK_HAS(rp.text, "struct s.b (0:1)");
	CHECK_HAS(rp.text, "has 5 where");
	CHECK_STR(rp.prog, "prog");
	CHECK_EQ(rp.insn, 0);
	CHECK_EQ(load64(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 5), -EINVAL);
	CHECK_EQ(load64(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4), 20);
	CHECK_EQ(load64(&r, s, "0:1", BPF_CORE_FIELD_BYTE_OFFSET, 4 + (1ll << 32)), -EINVAL);
	CHECK_EQ(mov(&r, s, "0", BPF_CORE_TYPE_SIZE, 9), -EINVAL);
	CHECK_EQ(mov(&r, s, "0", BPF_CORE_TYPE_SIZE, 8), 32);
	rig_stop(&r);
}

TEST(refuses_instructions_that_hold_no_constant)
{
	struct rig r = {};
	struct ints t = gen_ints(&r);
	uint32_t s = gen_struct(&r.l, "s", 4, M("a", t.i32, 0));
	struct bpf_insn bad[] = {
		INSN_MOV64_REG(1, 2),
		INSN_EXIT(),
		INSN_CALL(1),
		INSN(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 0),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, 0),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0, 0),
	};
	struct ext_core relo = { 0, 0, 0, BPF_CORE_FIELD_BYTE_OFFSET };

	gen_struct(&r.k, "s", 4, M("a", t.i32, 0));
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(r.insns, 0, sizeof(r.insns));
		r.insns[0] = bad[i];
		CHECK_EQ(apply(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET), -EINVAL);
		CHECK(!memcmp(&r.insns[0], &bad[i], sizeof(bad[i])));
	}
	/* Half a 64-bit load: the program ends, or something else follows. */
	relo.type_id = s;
	relo.access_off = find_str(r.local, "0:0");
	memset(r.insns, 0, sizeof(r.insns));
	r.insns[3] = INSN(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0);
	CHECK_EQ(core_relocate(r.core, "p", r.insns, 4, 3, &relo, &rp), -EINVAL);
	r.insns[0] = INSN(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0);
	r.insns[1] = INSN_EXIT();
	CHECK_EQ(apply(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET), -EINVAL);
	CHECK_EQ(core_relocate(r.core, "p", r.insns, 4, 4, &relo, &rp), -EINVAL);
	relo.type_id = 1000;
	CHECK_EQ(core_relocate(r.core, "p", r.insns, 4, 0, &relo, &rp), -EINVAL);
	relo.type_id = s;
	relo.kind = 13;
	CHECK_EQ(core_relocate(r.core, "p", r.insns, 4, 0, &relo, &rp), -EOPNOTSUPP);
	rig_stop(&r);
}
