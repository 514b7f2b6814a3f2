/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reloc - what instructions and static map contents refer to, by index.
 *
 * What a relocation means is told by the instruction that it stands on and by
 * the section that its symbol lies in; its type in ELF adds nothing. What the
 * loader cannot give (externs, sections that it leaves alone) becomes a
 * relocation, too: only who loads that code has to care.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/vec.h"
#include "bpf/insn.h"
#include "loader/parse.h"

enum { INSN_SIZE = sizeof(struct bpf_insn), SLOT_SIZE = 8 };

typedef VEC(struct reloc) reloc_vec;

/* One relocation while it is turned. */
struct site {
	struct parse *p;
	const struct function *fn;
	uint32_t insn; /* in the function */
	const struct image_symbol *sym;
	uint32_t sym_index;
};

static int __attribute__((format(printf, 2, 3))) bad(const struct site *at, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(at->p->rp, -EBADMSG, "%s+0x%llx: function '%s', instruction %u: %s",
		      at->fn->section, ((unsigned long long)at->fn->first + at->insn) * INSN_SIZE,
		      at->fn->name, at->insn, text);
}

/* "'x'", or the section for a symbol that stands for one. */
static const char *symbol_name(const struct parse *p, const struct image_symbol *sym)
{
	const struct image_section *s = image_section(p->img, sym->shndx);

	return *sym->name ? sym->name : s && sym->shndx < SHN_LORESERVE ? s->name : "?";
}

static int to_extern(const struct site *at, struct reloc *ret)
{
	struct parse *p = at->p;
	struct object *obj = p->obj;
	struct extern_ref *ref;

	if (!p->symbol_externs) {
		uint32_t n = image_n_symbols(p->img);

		p->symbol_externs = calloc(n, sizeof(*p->symbol_externs));
		/* As many as there are symbols, and most pages of it never touched. */
		obj->externs = calloc(n, sizeof(*obj->externs));
		if (!p->symbol_externs || !obj->externs)
			return -ENOMEM;
	}
	if (!p->symbol_externs[at->sym_index]) {
		ref = &obj->externs[obj->n_externs++];
		p->symbol_externs[at->sym_index] = obj->n_externs;
		ref->name = strdup(symbol_name(p, at->sym));
		ref->is_weak = at->sym->bind == STB_WEAK;
		if (!ref->name)
			return -ENOMEM;
		if (at->sym->shndx != SHN_UNDEF && at->sym->shndx < SHN_LORESERVE) {
			ref->section = parse_section_name(p, at->sym->shndx);
			if (!ref->section)
				return -ENOMEM;
		}
	}
	*ret = (struct reloc){
		.kind = RELOC_EXTERN,
		.insn = at->insn,
		.index = p->symbol_externs[at->sym_index] - 1,
	};
	return 0;
}

/* Byte @offset of .text is where a function should start. */
static int to_function(const struct site *at, enum reloc_kind kind, int64_t offset,
		       struct reloc *ret)
{
	uint32_t function = OBJECT_NO_INDEX;

	if (offset >= 0 && offset % INSN_SIZE == 0)
		function = parse_find_function(at->p, at->p->text_section, offset / INSN_SIZE);
	if (function == OBJECT_NO_INDEX)
		return bad(at, "no function starts at .text%+lld, which it %s", (long long)offset,
			   kind == RELOC_CALL ? "calls" : "takes the address of");
	*ret = (struct reloc){ .kind = kind, .insn = at->insn, .index = function };
	return 0;
}

static int relocate_call(const struct site *at, struct reloc *ret)
{
	const struct bpf_insn *insn = &at->fn->insns[at->insn];

	if (!insn_is_subprog_call(insn))
		return bad(at, "a call of '%s' that is no call of a function",
			   symbol_name(at->p, at->sym));
	if (at->sym->shndx == SHN_UNDEF)
		return to_extern(at, ret);
	if (!at->p->text_section || at->sym->shndx != at->p->text_section)
		return bad(at, "calls '%s', which is not a function without SEC()",
			   symbol_name(at->p, at->sym));
	if (at->sym->value > INT32_MAX)
		return bad(at, "symbol '%s' lies behind .text", symbol_name(at->p, at->sym));
	return to_function(at, RELOC_CALL,
			   (int64_t)at->sym->value + ((int64_t)insn->imm + 1) * INSN_SIZE, ret);
}

