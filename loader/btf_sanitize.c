/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each replacement has a record of the same length, so all of them are made in
 * place and no id moves. The kernel is only asked about what the BTF has.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/feature.h"
#include "loader/btf_edit.h"

struct sanitizer {
	const struct btf *btf; /* as it came */
	struct btf_edit *edit; /* NULL until the first change */
	struct feature *features;
	uint32_t byte_type; /* an int of one byte that we added; 0 until it is needed */
	bool failed;	    /* out of memory */
};

static void set_kind(struct btf_type *t, uint32_t kind)
{
	t->info = kind << 24 | btf_vlen(t);
}

/* A VAR or a tag, both followed by one word. One byte: a variable may be no larger. */
static void make_int(struct btf_type *t)
{
	t->info = BTF_KIND_INT << 24;
	t->size = 1;
	*(uint32_t *)(t + 1) = 8; /* unsigned, all 8 bits */
}

/* @name with anything but letters and digits replaced, at most @n characters of it. */
static uint32_t identifier(struct sanitizer *s, const char *name, size_t n)
{
	_cleanup_free_ char *copy = strdup(name);

	if (!copy) {
		s->failed = true;
		return 0;
	}
	for (size_t i = 0; copy[i] && i < n; i++)
		if (!isalnum((unsigned char)copy[i]))
			copy[i] = '_';
	return btf_edit_str(s->edit, copy);
}

static void make_struct_of_datasec(struct sanitizer *s, uint32_t id)
{
	/* Names of sections have dots, those of structs may not. */
	uint32_t name = identifier(s, btf_type_name(s->btf, id), SIZE_MAX);
	struct btf_type *t = btf_edit_type(s->edit, id);
	const struct btf_var_secinfo *infos = btf_secinfos(btf_type(s->btf, id));
	struct btf_member *m = (struct btf_member *)(t + 1);

	t->name_off = name;
	set_kind(t, BTF_KIND_STRUCT);
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		m[i] = (struct btf_member){
			.name_off = btf_type(s->btf, infos[i].type)->name_off,
			.type = infos[i].type,
			.offset = infos[i].offset * 8,
		};
}

/* Kernels before 6.9 allow no "?" in the name of a section; it is only at its start. */
static void rename_optional_section(struct sanitizer *s, uint32_t id)
{
	btf_edit_type(s->edit, id)->name_off = identifier(s, btf_type_name(s->btf, id), 1);
}

/* Parameters become enumerators, which all need a name. */
static void make_enum_of_proto(struct sanitizer *s, uint32_t id)
{
	uint32_t unnamed = btf_edit_str(s->edit, "unnamed");
	struct btf_type *t = btf_edit_type(s->edit, id);
	struct btf_enum *e = (struct btf_enum *)(t + 1);

	set_kind(t, BTF_KIND_ENUM);
	t->size = 4;
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!e[i].name_off)
			e[i].name_off = unnamed;
}

static void make_union_of_enum64(struct sanitizer *s, uint32_t id)
{
	struct btf_member *m;
	struct btf_type *t;

	if (!s->byte_type)
		s->byte_type = btf_edit_add_int(s->edit, "enum64_placeholder", 1, 0);
	t = btf_edit_type(s->edit, id);
	m = (struct btf_member *)(t + 1);
	set_kind(t, BTF_KIND_UNION);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		m[i].type = s->byte_type;
		m[i].offset = 0;
	}
}

/* What has to be done to a type. */
enum remedy {
	KEEP,
	TO_INT,
	TO_STRUCT_OF_DATASEC,
	RENAME_SECTION,
	TO_ENUM_OF_PROTO,
	TO_TYPEDEF,
	TO_STATIC_FUNC,
	TO_EMPTY_STRUCT,
	TO_CONST,
	TO_UNION_OF_ENUM64,
	TO_UNSIGNED_ENUM,
};

static enum remedy unless(struct sanitizer *s, enum feature_id id, enum remedy remedy)
{
	return feature_has(s->features, id) ? KEEP : remedy;
}

