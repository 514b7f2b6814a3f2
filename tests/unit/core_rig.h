/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * core_rig - an object's types and a made-up kernel's, and instructions between them.
 *
 *	struct rig r = {};
 *	struct ints t = gen_ints(&r);
 *	uint32_t s = gen_struct(&r.l, "task", 4, M("pid", t.i32, 0));
 *	gen_struct(&r.k, "task", 24, M("state", t.u64, 0), M("pid", t.i32, 64));
 *	rig_start(&r);
 *	CHECK_EQ(mov(&r, s, "0:0", BPF_CORE_FIELD_BYTE_OFFSET, 0), 8);
 *	rig_stop(&r);
 *
 * Access strings that are not usual are added with gen_str() before rig_start().
 */
#include "base/bits.h"
#include "bpf/insn.h"
#include "loader/btf.h"
#include "loader/core.h"
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

static inline struct btf *finish(struct btf_gen *g, struct btf *base)
{
	struct btf *btf = NULL;

	gen_finish(g);
	if (btf_parse(str_text(&g->blob), g->blob.len, "test", base, &rp, &btf) < 0)
		FAIL("%s", rp.text);
	return btf;
}

static inline void rig_start(struct rig *r)
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

static inline void rig_stop(struct rig *r)
{
	core_free(r->core);
	btf_unref(r->local);
	btf_unref(r->kernel);
	gen_deinit(&r->l);
	gen_deinit(&r->k);
}

/* Any string that is in the object's table; put there by gen_str(). */
static inline uint32_t find_str(const struct btf *btf, const char *text)
{
	for (uint32_t off = 0; btf_has_str(btf, off); off++)
		if (!strcmp(btf_str(btf, off), text))
			return off;
	FAIL("\"%s\" is not in the strings", text);
}

static inline int apply(struct rig *r, uint32_t type, const char *access, uint32_t kind)
{
	struct ext_core relo = { 0, type, find_str(r->local, access), kind };

	return core_relocate(r->core, "prog", r->insns, ARRAY_SIZE(r->insns), 0, &relo, &rp);
}

static inline bool is_poison(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->imm == CORE_POISON_CALL &&
	       !insn->dst_reg && !insn->src_reg && !insn->off;
}

/* What "r1 = old" becomes: the new constant, POISONED, or -errno. */
static inline int64_t mov(struct rig *r, uint32_t type, const char *access, uint32_t kind,
			  int32_t old)
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
static inline int64_t load64(struct rig *r, uint32_t type, const char *access, uint32_t kind,
			     int64_t old)
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

static inline struct ints gen_ints(struct rig *r)
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