/* The map of .maps that starts at @offset, or OBJECT_NO_INDEX. */
static uint32_t find_place(const struct parse *p, uint64_t offset, bool inside)
{
	uint32_t low = 0, high = p->n_places;

	/* the first that ends behind @offset */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (p->places[mid].offset + p->places[mid].size <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == p->n_places || p->places[low].offset > offset)
		return OBJECT_NO_INDEX;
	return inside || p->places[low].offset == offset ? low : OBJECT_NO_INDEX;
}

static int relocate_map(const struct site *at, int64_t offset, struct reloc *ret)
{
	uint32_t map = offset < 0 ? OBJECT_NO_INDEX : find_place(at->p, offset, false);

	if (map == OBJECT_NO_INDEX)
		return bad(at, "no map starts at .maps%+lld, which it uses", (long long)offset);
	*ret = (struct reloc){ .kind = RELOC_MAP, .insn = at->insn, .index = map };
	return 0;
}

static int relocate_load(const struct site *at, struct reloc *ret)
{
	const struct bpf_insn *insn = &at->fn->insns[at->insn];
	const struct image_symbol *sym = at->sym;
	const struct parse *p = at->p;
	int64_t offset = (int64_t)sym->value + insn->imm;

	if (sym->shndx == SHN_UNDEF || sym->shndx >= SHN_LORESERVE)
		return to_extern(at, ret);
	if (sym->value > INT32_MAX)
		return bad(at, "symbol '%s' lies at 0x%llx, behind every section",
			   symbol_name(p, sym), (unsigned long long)sym->value);
	if (sym->shndx == p->maps_section)
		return relocate_map(at, offset, ret);
	if (sym->shndx == p->text_section)
		return to_function(at, RELOC_FUNC, offset, ret);
	if (p->data_maps[sym->shndx] == OBJECT_NO_INDEX)
		return to_extern(at, ret);
	/*
	 * Not compared with the section's size: a user may make the map larger, and
	 * the kernel compares anyway.
	 */
	if (offset < 0 || offset > UINT32_MAX)
		return bad(at, "offset %lld from '%s' is before its section", (long long)offset,
			   symbol_name(p, sym));
	*ret = (struct reloc){
		.kind = RELOC_DATA,
		.insn = at->insn,
		.index = p->data_maps[sym->shndx],
		.offset = offset,
	};
	return 0;
}

/* A call that the compiler has resolved itself, inside .text. */
static int relocate_near_call(const struct site *at, struct reloc *ret)
{
	int64_t target = (int64_t)at->fn->first + at->insn + at->fn->insns[at->insn].imm + 1;

	if (at->fn->is_program)
		return bad(
			at,
			"calls a function of its own section: a subprogram must not have a SEC()");
	return to_function(at, RELOC_CALL, target * INSN_SIZE, ret);
}

static int relocate_insn(struct site *at, const struct image_reloc *elf, reloc_vec *out)
{
	const struct bpf_insn *insn = &at->fn->insns[at->insn];
	struct reloc reloc;
	int r;

	if (elf) {
		at->sym_index = elf->symbol;
		at->sym = image_symbol(at->p->img, elf->symbol);
	}
	if (elf && insn_is_ldimm64(insn))
		r = relocate_load(at, &reloc);
	else if (elf && insn->code == (BPF_JMP | BPF_CALL))
		r = relocate_call(at, &reloc);
	else if (elf)
		r = bad(at, "a relocation on an instruction (code 0x%02x) that has no room for it",
			insn->code);
	else if (insn_is_subprog_call(insn))
		r = relocate_near_call(at, &reloc);
	else
		return 0;
	return r ? r : vec_push(out, reloc);
}

/*
 * Walks instructions and relocations side by side. @relocs are those of the
 * section from the first at or behind the function's start.
 */
static int relocate_function(struct parse *p, struct function *fn, const struct image_reloc *relocs,
			     uint32_t n_relocs, reloc_vec *out)
{
	struct site at = { .p = p, .fn = fn };
	uint32_t next = 0;

	while (at.insn < fn->n_insns) {
		uint64_t offset = ((uint64_t)fn->first + at.insn) * INSN_SIZE;
		uint32_t width = insn_is_ldimm64(&fn->insns[at.insn]) ? 2 : 1;
		const struct image_reloc *here = NULL;
		int r;

		if (at.insn + width > fn->n_insns)
			return bad(&at, "a 64-bit load without its second half");
		if (next < n_relocs && relocs[next].offset == offset)
			here = &relocs[next++];
		r = relocate_insn(&at, here, out);
		if (r < 0)
			return r;
		if (next < n_relocs && relocs[next].offset < offset + width * INSN_SIZE)
			return bad(&at,
				   "a relocation at +0x%llx, which is not the start of an "
				   "instruction, "
				   "or a second one",
				   (unsigned long long)relocs[next].offset);
		at.insn += width;
	}
	return 0;
}

