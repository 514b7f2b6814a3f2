/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/map_type.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "bpf/kbtf.h"
#include "bpf/kobj.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"

static void vars_free(struct map_var *vars, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		free(vars[i].name);
		value_format_free(vars[i].format);
	}
	free(vars);
}

void map_type_deinit(struct map_type *t)
{
	btf_unref(t->btf);
	value_format_free(t->key_format);
	value_format_free(t->value_format);
	free(t->section);
	vars_free(t->vars, t->n_vars);
	*t = (struct map_type){};
}

/* Does the map's type say that keys are numbers? */
static bool has_index(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_XSKMAP:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
	case BPF_MAP_TYPE_STRUCT_OPS:
		return true;
	default:
		return false;
	}
}

/* … or that values are: of programs, maps and devices, or sizes of queues of CPUs. */
static bool has_number(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
		return true;
	default:
		return false;
	}
}

static bool is_composite(const struct btf *btf, uint32_t id)
{
	return btf_is_composite(btf_type(btf, btf_skip_modifiers(btf, id)));
}

/* A format for @id if it is of @size (0: any); NULL otherwise, or *@r is -ENOMEM. */
static struct value_format *compile(const struct btf *btf, uint32_t id, uint32_t size, int *r)
{
	struct value_format *f = NULL;
	int err;

	if (*r < 0 || !btf || !id || id >= btf_n_types(btf))
		return NULL;
	err = value_compile(btf, id, NULL, &f);
	if (err == -ENOMEM)
		*r = err;
	if (err < 0)
		return NULL;
	if (size && !value_format_fits(f, size)) {
		value_format_free(f);
		return NULL;
	}
	return f;
}

/* The value is a data section: print it variable by variable. */
static int get_vars(struct map_type *t)
{
	const struct btf_type *sec = btf_type(t->btf, t->value);
	const struct btf_var_secinfo *info = btf_secinfos(sec);
	uint32_t n = btf_vlen(sec);
	int r = 0;

	t->section = strdup(btf_str(t->btf, sec->name_off));
	t->vars = calloc(n ? n : 1, sizeof(*t->vars));
	if (!t->section || !t->vars)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct map_var *v = &t->vars[t->n_vars];
		const struct btf_type *var;

		if (info[i].type >= btf_n_types(t->btf))
			continue;
		var = btf_type(t->btf, info[i].type);
		if (btf_kind(var) != BTF_KIND_VAR)
			continue;
		if (t->value_size && (info[i].offset > t->value_size ||
				      info[i].size > t->value_size - info[i].offset))
			continue;
		v->name = strdup(btf_str(t->btf, var->name_off));
		if (!v->name)
			return -ENOMEM;
		v->offset = info[i].offset;
		v->size = info[i].size;
		v->format = compile(t->btf, var->type, info[i].size, &r);
		v->braces = v->format && is_composite(t->btf, var->type);
		t->n_vars++;
		if (r < 0)
			return r;
	}
	return 0;
}

/* What our object says. False if the map is not ours, or the object has no BTF. */
static bool ids_of_object(struct fs *fs, const struct subject *self, struct map_type *t)
{
	const struct object *obj;
	const struct map_def *def;

	if (!self->inst)
		return false;
	pthread_mutex_lock(&fs->lock);
	obj = self->inst->parsed;
	pthread_mutex_unlock(&fs->lock);
	if (!obj || !obj->btf || obj->foreign || self->index >= obj->n_maps)
		return false;
	def = &obj->maps[self->index];
	t->btf = btf_ref(obj->btf);
	t->key = def->key_type;
	t->value = def->data == DATA_NONE ? def->value_type : def->datasec;
	t->record = def->record_type;
	return true;
}

