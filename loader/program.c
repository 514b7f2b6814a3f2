/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program - code sections as functions, ELF relocations as ours.
 *
 * A function symbol says where a function starts and how long it is. Those of
 * .text are subprograms, those of other sections programs, several to a section
 * if need be. What a relocation means is told by the instruction that it stands
 * on and by the section that its symbol lies in; its type in ELF adds nothing.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/vec.h"
#include "bpf/insn.h"
#include "loader/btf_ext.h"
#include "loader/parse.h"

enum { INSN_SIZE = sizeof(struct bpf_insn) };
_Static_assert(INSN_SIZE == 8, "the size that ELF offsets count in");

static bool is_code(const struct image_section *s)
{
	return s && s->type == SHT_PROGBITS && (s->flags & SHF_EXECINSTR) && s->data;
}

/* A function symbol in a section of code? */
static bool is_function(const struct parse *p, const struct image_symbol *sym)
{
	return sym->type == STT_FUNC && sym->shndx < SHN_LORESERVE &&
	       is_code(image_section(p->img, sym->shndx));
}

static int compare_symbols(const void *a, const void *b)
{
	const struct image_symbol *x = *(const struct image_symbol *const *)a;
	const struct image_symbol *y = *(const struct image_symbol *const *)b;

	if (x->shndx != y->shndx)
		return x->shndx < y->shndx ? -1 : 1;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return 0;
}

/* Instructions of the other byte order, for those who look at them. */
static void swap_insns(struct bpf_insn *insns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t regs = ((uint8_t *)&insns[i])[1];

		((uint8_t *)&insns[i])[1] = regs << 4 | regs >> 4;
		insns[i].off = __builtin_bswap16(insns[i].off);
		insns[i].imm = __builtin_bswap32(insns[i].imm);
	}
}

static int check_function(const struct parse *p, const struct image_symbol *sym,
			  const struct image_section *s)
{
	if (!*sym->name)
		return report(p->rp, -EBADMSG, "%s+0x%llx: a function without a name", s->name,
			      (unsigned long long)sym->value);
	if (sym->value % INSN_SIZE || sym->size % INSN_SIZE || !sym->size)
		return report(
			p->rp, -EBADMSG,
			"%s+0x%llx: function '%s' of %llu bytes is no whole number of instructions",
			s->name, (unsigned long long)sym->value, sym->name,
			(unsigned long long)sym->size);
	if (!range_fits(sym->value, sym->size, s->size))
		return report(p->rp, -EBADMSG,
			      "%s+0x%llx: function '%s' of %llu bytes ends behind the section",
			      s->name, (unsigned long long)sym->value, sym->name,
			      (unsigned long long)sym->size);
	if (sym->bind == STB_LOCAL && s->index != p->text_section)
		return report(
			p->rp, -EOPNOTSUPP,
			"function '%s' in section '%s' is static: a program must be global, a "
			"subprogram without SEC()",
			sym->name, s->name);
	return 0;
}

static int read_function(struct parse *p, const struct image_symbol *sym, struct function *fn)
{
	const struct image_section *s = image_section(p->img, sym->shndx);

	fn->name = strdup(sym->name);
	fn->section = parse_section_name(p, s->index);
	fn->insns = malloc(sym->size);
	if (!fn->name || !fn->section || !fn->insns)
		return -ENOMEM;
	fn->first = sym->value / INSN_SIZE;
	fn->n_insns = sym->size / INSN_SIZE;
	memcpy(fn->insns, (const char *)s->data + sym->value, sym->size);
	if (p->obj->foreign)
		swap_insns(fn->insns, fn->n_insns);
	fn->is_program = s->index != p->text_section;
	fn->is_global = sym->bind != STB_LOCAL && sym->visibility != STV_HIDDEN &&
			sym->visibility != STV_INTERNAL;
	if (p->obj->btf_ext)
		fn->ext = btf_ext_section(p->obj->btf_ext, s->name);
	return 0;
}

static void read_program(const struct parse *p, uint32_t function, struct program *prog)
{
	const struct function *fn = &p->obj->functions[function];
	bool off = fn->section[0] == '?';

	*prog = (struct program){
		.function = function,
		.name = fn->name,
		.section = fn->section + off,
		.autoload = !off,
	};
	prog->rule = section_find(prog->section, &prog->extra);
}

static int read_functions(struct parse *p, const struct image_symbol **syms, uint32_t n)
{
	struct object *obj = p->obj;

	for (uint32_t i = 0; i < n; i++) {
		const struct image_symbol *prev = i ? syms[i - 1] : NULL;
		const struct image_section *s = image_section(p->img, syms[i]->shndx);
		struct function *fn = &obj->functions[obj->n_functions];
		int r = check_function(p, syms[i], s);

		if (r < 0)
			return r;
		if (prev && prev->shndx == s->index && prev->value + prev->size > syms[i]->value) {
			/* Another name for the same: one is enough. Code may not be counted twice.
			 */
			if (prev->value == syms[i]->value && prev->size == syms[i]->size) {
				report_note(p->rp, REPORT_WARN,
					    "'%s' is another name for '%s', ignored", syms[i]->name,
					    prev->name);
				continue;
			}
			return report(p->rp, -EBADMSG,
				      "%s+0x%llx: function '%s' begins inside '%s'", s->name,
				      (unsigned long long)syms[i]->value, syms[i]->name,
				      prev->name);
		}
		p->function_sections[obj->n_functions++] = s->index;
		r = read_function(p, syms[i], fn);
		if (r < 0)
			return r;
		if (fn->is_program)
			read_program(p, obj->n_functions - 1, &obj->programs[obj->n_programs++]);
	}
	return 0;
}

int parse_functions(struct parse *p)
{
	_cleanup_free_ const struct image_symbol **syms = NULL;
	const struct image_section *text = image_section_by_name(p->img, ".text");
	uint32_t n = 0;

	if (is_code(text))
		p->text_section = text->index;
	syms = calloc(image_n_symbols(p->img) + 1, sizeof(*syms));
	if (!syms)
		return -ENOMEM;
	for (uint32_t i = 1; i < image_n_symbols(p->img); i++) {
		const struct image_symbol *sym = image_symbol(p->img, i);

		if (is_function(p, sym))
			syms[n++] = sym;
	}
	qsort(syms, n, sizeof(*syms), compare_symbols);
	p->obj->functions = calloc(n + 1, sizeof(*p->obj->functions));
	p->obj->programs = calloc(n + 1, sizeof(*p->obj->programs));
	p->function_sections = calloc(n + 1, sizeof(*p->function_sections));
	if (!p->obj->functions || !p->obj->programs || !p->function_sections)
		return -ENOMEM;
	return read_functions(p, syms, n);
}

/* First function at or behind @insn of @section. */
static uint32_t first_function(const struct parse *p, uint32_t section, uint64_t insn)
{
	uint32_t low = 0, high = p->obj->n_functions;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		uint32_t its = p->function_sections[mid];

		if (its < section || (its == section && p->obj->functions[mid].first < insn))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t parse_find_function(const struct parse *p, uint32_t section, uint64_t insn)
{
	uint32_t i = first_function(p, section, insn);

	if (i < p->obj->n_functions && p->function_sections[i] == section &&
	    p->obj->functions[i].first == insn)
		return i;
	return OBJECT_NO_INDEX;
}
