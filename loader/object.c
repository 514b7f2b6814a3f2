/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/object.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "loader/btf.h"
#include "loader/btf_ext.h"
#include "loader/image.h"
#include "loader/parse.h"

enum { OBJECT_NAME_LEN = BPF_OBJ_NAME_LEN - 1 };

static int read_license(struct parse *p)
{
	const struct image_section *s = image_section_by_name(p->img, "license");
	struct object *obj = p->obj;

	if (!s || !s->data)
		return 0;
	/* Zeroed by calloc(), so what is cut ends in a NUL, too. */
	memcpy(obj->license, s->data, strnlen(s->data, MIN(s->size, sizeof(obj->license) - 1)));
	return 0;
}

static int read_version(struct parse *p)
{
	const struct image_section *s = image_section_by_name(p->img, "version");

	if (!s)
		return 0;
	if (s->size != sizeof(uint32_t) || !s->data)
		return report(p->rp, -EBADMSG, "section 'version' has %llu bytes instead of 4",
			      (unsigned long long)s->size);
	memcpy(&p->obj->kern_version, s->data, sizeof(uint32_t));
	if (p->obj->foreign)
		p->obj->kern_version = __builtin_bswap32(p->obj->kern_version);
	return 0;
}

/* Is there anything that cannot be understood without BTF? */
static const char *needs_btf(const struct parse *p)
{
	for (uint32_t i = 1; i < image_n_sections(p->img); i++) {
		const struct image_section *s = image_section(p->img, i);
		enum data_kind kind = section_data_kind(s->name);

		if (!strcmp(s->name, ".maps") || kind == DATA_STRUCT_OPS ||
		    kind == DATA_STRUCT_OPS_LINK)
			return s->name;
	}
	for (uint32_t i = 1; i < image_n_symbols(p->img); i++) {
		const struct image_symbol *sym = image_symbol(p->img, i);

		if (sym->shndx == SHN_UNDEF && *sym->name)
			return sym->name;
	}
	return NULL;
}

static int read_btf(struct parse *p)
{
	const struct image_section *s = image_section_by_name(p->img, ".BTF");
	const char *user = needs_btf(p);
	struct report quiet = REPORT_INIT(NULL, NULL);
	int r;

	if (!s || !s->data) {
		if (!user)
			return 0;
		return report(p->rp, -EBADMSG,
			      "'%s' cannot be understood without BTF: compile with clang -g", user);
	}
	r = btf_parse(s->data, s->size, ".BTF", NULL, user ? p->rp : &quiet, &p->obj->btf);
	if (r < 0 && user)
		return r;
	if (r < 0)
		report_note(p->rp, REPORT_WARN, "going on without BTF: %s", quiet.text);
	return 0;
}

static int read_ext_tables(struct parse *p, const struct image_section *s, unsigned tables,
			   struct report *rp)
{
	btf_ext_free(take_ptr(p->obj->btf_ext));
	return btf_ext_parse(s->data, s->size, tables, p->obj->foreign, p->obj->btf, rp,
			     &p->obj->btf_ext);
}

/*
 * Functions and lines are for people and for global functions: without them it is
 * worth a try. Code whose CO-RE relocations cannot be read would be loaded with the
 * offsets of the machine that compiled it, and read what it does not mean.
 */
static int read_btf_ext(struct parse *p)
{
	const struct image_section *s = image_section_by_name(p->img, ".BTF.ext");
	struct report quiet = REPORT_INIT(NULL, NULL);
	int r;

	if (!s || !s->data || !p->obj->btf)
		return 0;
	r = read_ext_tables(p, s, BTF_EXT_ALL, &quiet);
	if (r >= 0 || r == -ENOMEM)
		return r;
	r = read_ext_tables(p, s, 0, NULL);
	if (r < 0) {
		report_note(p->rp, REPORT_WARN,
			    "going on without line numbers and CO-RE relocations: %s", quiet.text);
		return r == -ENOMEM ? r : 0;
	}
	r = read_ext_tables(p, s, BTF_EXT_CORES, p->rp);
	if (r == 0)
		report_note(p->rp, REPORT_WARN, "going on without line numbers: %s", quiet.text);
	return r;
}