static int ids_of_kernel(struct fs *fs, const struct bpf_map_info *info, struct map_type *t)
{
	_cleanup_(kbtf_raw_deinit) struct kbtf_raw raw = {};
	_cleanup_close_ int fd = -1;
	int r;

	if (info->btf_vmlinux_value_type_id) {
		r = kernel_btf_get(fs->env.kernel_btf, NULL, &t->btf);
		if (r < 0)
			return r == -ENOMEM ? r : 0;
		t->value = info->btf_vmlinux_value_type_id;
		return 0;
	}
	if (!info->btf_id)
		return 0;
	fd = kobj_fd_by_id(KOBJ_BTF, info->btf_id);
	if (fd < 0)
		return 0;
	r = kbtf_raw(fd, &raw);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = btf_parse(raw.data, raw.len, "map's BTF", NULL, NULL, &t->btf);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	t->key = info->btf_key_type_id;
	t->value = info->btf_value_type_id;
	return 0;
}

static void drop_bad_ids(struct map_type *t)
{
	uint32_t n = t->btf ? btf_n_types(t->btf) : 0;

	if (t->key >= n)
		t->key = 0;
	if (t->value >= n)
		t->value = 0;
	if (t->record >= n)
		t->record = 0;
}

int map_type_get(struct fs *fs, const struct subject *self, const struct bpf_map_info *info,
		 struct map_type *ret)
{
	_cleanup_(map_type_deinit) struct map_type t = {};
	int r = 0;

	if (!ids_of_object(fs, self, &t) && info)
		r = ids_of_kernel(fs, info, &t);
	if (r < 0)
		return r;
	drop_bad_ids(&t);
	if (info) {
		t.key_size = info->key_size;
		t.value_size = info->value_size;
		t.key_is_u32 = has_index(info->type) && info->key_size == 4;
		t.value_is_u32 = has_number(info->type) && info->value_size == 4;
	}
	t.key_format = compile(t.btf, t.key, t.key_size, &r);
	if (t.value && btf_kind(btf_type(t.btf, t.value)) == BTF_KIND_DATASEC) {
		r = r < 0 ? r : get_vars(&t);
	} else if (!t.value_is_u32) {
		t.value_format = compile(t.btf, t.value, t.value_size, &r);
		t.value_braces = t.value_format && is_composite(t.btf, t.value);
	}
	if (r < 0)
		return r;
	*ret = t;
	t = (struct map_type){};
	return 0;
}

static void print(const struct value_format *f, bool is_u32, enum value_style style,
		  const void *data, size_t len, struct str *out)
{
	uint32_t v;

	if (f) {
		value_print(f, style, data, len, out);
	} else if (is_u32) {
		memcpy(&v, data, sizeof(v));
		str_add_u64(out, v);
	} else {
		value_print_bytes(style, data, len, out);
	}
}

void map_type_print_key(const struct map_type *t, enum value_style style, const void *key,
			struct str *out)
{
	print(t->key_format, t->key_is_u32, style, key, t->key_size, out);
}

/* JSON as bpftool has it: {".bss":[{"counter":1},{"limit":2}]}. */
static void print_vars(const struct map_type *t, enum value_style style, const uint8_t *value,
		       struct str *out)
{
	bool json = style == VALUE_JSON;

	if (json) {
		str_add_char(out, '{');
		str_add_json(out, t->section, strlen(t->section));
		str_add(out, ":[");
	}
	for (uint32_t i = 0; i < t->n_vars; i++) {
		const struct map_var *v = &t->vars[i];

		if (json) {
			str_add(out, i ? ",{" : "{");
			str_add_json(out, v->name, strlen(v->name));
			str_add_char(out, ':');
		} else {
			str_printf(out, "%s%s=%s", i ? " " : "", v->name, v->braces ? "{" : "");
		}
		print(v->format, false, style, value + v->offset, v->size, out);
		if (json || v->braces)
			str_add_char(out, '}');
	}
	if (json)
		str_add(out, "]}");
}

void map_type_print_value(const struct map_type *t, enum value_style style, const void *value,
			  bool braces, struct str *out)
{
	braces = braces && style == VALUE_TEXT && (t->value_braces || t->n_vars);
	if (braces)
		str_add_char(out, '{');
	if (t->n_vars)
		print_vars(t, style, value, out);
	else
		print(t->value_format, t->value_is_u32, style, value, t->value_size, out);
	if (braces)
		str_add_char(out, '}');
}
