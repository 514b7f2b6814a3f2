/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datasec - where variables lie, which compilers leave to the linker.
 *
 * clang writes a DATASEC with size 0, and 0 for the offset of each variable that
 * has a symbol; both are in the ELF file. So is a symbol's visibility: a hidden
 * function or variable counts as static, which has the verifier check a function
 * in the context of its callers, and keeps a variable to the BPF side.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "loader/btf.h"
#include "loader/btf_edit.h"
#include "loader/parse.h"

/* Sections and symbols by name, so that many of them do not make looking slow. */
struct names {
	const struct image_section **sections;
	uint32_t n_sections;
	const struct image_symbol **symbols; /* functions and variables that are not local */
	uint32_t n_symbols;
};

static void names_deinit(struct names *n)
{
	free(n->sections);
	free(n->symbols);
}

static int compare_sections(const void *a, const void *b)
{
	const struct image_section *x = *(const struct image_section *const *)a;
	const struct image_section *y = *(const struct image_section *const *)b;
	int r = strcmp(x->name, y->name);

	return r ? r : x->index < y->index ? -1 : x->index > y->index;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct image_symbol *x = *(const struct image_symbol *const *)a;
	const struct image_symbol *y = *(const struct image_symbol *const *)b;

	return strcmp(x->name, y->name);
}

static bool is_candidate(const struct image_symbol *sym)
{
	return sym->bind != STB_LOCAL && *sym->name && sym->shndx != SHN_UNDEF &&
	       sym->shndx < SHN_LORESERVE;
}

static int names_init(struct names *n, const struct image *img)
{
	uint32_t n_sections = image_n_sections(img), n_symbols = image_n_symbols(img);

	n->sections = calloc(n_sections + 1, sizeof(*n->sections));
	n->symbols = calloc(n_symbols + 1, sizeof(*n->symbols));
	if (!n->sections || !n->symbols)
		return -ENOMEM;
	for (uint32_t i = 1; i < n_sections; i++) {
		const struct image_section *s = image_section(img, i);

		if (s->flags & SHF_ALLOC)
			n->sections[n->n_sections++] = s;
	}
	for (uint32_t i = 1; i < n_symbols; i++) {
		const struct image_symbol *sym = image_symbol(img, i);

		if (is_candidate(sym))
			n->symbols[n->n_symbols++] = sym;
	}
	qsort(n->sections, n->n_sections, sizeof(*n->sections), compare_sections);
	qsort(n->symbols, n->n_symbols, sizeof(*n->symbols), compare_symbols);
	return 0;
}

static const struct image_section *find_section(const struct names *n, const char *name)
{
	uint32_t low = 0, high = n->n_sections;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (strcmp(n->sections[mid]->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < n->n_sections && !strcmp(n->sections[low]->name, name))
		return n->sections[low];
	return NULL;
}

static const struct image_symbol *find_symbol(const struct names *n, const char *name)
{
	struct image_symbol key = { .name = name };
	const struct image_symbol *key_ptr = &key, **found;

	found = bsearch(&key_ptr, n->symbols, n->n_symbols, sizeof(*n->symbols), compare_symbols);
	return found ? *found : NULL;
}

static bool is_hidden(const struct image_symbol *sym)
{
	return sym->visibility == STV_HIDDEN || sym->visibility == STV_INTERNAL;
}

static int compare_vars(const void *a, const void *b)
{
	const struct btf_var_secinfo *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int fix_datasec(struct parse *p, const struct names *names, struct btf_edit *e, uint32_t id)
{
	const struct btf_type *old = btf_type(p->obj->btf, id);
	const char *section_name = btf_str(p->obj->btf, old->name_off);
	const struct image_section *section = find_section(names, section_name);
	struct btf_type *t = btf_edit_type(e, id);
	struct btf_var_secinfo *vars = (struct btf_var_secinfo *)(t + 1);
	bool placed = t->size != 0;

	/* Externs have no section: their DATASEC stays as it is. */
	if (!section)
		return 0;
	if (section->size > INT32_MAX)
		return report(p->rp, -EBADMSG, "section '%s' has %llu bytes, over 2 GiB",
			      section_name, (unsigned long long)section->size);
	if (!placed)
		t->size = section->size;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		struct btf_type *var = btf_edit_type(e, vars[i].type);
		const struct image_symbol *sym;

		if (btf_kind(var) != BTF_KIND_VAR ||
		    btf_var(var)->linkage != BTF_VAR_GLOBAL_ALLOCATED)
			continue;
		sym = find_symbol(names, btf_type_name(p->obj->btf, vars[i].type));
		if (!sym || sym->shndx != section->index)
			return report(p->rp, -EBADMSG,
				      "variable '%.64s' of section '%s' has no symbol there",
				      btf_type_name(p->obj->btf, vars[i].type), section_name);
		if (!placed && sym->value > UINT32_MAX)
			return report(p->rp, -EBADMSG,
				      "variable '%s' of section '%s' lies at 0x%llx", sym->name,
				      section_name, (unsigned long long)sym->value);
		if (!placed)
			vars[i].offset = sym->value;
		if (is_hidden(sym))
			((struct btf_var *)(var + 1))->linkage = BTF_VAR_STATIC;
	}
	qsort(vars, btf_vlen(t), sizeof(*vars), compare_vars);
	return 0;
}

static void fix_function(const struct parse *p, const struct names *names, struct btf_edit *e,
			 uint32_t id)
{
	const struct btf_type *old = btf_type(p->obj->btf, id);
	const struct image_symbol *sym;
	const struct image_section *s;

	if (btf_vlen(old) != BTF_FUNC_GLOBAL)
		return;
	sym = find_symbol(names, btf_str(p->obj->btf, old->name_off));
	if (!sym || sym->type != STT_FUNC || !is_hidden(sym))
		return;
	/* Of subprograms only: a program has no callers. */
	s = image_section(p->img, sym->shndx);
	if (s && !strcmp(s->name, ".text"))
		btf_edit_type(e, id)->info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC;
}

static int fix_types(struct parse *p, const struct names *names, struct btf_edit *e)
{
	btf_for_each_type (id, p->obj->btf) {
		int r = 0;

		switch (btf_kind(btf_type(p->obj->btf, id))) {
		case BTF_KIND_DATASEC:
			r = fix_datasec(p, names, e, id);
			break;
		case BTF_KIND_FUNC:
			fix_function(p, names, e, id);
			break;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int parse_datasecs(struct parse *p)
{
	_cleanup_(btf_edit_freep) struct btf_edit *e = NULL;
	_cleanup_(names_deinit) struct names names = {};
	_cleanup_(btf_unrefp) struct btf *fixed = NULL;
	int r;

	if (!p->obj->btf)
		return 0;
	e = btf_edit_new(p->obj->btf);
	if (!e)
		return -ENOMEM;
	r = names_init(&names, p->img);
	r = r ? r : fix_types(p, &names, e);
	r = r ? r : btf_edit_finish(e, p->rp, &fixed);
	if (r < 0)
		return r;
	btf_unref(p->obj->btf);
	p->obj->btf = take_ptr(fixed);
	return 0;
}