static int refuse_legacy_maps(struct parse *p)
{
	if (!image_section_by_name(p->img, "maps"))
		return 0;
	return report(p->rp, -EOPNOTSUPP,
		      "section 'maps' holds map definitions of the old kind: "
		      "write them with BTF, as SEC(\".maps\")");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_unique(const char **names, uint32_t n, const char *what, struct report *rp)
{
	qsort(names, n, sizeof(*names), compare_names);
	for (uint32_t i = 1; i < n; i++) {
		if (!strcmp(names[i - 1], names[i]))
			return report(rp, -EBADMSG, "two %s are named '%s'", what, names[i]);
	}
	return 0;
}

/* Users say what they mean by name. */
static int check_names(struct parse *p)
{
	const struct object *obj = p->obj;
	uint32_t n = MAX(obj->n_maps, obj->n_programs);
	_cleanup_free_ const char **names = calloc(n ? n : 1, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; i < obj->n_maps; i++)
		names[i] = obj->maps[i].name;
	r = check_unique(names, obj->n_maps, "maps", p->rp);
	for (uint32_t i = 0; i < obj->n_programs; i++)
		names[i] = obj->programs[i].name;
	return r ? r : check_unique(names, obj->n_programs, "programs", p->rp);
}

static int parse_steps(struct parse *p)
{
	static int (*const steps[])(struct parse *) = {
		refuse_legacy_maps, read_license, read_version,	  read_btf,
		parse_datasecs,	    read_btf_ext, parse_map_defs, parse_data_maps,
		parse_functions,    parse_relocs, check_names,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i](p);

		if (r < 0)
			return r;
	}
	return 0;
}

const char *parse_section_name(struct parse *p, uint32_t index)
{
	char **name = &p->obj->sections[index];

	if (!*name)
		*name = strdup(image_section(p->img, index)->name);
	return *name;
}

static int parse_init(struct parse *p, const char *name)
{
	uint32_t n = image_n_sections(p->img);

	p->obj->foreign = image_is_foreign(p->img);
	p->obj->name = strndup(name ? name : "", OBJECT_NAME_LEN);
	p->obj->sections = calloc(n ? n : 1, sizeof(*p->obj->sections));
	p->data_maps = calloc(n ? n : 1, sizeof(*p->data_maps));
	if (!p->obj->name || !p->obj->sections || !p->data_maps)
		return -ENOMEM;
	p->obj->n_sections = n;
	for (uint32_t i = 0; i < n; i++)
		p->data_maps[i] = OBJECT_NO_INDEX;
	return 0;
}

static void parse_deinit(struct parse *p)
{
	free(p->data_maps);
	free(p->places);
	free(p->function_sections);
	free(p->symbol_externs);
}

int object_parse(const void *data, size_t len, const char *name, struct report *rp,
		 struct object **ret)
{
	_cleanup_(object_freep) struct object *obj = calloc(1, sizeof(*obj));
	_cleanup_(image_freep) struct image *img = NULL;
	struct parse p = { .obj = obj, .rp = rp };
	int r;

	if (!obj)
		return report(rp, -ENOMEM, "out of memory");
	r = image_open(data, len, rp, &img);
	if (r == 0) {
		p.img = img;
		r = parse_init(&p, name);
		r = r ? r : parse_steps(&p);
		parse_deinit(&p);
	}
	if (r == -ENOMEM)
		return report(rp, r, "out of memory");
	if (r < 0)
		return r;
	*ret = take_ptr(obj);
	return 0;
}

void object_free(struct object *obj)
{
	if (!obj)
		return;
	for (uint32_t i = 0; i < obj->n_functions; i++) {
		free(obj->functions[i].name);
		free(obj->functions[i].insns);
		free(obj->functions[i].relocs);
	}
	for (uint32_t i = 0; i < obj->n_maps; i++)
		map_def_deinit(&obj->maps[i]);
	for (uint32_t i = 0; i < obj->n_vars; i++)
		free(obj->vars[i].name);
	for (uint32_t i = 0; i < obj->n_externs; i++)
		free(obj->externs[i].name);
	for (uint32_t i = 0; i < obj->n_sections; i++)
		free(obj->sections[i]);
	free(obj->functions);
	free(obj->programs);
	free(obj->maps);
	free(obj->vars);
	free(obj->externs);
	free(obj->sections);
	btf_ext_free(obj->btf_ext);
	btf_unref(obj->btf);
	free(obj->name);
	free(obj);
}

uint32_t object_find_map(const struct object *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		if (!strcmp(obj->maps[i].name, name))
			return i;
	}
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		if (!strcmp(obj->maps[i].kernel_name, name))
			return i;
	}
	return OBJECT_NO_INDEX;
}

uint32_t object_find_program(const struct object *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->n_programs; i++) {
		if (!strcmp(obj->programs[i].name, name))
			return i;
	}
	return OBJECT_NO_INDEX;
}