static uint32_t first_reloc(const struct image_reloc *relocs, uint32_t n, uint64_t offset)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (relocs[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int relocate_code(struct parse *p)
{
	for (uint32_t i = 0; i < p->obj->n_functions; i++) {
		struct function *fn = &p->obj->functions[i];
		const struct image_reloc *relocs;
		reloc_vec out = {};
		uint32_t n, first;
		int r;

		relocs = image_relocs(p->img, p->function_sections[i], &n);
		first = first_reloc(relocs, n, (uint64_t)fn->first * INSN_SIZE);
		r = relocate_function(p, fn, relocs ? relocs + first : NULL, n - first, &out);
		fn->relocs = out.data;
		fn->n_relocs = out.len;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Programs stand in the order of their functions. */
static uint32_t find_program(const struct object *obj, uint32_t function)
{
	uint32_t low = 0, high = obj->n_programs;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (obj->programs[mid].function < function)
			low = mid + 1;
		else
			high = mid;
	}
	return low < obj->n_programs && obj->programs[low].function == function ? low
										: OBJECT_NO_INDEX;
}

/* What a slot holds: a map, or a program of a program array. */
static int find_content(const struct parse *p, const struct map_def *def,
			const struct image_symbol *sym, uint64_t offset, uint32_t *ret)
{
	*ret = OBJECT_NO_INDEX;
	if (sym->shndx >= SHN_LORESERVE || sym->shndx == SHN_UNDEF)
		return -ENOENT;
	if (def->params.type == BPF_MAP_TYPE_PROG_ARRAY)
		*ret = find_program(p->obj, parse_find_function(p, sym->shndx, offset / INSN_SIZE));
	else if (sym->shndx == p->maps_section)
		*ret = find_place(p, offset, false);
	return *ret == OBJECT_NO_INDEX ? -ENOENT : 0;
}

static int fill_slot(struct parse *p, const struct image_reloc *elf)
{
	const struct image_symbol *sym = image_symbol(p->img, elf->symbol);
	const struct image_section *maps = image_section(p->img, p->maps_section);
	uint32_t map = find_place(p, elf->offset, true), index;
	uint64_t at, addend = 0;
	struct map_def *def;
	struct map_slot *slots;

	if (map == OBJECT_NO_INDEX)
		return report(p->rp, -EBADMSG, ".maps+0x%llx: a relocation outside of all maps",
			      (unsigned long long)elf->offset);
	def = &p->obj->maps[map];
	at = elf->offset - p->places[map].offset;
	if (at < p->places[map].values || (at - p->places[map].values) % SLOT_SIZE)
		return report(p->rp, -EBADMSG,
			      ".maps+0x%llx: map '%s' refers to '%s' outside of its 'values'",
			      (unsigned long long)elf->offset, def->name, symbol_name(p, sym));
	if (sym->type == STT_SECTION && range_fits(elf->offset, sizeof(addend), maps->size) &&
	    maps->data)
		memcpy(&addend, (const char *)maps->data + elf->offset, sizeof(addend));
	if (p->obj->foreign)
		addend = __builtin_bswap64(addend);
	if (find_content(p, def, sym, sym->value + addend, &index) < 0)
		return report(p->rp, -EBADMSG, "map '%s' holds '%s' in slot %llu, which is no %s",
			      def->name, symbol_name(p, sym),
			      (unsigned long long)(at - p->places[map].values) / SLOT_SIZE,
			      def->params.type == BPF_MAP_TYPE_PROG_ARRAY ? "program" : "map");
	/* Powers of two: the array grows when its length is one. */
	if (!(def->n_slots & (def->n_slots - 1))) {
		slots = reallocarray(def->slots, def->n_slots ? def->n_slots * 2 : 1,
				     sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		def->slots = slots;
	}
	def->slots[def->n_slots++] = (struct map_slot){
		.slot = (at - p->places[map].values) / SLOT_SIZE,
		.index = index,
	};
	return 0;
}

int parse_relocs(struct parse *p)
{
	const struct image_reloc *relocs;
	uint32_t n;
	int r = relocate_code(p);

	if (r < 0 || !p->maps_section)
		return r;
	relocs = image_relocs(p->img, p->maps_section, &n);
	for (uint32_t i = 0; i < n; i++) {
		r = fill_slot(p, &relocs[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
