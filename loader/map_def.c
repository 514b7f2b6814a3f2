/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_def - maps as .maps describes them.
 *
 * A map is a variable whose struct type is the description: `__uint(type, 27)`
 * is a member `int (*type)[27]`, the number being the array's length;
 * `__ulong(map_extra, N)` an enum of one value; `__type(key, T)` a member
 * `T *key`; and `__array(values, T)`, the last one, a member `T *values[]` whose
 * contents are filled in by relocations.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "bpf/names.h"
#include "loader/btf.h"
#include "loader/parse.h"

enum { PTR_SIZE = 8, PIN_NONE = 0, PIN_BY_NAME = 1 };

/* One description while it is read. */
struct reading {
	struct parse *p;
	const struct btf *btf;
	const struct btf_type *type; /* the struct */
	struct map_def *def;
	bool is_inner;
	uint64_t values; /* offset of .values in the struct */
	bool has_values;
};

#define bad(rd, ...) bad_(rd, -EBADMSG, __VA_ARGS__)

static int __attribute__((format(printf, 3, 4)))
bad_(const struct reading *rd, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(rd->p->rp, err, "map '%s': %s", rd->def->name, text);
}

static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	return btf_type(btf, btf_skip_modifiers(btf, id));
}

static const char *member_name(const struct reading *rd, const struct btf_member *m)
{
	return btf_str(rd->btf, m->name_off);
}

/* A number, in either of its disguises. */
static int read_number(const struct reading *rd, const struct btf_member *m, uint64_t *ret)
{
	const struct btf_type *t = resolve(rd->btf, m->type);

	if (btf_kind(t) == BTF_KIND_ENUM && btf_vlen(t) == 1) {
		*ret = btf_kflag(t) ? (uint64_t)(int64_t)btf_enums(t)->val
				    : (uint32_t)btf_enums(t)->val;
		return 0;
	}
	if (btf_kind(t) == BTF_KIND_ENUM64 && btf_vlen(t) == 1) {
		*ret = btf_enum64_value(btf_enums64(t));
		return 0;
	}
	if (btf_kind(t) == BTF_KIND_PTR)
		t = resolve(rd->btf, t->type);
	if (btf_kind(t) != BTF_KIND_ARRAY)
		return bad(rd, "member '%.64s' is no number: write it with __uint() or __ulong()",
			   member_name(rd, m));
	*ret = btf_array(t)->nelems;
	return 0;
}

static int read_u32(const struct reading *rd, const struct btf_member *m, uint32_t *ret)
{
	uint64_t v = 0;
	int r = read_number(rd, m, &v);

	if (r < 0)
		return r;
	if (v > UINT32_MAX)
		return bad(rd, "member '%.64s' does not fit 32 bits", member_name(rd, m));
	*ret = v;
	return 0;
}

/* key or value: a pointer to the type; its size must agree with one given before. */
static int read_type(const struct reading *rd, const struct btf_member *m, uint32_t *ret_type,
		     uint32_t *size)
{
	const struct btf_type *t = resolve(rd->btf, m->type);
	int64_t n;

	if (btf_kind(t) != BTF_KIND_PTR)
		return bad(rd, "member '%.64s' is no type: write it with __type()",
			   member_name(rd, m));
	n = btf_size(rd->btf, t->type);
	if (n < 0 || n > UINT32_MAX)
		return bad(rd, "the type of '%.64s' has no size", member_name(rd, m));
	if (*size && *size != n)
		return bad(rd, "'%.64s' has %lld bytes but '%.64s_size' says %u",
			   member_name(rd, m), (long long)n, member_name(rd, m), *size);
	*ret_type = t->type;
	*size = n;
	return 0;
}

static int read_size(const struct reading *rd, const struct btf_member *m, uint32_t type,
		     uint32_t *size)
{
	uint32_t before = *size, n = 0;
	int r = read_u32(rd, m, &n);

	if (r < 0)
		return r;
	if (type && before != n)
		return bad(rd, "'%.64s' says %u but the type has %u bytes", member_name(rd, m), n,
			   before);
	*size = n;
	return 0;
}

static int read_def(struct reading *rd);

