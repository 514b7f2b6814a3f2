/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/core.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "bpf/insn.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"
#include "tests/fake/sys.h"
#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

enum { POISONED = -9999 };

static struct report rp = REPORT_INIT(NULL, NULL);

/* An object's types, a made-up kernel's, and room for an instruction. */
struct rig {
	struct btf_gen l, k;
	struct btf *local, *kernel;
	struct core *core;
	struct bpf_insn insns[4];
};

static struct btf *finish(struct btf_gen *g, struct btf *base)
{
	struct btf *btf = NULL;

	gen_finish(g);
	if (btf_parse(str_text(&g->blob), g->blob.len, "test", base, &rp, &btf) < 0)
		FAIL("%s", rp.text);
	return btf;
}

static void rig_start(struct rig *r)
{
	static const char *const usual[] = {
		"0",   "1",   "2",     "0:0",	"0:1",	 "0:2",
		"0:3", "0:4", "0:0:0", "0:0:1", "0:1:0", "0:1:5",
	};

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		gen_str(&r->l, usual[i]);
	r->local = finish(&r->l, NULL);
	r->kernel = finish(&r->k, NULL);
	r->core = core_new(r->local, NULL, r->kernel);
	CHECK(r->core);
}

static void rig_stop(struct rig *r)
{
	core_free(r->core);
	btf_unref(r->local);
	btf_unref(r->kernel);
	gen_deinit(&r->l);
	gen_deinit(&r->k);
}

/* Any string that is in the object's table; put there by gen_str(). */
static uint32_t find_str(const struct btf *btf, const char *text)
{
	for (uint32_t off = 0; btf_has_str(btf, off); off++)
		if (!strcmp(btf_str(btf, off), text))
			return off;
	FAIL("\"%s\" is not in the strings", text);
}

static int apply(struct rig *r, uint32_t type, const char *access, uint32_t kind)
{
	struct ext_core relo = { 0, type, find_str(r->local, access), kind };

	return core_relocate(r->core, "prog", r->insns, ARRAY_SIZE(r->insns), 0, &relo, &rp);
}

static bool is_poison(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->imm == CORE_POISON_CALL &&
	       !insn->dst_reg && !insn->src_reg && !insn->off;
}

/* What "r1 = old" becomes: the new constant, POISONED, or -errno. */
static int64_t mov(struct rig *r, uint32_t type, const char *access, uint32_t kind, int32_t old)
{
	int err;

	r->insns[0] = INSN_MOV64_IMM(1, old);
	err = apply(r, type, access, kind);
	if (err < 0)
		return err;
	if (is_poison(&r->insns[0]))
		return POISONED;
	CHECK_EQ(r->insns[0].code, BPF_ALU64 | BPF_MOV | BPF_K);
	CHECK_EQ(r->insns[0].dst_reg, 1);
	return r->insns[0].imm;
}

/* The same of a 64-bit load. */
static int64_t load64(struct rig *r, uint32_t type, const char *access, uint32_t kind, int64_t old)
{
	struct bpf_insn load[] = { INSN_LD_IMM64(1, 0, (int32_t)old, (int32_t)(old >> 32)) };
	int err;

	memcpy(r->insns, load, sizeof(load));
	err = apply(r, type, access, kind);
	if (err < 0)
		return err;
	if (is_poison(&r->insns[0])) {
		CHECK(is_poison(&r->insns[1]));
		return POISONED;
	}
	return (uint32_t)r->insns[0].imm | (uint64_t)(uint32_t)r->insns[1].imm << 32;
}

/* Some integers on both sides; the ids are the same there. */
struct ints {
	uint32_t i32, u32, u64, i64, u8, u16, c;
};

static struct ints gen_ints(struct rig *r)
{
	struct ints t = {};

	for (int i = 0; i < 2; i++) {
		struct btf_gen *g = i ? &r->k : &r->l;

		t.i32 = gen_int(g, "int", 4, BTF_INT_SIGNED);
		t.u32 = gen_int(g, "unsigned int", 4, 0);
		t.u64 = gen_int(g, "unsigned long", 8, 0);
		t.i64 = gen_int(g, "long", 8, BTF_INT_SIGNED);
		t.u8 = gen_int(g, "unsigned char", 1, 0);
		t.u16 = gen_int(g, "unsigned short", 2, 0);
		t.c = gen_int(g, "char", 1, BTF_INT_SIGNED);
	}
	return t;
}

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