static enum remedy find_remedy(struct sanitizer *s, uint32_t id)
{
	const struct btf_type *t = btf_type(s->btf, id);
	enum remedy r;

	switch (btf_kind(t)) {
	case BTF_KIND_VAR:
		return unless(s, FEATURE_BTF_DATASEC, TO_INT);
	case BTF_KIND_DATASEC:
		r = unless(s, FEATURE_BTF_DATASEC, TO_STRUCT_OF_DATASEC);
		return r == KEEP && *btf_type_name(s->btf, id) == '?' ? RENAME_SECTION : r;
	case BTF_KIND_DECL_TAG:
		return unless(s, FEATURE_BTF_DECL_TAG, TO_INT);
	case BTF_KIND_FUNC_PROTO:
		return unless(s, FEATURE_BTF_FUNC, TO_ENUM_OF_PROTO);
	case BTF_KIND_FUNC:
		r = unless(s, FEATURE_BTF_FUNC, TO_TYPEDEF);
		if (r == KEEP && btf_vlen(t) == BTF_FUNC_GLOBAL)
			r = unless(s, FEATURE_BTF_GLOBAL_FUNC, TO_STATIC_FUNC);
		return r;
	case BTF_KIND_FLOAT:
		return unless(s, FEATURE_BTF_FLOAT, TO_EMPTY_STRUCT);
	case BTF_KIND_TYPE_TAG:
		return unless(s, FEATURE_BTF_TYPE_TAG, TO_CONST);
	case BTF_KIND_ENUM64:
		return unless(s, FEATURE_BTF_ENUM64, TO_UNION_OF_ENUM64);
	case BTF_KIND_ENUM:
		/* The flag came together with enum64. */
		return btf_kflag(t) ? unless(s, FEATURE_BTF_ENUM64, TO_UNSIGNED_ENUM) : KEEP;
	default:
		return KEEP;
	}
}

static void apply(struct sanitizer *s, uint32_t id, enum remedy remedy)
{
	struct btf_type *t = btf_edit_type(s->edit, id);

	switch (remedy) {
	case KEEP:
		break;
	case TO_INT:
		make_int(t);
		break;
	case TO_STRUCT_OF_DATASEC:
		make_struct_of_datasec(s, id);
		break;
	case RENAME_SECTION:
		rename_optional_section(s, id);
		break;
	case TO_ENUM_OF_PROTO:
		make_enum_of_proto(s, id);
		break;
	case TO_TYPEDEF:
		t->info = BTF_KIND_TYPEDEF << 24;
		break;
	case TO_STATIC_FUNC:
		t->info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC;
		break;
	case TO_EMPTY_STRUCT:
		/* "float" is no name that a struct may have. */
		t->name_off = 0;
		t->info = BTF_KIND_STRUCT << 24;
		break;
	case TO_CONST:
		t->name_off = 0;
		t->info = BTF_KIND_CONST << 24;
		break;
	case TO_UNION_OF_ENUM64:
		make_union_of_enum64(s, id);
		break;
	case TO_UNSIGNED_ENUM:
		t->info &= ~(1u << 31);
		break;
	}
}

static int sanitize(struct sanitizer *s, struct report *rp, struct btf **ret)
{
	btf_for_each_type (id, s->btf) {
		enum remedy remedy = find_remedy(s, id);

		if (remedy == KEEP)
			continue;
		if (!s->edit)
			s->edit = btf_edit_new(s->btf);
		if (!s->edit)
			return report(rp, -ENOMEM, "out of memory for a new BTF");
		apply(s, id, remedy);
		if (s->failed)
			return report(rp, -ENOMEM, "out of memory for a new BTF");
	}
	if (s->edit)
		return btf_edit_finish(s->edit, rp, ret);
	*ret = btf_ref((struct btf *)s->btf);
	return 0;
}

int btf_sanitize(struct btf *btf, struct feature *features, struct report *rp, struct btf **ret)
{
	struct sanitizer s = { .btf = btf, .features = features };
	int r = sanitize(&s, rp, ret);

	btf_edit_free(s.edit);
	return r;
}
