/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_btf - the object's types as the kernel wants to have them.
 *
 * What compilers write and kernels refuse: parameters without a name, externs
 * (which have no place), and data sections whose size a user has changed. And
 * what only an old kernel refuses, see btf_sanitize().
 */
#include <errno.h>
#include <string.h>

#include "bpf/kbtf.h"
#include "loader/btf.h"
#include "loader/btf_edit.h"
#include "loader/load_steps.h"

enum { EXTERN_SIZE = 4 };

/* "void *" without a name is no parameter to the kernel. */
static void name_params(const struct btf *btf, struct btf_edit *e, uint32_t proto)
{
	uint32_t n = btf_vlen(btf_type(btf, proto)), name = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct btf_param *p = &btf_params(btf_type(btf, proto))[i];
		struct btf_param *params;

		/* The last may be the dots. */
		if (p->name_off || !p->type)
			continue;
		name = name ? name : btf_edit_str(e, "arg");
		params = (struct btf_param *)(btf_edit_type(e, proto) + 1);
		params[i].name_off = name;
	}
}

static void fix_func(const struct btf *btf, struct btf_edit *e, uint32_t id)
{
	const struct btf_type *t = btf_type(btf, id);

	name_params(btf, e, t->type);
	if (btf_vlen(t) == BTF_FUNC_EXTERN)
		btf_edit_type(e, id)->info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC;
}

static bool is_extern(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf_type(btf, id);

	return btf_kind(t) == BTF_KIND_FUNC ? btf_vlen(t) == BTF_FUNC_EXTERN
					    : btf_var(t)->linkage == BTF_VAR_GLOBAL_EXTERN;
}

/*
 * A section of externs becomes one of integers, whose values nobody looks at. A
 * function cannot be in it: one variable stands for all of those.
 */
static void fix_externs(const struct btf *btf, struct btf_edit *e, uint32_t id)
{
	const struct btf_type *old = btf_type(btf, id);
	uint32_t n = btf_vlen(old), integer, stand_in;
	struct btf_var_secinfo *infos;

	if (old->size || !n || !is_extern(btf, btf_secinfos(old)[0].type))
		return;
	integer = btf_edit_add_int(e, "int", EXTERN_SIZE, BTF_INT_SIGNED);
	stand_in = btf_edit_add_var(e, "extern_function", integer, BTF_VAR_GLOBAL_ALLOCATED);
	/* Out of memory comes out at the end. */
	if (!integer || !stand_in)
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t type = btf_secinfos(old)[i].type;
		struct btf_type *var = btf_edit_type(e, type);

		infos = (struct btf_var_secinfo *)(btf_edit_type(e, id) + 1);
		infos[i].offset = i * EXTERN_SIZE;
		infos[i].size = EXTERN_SIZE;
		if (btf_kind(var) == BTF_KIND_FUNC) {
			infos[i].type = stand_in;
			continue;
		}
		var->type = integer;
		((struct btf_var *)(var + 1))->linkage = BTF_VAR_GLOBAL_ALLOCATED;
	}
	btf_edit_type(e, id)->size = n * EXTERN_SIZE;
}

/*
 * The user wants another size: the last variable grows or shrinks if it is an
 * array and the size comes out even. Else the map goes without types.
 */
static void resize_datasec(const struct btf *btf, struct btf_edit *e, uint32_t id, uint32_t size)
{
	const struct btf_type *t = btf_type(btf, id), *array;
	const struct btf_var_secinfo *last;
	struct btf_var_secinfo *infos;
	uint32_t n = btf_vlen(t), resized;
	int64_t element;

	if (t->size == size || !n)
		return;
	last = &btf_secinfos(t)[n - 1];
	array = btf_type(btf, btf_skip_modifiers(btf, btf_type(btf, last->type)->type));
	if (btf_kind(array) != BTF_KIND_ARRAY || size <= last->offset)
		return;
	element = btf_size(btf, btf_array(array)->type);
	if (element <= 0 || (size - last->offset) % element)
		return;
	resized = btf_edit_add_array(e, btf_array(array)->index_type, btf_array(array)->type,
				     (size - last->offset) / element);
	if (!resized)
		return;
	infos = (struct btf_var_secinfo *)(btf_edit_type(e, id) + 1);
	infos[n - 1].size = size - last->offset;
	btf_edit_type(e, last->type)->type = resized;
	btf_edit_type(e, id)->size = size;
}

static int make_loadable(const struct object *obj, const struct load_config *cfg, struct report *rp,
			 struct btf **ret)
{
	_cleanup_(btf_edit_freep) struct btf_edit *e = btf_edit_new(obj->btf);

	if (!e)
		return report(rp, -ENOMEM, "out of memory");
	btf_for_each_type (id, obj->btf) {
		uint32_t kind = btf_kind(btf_type(obj->btf, id));

		if (kind == BTF_KIND_FUNC)
			fix_func(obj->btf, e, id);
		else if (kind == BTF_KIND_DATASEC)
			fix_externs(obj->btf, e, id);
	}
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		if (obj->maps[i].datasec)
			resize_datasec(obj->btf, e, obj->maps[i].datasec,
				       cfg->maps[i].params.value_size);
	}
	return btf_edit_finish(e, rp, ret);
}

int load_btf(struct loaded *l, const struct load_config *cfg, struct report *rp)
{
	_cleanup_(btf_unrefp) struct btf *fixed = NULL, *btf = NULL;
	_cleanup_str_ struct str log = {};
	const void *data;
	size_t len;
	int r;

	if (!l->obj->btf)
		return 0;
	if (!feature_has(l->env->features, FEATURE_BTF)) {
		report_note(rp, REPORT_INFO, "this kernel does not know BTF: going on without");
		return 0;
	}
	r = make_loadable(l->obj, cfg, rp, &fixed);
	r = r ? r : btf_sanitize(fixed, l->env->features, rp, &btf);
	if (r < 0)
		return r;
	data = btf_bytes(btf, &len);
	l->btf_fd = kbtf_load(data, len, cfg->log_level, &log);
	if (log.len && (l->btf_fd < 0 || cfg->log_level))
		report_log(rp, log.data, log.len);
	if (l->btf_fd < 0) {
		report_note(rp, REPORT_WARN,
			    "the kernel does not take the object's BTF (%s): going on "
			    "without types and line numbers",
			    errno_name(l->btf_fd));
		l->btf_fd = -1;
		return 0;
	}
	l->btf = take_ptr(btf);
	return 0;
}
