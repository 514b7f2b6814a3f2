/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE: relocations, the object's types, and the kernel's, which are the same
 * but for some bytes of their description.
 *
 *	relocations	a count, then for each: kind, type, path, an instruction pair
 *	edits		a count, then for each: where and what
 *	types		the rest: types.h
 */
#include <errno.h>

#include "base/bits.h"
#include "base/str.h"
#include "bpf/insn.h"
#include "loader/core.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/types.h"

enum { MAX_RELOS = 16, MAX_EDITS = 16, MAX_TYPES_BYTES = 4096, N_INSNS = 3 };

struct relo {
	struct ext_core core;
	struct bpf_insn insns[N_INSNS];
	uint32_t insn;
};

static uint32_t take_path(struct input *in, struct btf_gen *g)
{
	static const char *const odd[] = { "",		 ":",	 "0:",	       "x",
					   "4294967296", "0:-1", "1073741824", "0::0" };
	_cleanup_str_ struct str path = {};
	uint8_t n = take_u8(in);

	if (n >= 0xf0)
		return gen_str(g, odd[n % ARRAY_SIZE(odd)]);
	for (unsigned i = 0; i <= n % 6; i++)
		str_printf(&path, "%s%u", i ? ":" : "", i ? take_u8(in) & 31 : n >> 7);
	return gen_str(g, str_text(&path));
}

static void take_insns(struct input *in, struct relo *relo)
{
	static const uint8_t codes[] = {
		BPF_ALU64 | BPF_MOV | BPF_K,
		BPF_ALU | BPF_ADD | BPF_K,
		BPF_LD | BPF_IMM | BPF_DW,
		BPF_LDX | BPF_MEM | BPF_W,
		BPF_LDX | BPF_MEM | BPF_DW,
		BPF_LDX | BPF_MEM | BPF_B,
		BPF_STX | BPF_MEM | BPF_H,
		BPF_ST | BPF_MEM | BPF_W,
		BPF_JMP | BPF_CALL,
		BPF_ALU64 | BPF_MOV | BPF_X,
		BPF_LDX | 0x80 /* MEMSX */ | BPF_W,
	};
	uint8_t code = take_u8(in);

	relo->insns[0].code = code < 0xc0 ? codes[code % ARRAY_SIZE(codes)] : code;
	relo->insns[0].dst_reg = take_u8(in) % 11;
	relo->insns[0].src_reg = take_u8(in) & 1;
	relo->insns[0].imm = take_u8(in);
	relo->insns[0].off = relo->insns[0].imm & 0x7f;
	/* At the end it would need an instruction that is not there. */
	relo->insn = code % 7 == 6 ? N_INSNS - 1 : 0;
	if (relo->insn)
		relo->insns[relo->insn] = relo->insns[0];
}

static struct btf *kernel_of(const struct input *types, struct input *in)
{
	uint8_t bytes[MAX_TYPES_BYTES];
	size_t len = MIN(input_left(types), sizeof(bytes));
	struct input edited = INPUT(bytes, len);
	struct btf_gen g = {};

	memcpy(bytes, types->pos, len);
	for (unsigned i = take_u8(in) % (MAX_EDITS + 1); i; i--) {
		uint16_t at = take_u16(in);
		uint8_t to = take_u8(in);

		if (len)
			bytes[at % len] = to;
	}
	types_add(&g, &edited);
	return types_finish(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(btf_unrefp) struct btf *local = NULL, *kernel = NULL;
	_cleanup_(core_freep) struct core *core = NULL;
	struct input in = INPUT(data, size), edits, types;
	struct relo relos[MAX_RELOS] = {};
	struct btf_gen g = {};
	unsigned n = take_u8(&in) % (MAX_RELOS + 1);

	for (unsigned i = 0; i < n; i++) {
		relos[i].core.kind = take_u8(&in) % 14;
		relos[i].core.type_id = take_u8(&in) % (TYPES_MAX + 1);
		relos[i].core.access_off = take_path(&in, &g);
		take_insns(&in, &relos[i]);
	}
	edits = in;
	edits = take_part(&in, 1 + take_u8(&edits) % (MAX_EDITS + 1) * 3);
	types = in;
	types_add(&g, &in);
	local = types_finish(&g);
	kernel = kernel_of(&types, &edits);
	if (!local || !kernel)
		return 0;
	core = core_new(local, NULL, kernel);
	REQUIRE(core);
	for (unsigned i = 0; i < n; i++) {
		struct report rp = REPORT_INIT(NULL, NULL);
		char text[128];

		core_describe(local, &relos[i].core, text, sizeof(text));
		REQUIRE(memchr(text, '\0', sizeof(text)));
		require_sentence(core_relocate(core, "prog", relos[i].insns, N_INSNS, relos[i].insn,
					       &relos[i].core, &rp),
				 &rp);
	}
	return 0;
}