static bool is_map_of_maps(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

static int read_inner(struct reading *rd, const struct btf_type *type)
{
	struct map_def *inner = calloc(1, sizeof(*inner));
	struct reading sub = {
		.p = rd->p, .btf = rd->btf, .type = type, .def = inner, .is_inner = true
	};

	if (!inner)
		return -ENOMEM;
	rd->def->inner = inner;
	if (asprintf(&inner->name, "%s.inner", rd->def->name) < 0) {
		inner->name = NULL;
		return -ENOMEM;
	}
	inner->kernel_name = strndup(inner->name, BPF_OBJ_NAME_LEN - 1);
	if (!inner->kernel_name)
		return -ENOMEM;
	return read_def(&sub);
}

static int read_values(struct reading *rd, const struct btf_member *m, bool is_last)
{
	const struct btf_type *t = resolve(rd->btf, m->type);
	bool of_progs = rd->def->params.type == BPF_MAP_TYPE_PROG_ARRAY;
	uint32_t bits = btf_member_bit_offset(rd->type, m - btf_members(rd->type));

	if (rd->is_inner)
		return bad(rd, "a map inside a map of maps cannot hold maps itself");
	if (!of_progs && !is_map_of_maps(rd->def->params.type))
		return bad(rd, "'values' is for maps of maps and program arrays; 'type' must stand "
			       "before it");
	if (!is_last)
		return bad(rd, "'values' is not the last member");
	if (btf_kind(t) != BTF_KIND_ARRAY || btf_array(t)->nelems || bits % 8)
		return bad(rd, "'values' is no array of open length: write it with __array()");
	t = resolve(rd->btf, btf_array(t)->type);
	if (btf_kind(t) != BTF_KIND_PTR)
		return bad(rd, "'values' is no array of pointers");
	t = resolve(rd->btf, t->type);
	if (btf_kind(t) != (of_progs ? BTF_KIND_FUNC_PROTO : BTF_KIND_STRUCT))
		return bad(rd, "'values' does not point at %s", of_progs ? "functions" : "maps");
	if (rd->def->params.value_size && rd->def->params.value_size != sizeof(uint32_t))
		return bad(rd, "value_size is %u, but a map that holds %s needs 4",
			   rd->def->params.value_size, of_progs ? "programs" : "maps");
	rd->def->params.value_size = sizeof(uint32_t);
	rd->values = bits / 8;
	rd->has_values = true;
	return of_progs ? 0 : read_inner(rd, t);
}

static int read_pinning(struct reading *rd, const struct btf_member *m)
{
	uint32_t how;
	int r = read_u32(rd, m, &how);

	if (r < 0)
		return r;
	if (rd->is_inner && how != PIN_NONE)
		return bad(rd, "a map inside a map of maps cannot be pinned");
	if (how != PIN_NONE && how != PIN_BY_NAME)
		return bad(rd, "pinning %u is not known: it is 0 or LIBBPF_PIN_BY_NAME", how);
	rd->def->pin_by_name = how == PIN_BY_NAME;
	return 0;
}

/* Members that are plain numbers. */
static const struct {
	const char *name;
	size_t at;
} numbers[] = {
	{ "type", offsetof(struct map_params, type) },
	{ "max_entries", offsetof(struct map_params, max_entries) },
	{ "map_flags", offsetof(struct map_params, flags) },
	{ "numa_node", offsetof(struct map_params, numa_node) },
};

static int read_member(struct reading *rd, const struct btf_member *m, bool is_last)
{
	const char *name = member_name(rd, m);
	struct map_params *params = &rd->def->params;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!strcmp(name, numbers[i].name))
			return read_u32(rd, m, (uint32_t *)((char *)params + numbers[i].at));
	}
	if (!strcmp(name, "map_extra"))
		return read_number(rd, m, &params->extra);
	if (!strcmp(name, "key_size"))
		return read_size(rd, m, rd->def->key_type, &params->key_size);
	if (!strcmp(name, "value_size"))
		return read_size(rd, m, rd->def->value_type, &params->value_size);
	if (!strcmp(name, "key"))
		return read_type(rd, m, &rd->def->key_type, &params->key_size);
	if (!strcmp(name, "value"))
		return read_type(rd, m, &rd->def->value_type, &params->value_size);
	if (!strcmp(name, "values"))
		return read_values(rd, m, is_last);
	if (!strcmp(name, "pinning"))
		return read_pinning(rd, m);
	return bad_(rd, -EOPNOTSUPP, "member '%.64s' is not known", name);
}

