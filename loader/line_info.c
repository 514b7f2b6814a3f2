/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/line_info.h"

#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"
#include "loader/btf_ext.h"

typedef VEC(struct bpf_func_info) func_vec;
typedef VEC(struct bpf_line_info) line_vec;

/* Index of the first function record at or behind @insn of the section. */
static uint32_t first_func(const struct ext_section *ext, uint32_t insn)
{
	uint32_t low = 0, high = ext->n_funcs;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (ext->funcs[mid].insn < insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint32_t first_line(const struct ext_section *ext, uint32_t insn)
{
	uint32_t low = 0, high = ext->n_lines;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (ext->lines[mid].insn < insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* -ENOENT if nothing is said of it. */
static int add_func(const struct function *fn, uint32_t at, func_vec *out)
{
	uint32_t i = fn->ext ? first_func(fn->ext, fn->first) : 0;

	if (!fn->ext || i == fn->ext->n_funcs || fn->ext->funcs[i].insn != fn->first)
		return -ENOENT;
	return vec_push(out, ((struct bpf_func_info){
				     .insn_off = at,
				     .type_id = fn->ext->funcs[i].type_id,
			     }));
}

/* -ENOENT if the first instruction has no line. */
static int add_lines(const struct function *fn, uint32_t at, line_vec *out)
{
	const struct ext_section *ext = fn->ext;
	uint32_t i = ext ? first_line(ext, fn->first) : 0;

	if (!ext || i == ext->n_lines || ext->lines[i].insn != fn->first)
		return -ENOENT;
	for (; i < ext->n_lines && ext->lines[i].insn - fn->first < fn->n_insns; i++) {
		const struct ext_line *line = &ext->lines[i];
		struct bpf_line_info info = {
			.insn_off = at + line->insn - fn->first,
			.file_name_off = line->file_name_off,
			.line_off = line->line_off,
			.line_col = line->line_col,
		};
		int r;

		/* Offsets must grow, and stand on whole instructions. */
		if (out->len && out->data[out->len - 1].insn_off == info.insn_off)
			continue;
		if (!fn->insns[line->insn - fn->first].code)
			continue;
		r = vec_push(out, info);
		if (r < 0)
			return r;
	}
	return 0;
}

static int build_funcs(const struct object *obj, const struct layout *l, struct report *rp,
		       func_vec *out)
{
	for (uint32_t i = 0; i < l->n_pieces; i++) {
		const struct function *fn = &obj->functions[l->pieces[i].function];
		int r = add_func(fn, l->pieces[i].at, out);

		if (r == -ENOENT && i == 0)
			return r;
		if (r == -ENOENT)
			return report(
				rp, -EBADMSG,
				".BTF.ext says nothing of function '%s', but of program '%s', "
				"which calls it",
				fn->name, obj->functions[l->pieces[0].function].name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int build_lines(const struct object *obj, const struct layout *l, line_vec *out)
{
	for (uint32_t i = 0; i < l->n_pieces; i++) {
		int r = add_lines(&obj->functions[l->pieces[i].function], l->pieces[i].at, out);

		if (r < 0)
			return r;
	}
	return 0;
}

int line_info_build(const struct object *obj, const struct layout *l, struct report *rp,
		    struct prog_code *ret)
{
	func_vec funcs = {};
	line_vec lines = {};
	int r = build_funcs(obj, l, rp, &funcs);

	if (!r)
		r = build_lines(obj, l, &lines);
	if (r == -ENOENT) {
		/* Half of the lines are no use to the kernel. */
		lines.len = 0;
		r = 0;
	}
	ret->funcs = funcs.data;
	ret->n_funcs = funcs.len;
	ret->lines = lines.data;
	ret->n_lines = lines.len;
	return r;
}
