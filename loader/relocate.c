/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/relocate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "bpf/insn.h"
#include "loader/btf_ext.h"
#include "loader/core.h"
#include "loader/line_info.h"
#include "loader/subprog.h"

typedef VEC(struct poisoned) poisoned_vec;

struct relocation {
	const struct object *obj;
	const char *prog; /* name, for sentences */
	const int *map_fds;
	struct core *core;
	struct report *rp;
	struct layout layout;
	struct bpf_insn *insns;
};

static int apply_core(const struct relocation *rel, const struct piece *piece,
		      const struct ext_core *relo, poisoned_vec *poisoned)
{
	const struct function *fn = &rel->obj->functions[piece->function];
	uint32_t insn = relo->insn - fn->first;
	struct bpf_insn *insns = rel->insns + piece->at;
	int r;

	if (!rel->core)
		return report(rel->rp, -EINVAL, "program '%s' has CO-RE relocations without types",
			      rel->prog);
	r = core_relocate(rel->core, fn->name, insns, fn->n_insns, insn, relo, rel->rp);
	if (r < 0)
		return r;
	if (insn_is_helper_call(&insns[insn]) && insns[insn].imm == CORE_POISON_CALL)
		return vec_push(poisoned, ((struct poisoned){ piece->at + insn, relo }));
	return 0;
}

static int apply_cores(const struct relocation *rel, const struct piece *piece,
		       poisoned_vec *poisoned)
{
	const struct function *fn = &rel->obj->functions[piece->function];
	uint32_t low = 0, high = fn->ext ? fn->ext->n_cores : 0, n = high;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (fn->ext->cores[mid].insn < fn->first)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < n && fn->ext->cores[low].insn - fn->first < fn->n_insns; low++) {
		int r = apply_core(rel, piece, &fn->ext->cores[low], poisoned);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The verifier names this helper if it can get here, and we the map. */
static void poison_map(struct bpf_insn *insn, uint32_t map)
{
	insn[0] = INSN_CALL(RELOC_POISON_MAP + map);
	insn[1] = insn[0];
}

static int refuse_extern(const struct relocation *rel, const struct function *fn,
			 const struct reloc *reloc)
{
	const struct extern_ref *ref = &rel->obj->externs[reloc->index];

	if (ref->section)
		return report(rel->rp, -EOPNOTSUPP,
			      "program '%s': function '%s', instruction %u uses '%s' of section "
			      "'%s', which this loader does not load",
			      rel->prog, fn->name, reloc->insn, ref->name, ref->section);
	return report(rel->rp, -EOPNOTSUPP,
		      "program '%s': function '%s', instruction %u uses the extern '%s', and this "
		      "loader does not resolve externs",
		      rel->prog, fn->name, reloc->insn, ref->name);
}

static int apply_reloc(const struct relocation *rel, const struct piece *piece,
		       const struct reloc *reloc)
{
	uint32_t at = piece->at + reloc->insn;
	struct bpf_insn *insn = &rel->insns[at];
	bool is_map = reloc->kind == RELOC_MAP || reloc->kind == RELOC_DATA;

	if (is_map && rel->map_fds[reloc->index] < 0) {
		poison_map(insn, reloc->index);
		return 0;
	}
	switch (reloc->kind) {
	case RELOC_MAP:
		insn[0].src_reg = BPF_PSEUDO_MAP_FD;
		insn[0].imm = rel->map_fds[reloc->index];
		insn[1].imm = 0;
		return 0;
	case RELOC_DATA:
		insn[0].src_reg = BPF_PSEUDO_MAP_VALUE;
		insn[0].imm = rel->map_fds[reloc->index];
		insn[1].imm = reloc->offset;
		return 0;
	case RELOC_CALL:
	case RELOC_FUNC: {
		uint32_t callee = rel->layout.position[reloc->index] - 1;

		/* Both count from the next instruction. */
		insn[0].imm = (int32_t)(rel->layout.pieces[callee].at - at - 1);
		if (reloc->kind == RELOC_CALL)
			return 0;
		insn[0].src_reg = BPF_PSEUDO_FUNC;
		insn[1].imm = 0;
		return 0;
	}
	case RELOC_EXTERN:
		break;
	}
	return refuse_extern(rel, &rel->obj->functions[piece->function], reloc);
}

static int build_piece(const struct relocation *rel, const struct piece *piece,
		       poisoned_vec *poisoned)
{
	const struct function *fn = &rel->obj->functions[piece->function];
	int r;

	memcpy(rel->insns + piece->at, fn->insns, (size_t)fn->n_insns * sizeof(*fn->insns));
	r = apply_cores(rel, piece, poisoned);
	for (uint32_t i = 0; !r && i < fn->n_relocs; i++)
		r = apply_reloc(rel, piece, &fn->relocs[i]);
	return r;
}

int relocate_program(const struct object *obj, uint32_t prog, const int *map_fds, struct core *core,
		     struct report *rp, struct prog_code *ret)
{
	struct relocation rel = {
		.obj = obj,
		.prog = obj->programs[prog].name,
		.map_fds = map_fds,
		.core = core,
		.rp = rp,
	};
	_cleanup_(prog_code_deinit) struct prog_code code = {};
	poisoned_vec poisoned = {};
	int r = layout_init(&rel.layout, obj, prog, rp);

	if (!r) {
		code.n_insns = rel.layout.n_insns;
		code.insns = calloc(code.n_insns, sizeof(*code.insns));
		rel.insns = code.insns;
		r = code.insns ? 0 : -ENOMEM;
	}
	for (uint32_t i = 0; !r && i < rel.layout.n_pieces; i++)
		r = build_piece(&rel, &rel.layout.pieces[i], &poisoned);
	code.poisoned = poisoned.data;
	code.n_poisoned = poisoned.len;
	if (!r)
		r = line_info_build(obj, &rel.layout, rp, &code);
	layout_deinit(&rel.layout);
	if (r < 0)
		return r == -ENOMEM ? report(rp, r, "out of memory") : r;
	*ret = code;
	code = (struct prog_code){};
	return 0;
}

void prog_code_deinit(struct prog_code *code)
{
	free(code->insns);
	free(code->funcs);
	free(code->lines);
	free(code->poisoned);
	*code = (struct prog_code){};
}