/* Rings carry records, not values: what is said of them is for readers, not for the kernel. */
static void keep_record_type(struct reading *rd)
{
	struct map_def *def = rd->def;
	struct map_params *params = &def->params;

	switch (params->type) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		def->record_type = def->value_type;
		if (def->value_type)
			params->value_size = 0;
		if (def->key_type)
			params->key_size = 0;
		break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		/* A bare integer only stands for the descriptors that the map really holds. */
		if (def->value_type && btf_is_composite(resolve(rd->btf, def->value_type)))
			def->record_type = def->value_type;
		if (def->value_type || !params->value_size)
			params->value_size = sizeof(uint32_t);
		if (!params->key_size)
			params->key_size = sizeof(uint32_t);
		break;
	default:
		return;
	}
	def->key_type = 0;
	def->value_type = 0;
}

static int read_def(struct reading *rd)
{
	uint32_t n = btf_vlen(rd->type);

	for (uint32_t i = 0; i < n; i++) {
		int r = read_member(rd, &btf_members(rd->type)[i], i + 1 == n);

		if (r < 0)
			return r;
	}
	if (!rd->def->params.type)
		return bad(rd, "it has no type");
	keep_record_type(rd);
	return 0;
}

static int read_map(struct parse *p, const struct btf_var_secinfo *info, struct map_place *place,
		    struct map_def *def)
{
	const struct btf *btf = p->obj->btf;
	const struct btf_type *var = btf_type(btf, info->type);
	const char *name = btf_str(btf, var->name_off);
	struct reading rd = { .p = p, .btf = btf, .def = def };
	int r;

	if (btf_kind(var) != BTF_KIND_VAR || !*name)
		return report(p->rp, -EBADMSG, ".maps: type %u is no named variable", info->type);
	if (strnlen(name, NAME_LEN_MAX + 1) > NAME_LEN_MAX)
		return report(p->rp, -EBADMSG, ".maps: the name '%.32s…' has more than %d bytes",
			      name, NAME_LEN_MAX);
	def->name = strdup(name);
	def->kernel_name = strndup(name, BPF_OBJ_NAME_LEN - 1);
	if (!def->name || !def->kernel_name)
		return -ENOMEM;
	if (btf_var(var)->linkage != BTF_VAR_GLOBAL_ALLOCATED)
		return bad_(&rd, -EOPNOTSUPP,
			    "a map must be a global variable: remove 'static' or "
			    "the hidden visibility");
	rd.type = resolve(btf, var->type);
	if (btf_kind(rd.type) != BTF_KIND_STRUCT)
		return bad(&rd, "its description is no struct");
	if (rd.type->size > info->size)
		return bad(&rd, "its description has %u bytes, its variable %u", rd.type->size,
			   info->size);
	r = read_def(&rd);
	if (r < 0)
		return r;
	*place = (struct map_place){
		.offset = info->offset,
		.size = info->size,
		.values = rd.has_values ? rd.values : info->size,
	};
	return 0;
}

int parse_map_defs(struct parse *p)
{
	const struct image_section *s = image_section_by_name(p->img, ".maps");
	struct object *obj = p->obj;
	const struct btf_var_secinfo *infos;
	const struct btf_type *datasec;
	uint64_t end = 0;
	uint32_t id;

	if (!s || !s->size)
		return 0;
	p->maps_section = s->index;
	id = btf_find(obj->btf, ".maps", BTF_KIND_DATASEC);
	if (!id)
		return report(p->rp, -EBADMSG, "'.maps' is not described in .BTF");
	datasec = btf_type(obj->btf, id);
	infos = btf_secinfos(datasec);
	obj->maps = calloc(btf_vlen(datasec) + 1, sizeof(*obj->maps));
	p->places = calloc(btf_vlen(datasec) + 1, sizeof(*p->places));
	if (!obj->maps || !p->places)
		return -ENOMEM;
	for (uint32_t i = 0; i < btf_vlen(datasec); i++) {
		int r;

		if (!range_fits(infos[i].offset, infos[i].size, s->size) || infos[i].offset < end)
			return report(
				p->rp, -EBADMSG,
				".maps+0x%x: map '%.64s' of %u bytes overlaps another or the end",
				infos[i].offset, btf_type_name(obj->btf, infos[i].type),
				infos[i].size);
		end = (uint64_t)infos[i].offset + infos[i].size;
		/* Counted first: object_free() takes back a half-read one, too. */
		r = read_map(p, &infos[i], &p->places[i], &obj->maps[obj->n_maps++]);
		if (r < 0)
			return r;
	}
	p->n_places = obj->n_maps;
	return 0;
}

void map_def_deinit(struct map_def *def)
{
	if (def->inner)
		map_def_deinit(def->inner);
	free(def->inner);
	free(def->name);
	free(def->kernel_name);
	free(def->image);
	free(def->slots);
}
