/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * data_map - sections of global variables as maps.
 *
 * Each .data, .rodata and .bss section is an array of one entry whose value is
 * the section: a program reaches a variable by "value of map M plus offset".
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "loader/btf.h"
#include "loader/parse.h"

/* The kernel's name of a data map keeps this much room for the section's name. */
enum { SUFFIX_MIN = 7, KERNEL_NAME_LEN = BPF_OBJ_NAME_LEN - 1 };

static bool is_data_map(const struct image_section *s)
{
	switch (section_data_kind(s->name)) {
	case DATA_DATA:
	case DATA_RODATA:
	case DATA_BSS:
		return s->size != 0;
	default:
		return false;
	}
}

/*
 * "execsnoop" and ".bss" make "execsnoo.bss"; ".data.hot" stands alone, being
 * a name that somebody chose. Other tools look for maps by these names.
 */
static char *kernel_name(const char *object, const char *section)
{
	int len = MIN(strlen(section), (size_t)KERNEL_NAME_LEN);
	int prefix = strchr(section + 1, '.') ? 0 : KERNEL_NAME_LEN - MAX(len, SUFFIX_MIN);
	char *name;

	if (asprintf(&name, "%.*s%.*s", prefix, object, len, section) < 0)
		return NULL;
	for (char *c = name; *c; c++) {
		if (!isascii(*c) || (!isalnum(*c) && *c != '_' && *c != '.'))
			*c = '_';
	}
	return name;
}

/* User space may only map a section that shows it something: static variables are private. */
static bool has_visible_variable(const struct btf *btf, uint32_t datasec)
{
	const struct btf_type *t = btf_type(btf, datasec);

	for (uint32_t i = 0; datasec && i < btf_vlen(t); i++) {
		const struct btf_type *var = btf_type(btf, btf_secinfos(t)[i].type);

		if (btf_kind(var) == BTF_KIND_VAR && btf_var(var)->linkage != BTF_VAR_STATIC)
			return true;
	}
	return false;
}

static int read_section(struct parse *p, const struct image_section *s, struct map_def *def)
{
	const struct btf *btf = p->obj->btf;

	if (s->size > INT32_MAX)
		return report(p->rp, -EBADMSG, "section '%s' has %llu bytes, over 2 GiB", s->name,
			      (unsigned long long)s->size);
	def->name = strdup(s->name);
	def->kernel_name = kernel_name(p->obj->name, s->name);
	if (!def->name || !def->kernel_name)
		return -ENOMEM;
	def->data = section_data_kind(s->name);
	def->datasec = btf ? btf_find(btf, s->name, BTF_KIND_DATASEC) : 0;
	def->value_type = def->datasec;
	def->mmapable = btf && has_visible_variable(btf, def->datasec);
	def->params = (struct map_params){
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = s->size,
		.max_entries = 1,
		.flags = (def->data == DATA_RODATA ? BPF_F_RDONLY_PROG : 0) |
			 (def->mmapable ? BPF_F_MMAPABLE : 0),
	};
	if (!s->data)
		return 0;
	def->image = malloc(s->size);
	if (!def->image)
		return -ENOMEM;
	memcpy(def->image, s->data, s->size);
	return 0;
}

/* Adds the variables of @map; there is room for all that its DATASEC lists. */
static int read_variables(struct parse *p, uint32_t map)
{
	const struct map_def *def = &p->obj->maps[map];
	const struct btf *btf = p->obj->btf;
	const struct btf_type *datasec = btf_type(btf, def->datasec);

	for (uint32_t i = 0; i < btf_vlen(datasec); i++) {
		const struct btf_var_secinfo *info = &btf_secinfos(datasec)[i];
		const struct btf_type *var = btf_type(btf, info->type);
		const char *name = btf_str(btf, var->name_off);

		if (btf_kind(var) != BTF_KIND_VAR || !*name ||
		    strnlen(name, NAME_LEN_MAX + 1) > NAME_LEN_MAX)
			return report(p->rp, -EBADMSG, "section '%s': type %u is no named variable",
				      def->name, info->type);
		if (!range_fits(info->offset, info->size, def->params.value_size))
			return report(p->rp, -EBADMSG,
				      "%s+0x%x: variable '%s' of %u bytes ends behind the section",
				      def->name, info->offset, name, info->size);
		p->obj->vars[p->obj->n_vars] = (struct variable){
			.name = strdup(name),
			.map = map,
			.offset = info->offset,
			.size = info->size,
			.type = var->type,
			.is_static = btf_var(var)->linkage == BTF_VAR_STATIC,
		};
		if (!p->obj->vars[p->obj->n_vars++].name)
			return -ENOMEM;
	}
	return 0;
}

static int read_all_variables(struct parse *p)
{
	struct object *obj = p->obj;
	_cleanup_free_ uint8_t *seen = NULL;
	uint64_t n = 0;

	if (!obj->btf)
		return 0;
	seen = calloc(btf_n_types(obj->btf), sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	for (uint32_t i = p->n_places; i < obj->n_maps; i++) {
		uint32_t datasec = obj->maps[i].datasec;

		if (!datasec)
			continue;
		/* Two sections of one name have one DATASEC, which can speak of one only. */
		if (seen[datasec]++)
			return report(p->rp, -EBADMSG, "there are two sections '%s'",
				      obj->maps[i].name);
		n += btf_vlen(btf_type(obj->btf, datasec));
	}
	obj->vars = calloc(n + 1, sizeof(*obj->vars));
	if (!obj->vars)
		return -ENOMEM;
	for (uint32_t i = p->n_places; i < obj->n_maps; i++) {
		int r = obj->maps[i].datasec ? read_variables(p, i) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int parse_data_maps(struct parse *p)
{
	uint32_t n_sections = image_n_sections(p->img), n = p->obj->n_maps;
	struct map_def *maps;

	for (uint32_t i = 1; i < n_sections; i++)
		n += is_data_map(image_section(p->img, i));
	maps = reallocarray(p->obj->maps, n + 1, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	p->obj->maps = maps;
	for (uint32_t i = 1; i < n_sections; i++) {
		const struct image_section *s = image_section(p->img, i);
		struct map_def *def = &maps[p->obj->n_maps];
		int r;

		if (!is_data_map(s))
			continue;
		*def = (struct map_def){};
		p->data_maps[i] = p->obj->n_maps++;
		r = read_section(p, s, def);
		if (r < 0)
			return r;
	}
	return read_all_variables(p);
}
