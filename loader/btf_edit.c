/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/btf_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"
#include "loader/btf_priv.h"

/* Strings that are there, found by contents: open addressing, never full. */
struct str_index {
	uint32_t *slots; /* offset in strs + 1, 0 for a free slot */
	size_t n_slots;	 /* power of two */
	size_t used;
};

struct btf_edit {
	struct btf *base; /* of the result, as of what it was made from */
	uint32_t first_id, first_str;
	struct str types, strs;
	VEC(uint32_t) offsets; /* of each type in @types */
	struct str_index index;
	int err; /* the first failure */
};

static int set_error(struct btf_edit *e, int err)
{
	if (!e->err)
		e->err = err;
	return err;
}

struct btf_edit *btf_edit_new(const struct btf *from)
{
	_cleanup_(btf_edit_freep) struct btf_edit *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->first_id = 1;
	if (!from) {
		str_add_char(&e->strs, '\0');
		return str_error(&e->strs) < 0 ? NULL : take_ptr(e);
	}
	e->base = from->base ? btf_ref(from->base) : NULL;
	e->first_id = from->first_id;
	e->first_str = from->first_str;
	str_add_mem(&e->types, from->types, from->types_len);
	str_add_mem(&e->strs, from->strs, from->strs_len);
	if (str_error(&e->types) < 0 || str_error(&e->strs) < 0 ||
	    vec_reserve(&e->offsets, from->end_id - from->first_id) < 0)
		return NULL;
	e->offsets.len = from->end_id - from->first_id;
	if (e->offsets.len)
		memcpy(e->offsets.data, from->offsets, e->offsets.len * sizeof(uint32_t));
	return take_ptr(e);
}

void btf_edit_free(struct btf_edit *e)
{
	if (!e)
		return;
	btf_unref(e->base);
	str_deinit(&e->types);
	str_deinit(&e->strs);
	vec_deinit(&e->offsets);
	free(e->index.slots);
	free(e);
}

/* The slot of @s, or the free one where it would go. */
static uint32_t *index_slot(const struct btf_edit *e, const struct str_index *index, const char *s)
{
	size_t i = hash_str(s) & (index->n_slots - 1);

	while (index->slots[i] && strcmp(e->strs.data + index->slots[i] - 1, s) != 0)
		i = (i + 1) & (index->n_slots - 1);
	return &index->slots[i];
}

/* Twice as many slots; the first time all strings that came with the draft go in. */
static int index_grow(struct btf_edit *e)
{
	struct str_index bigger = { .n_slots = 64 };
	size_t n = e->index.used;

	for (size_t at = 0; !e->index.slots && at < e->strs.len; n++)
		at += strlen(e->strs.data + at) + 1;
	while (bigger.n_slots < n * 4)
		bigger.n_slots *= 2;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return set_error(e, -ENOMEM);
	for (size_t at = 0; at < e->strs.len; at += strlen(e->strs.data + at) + 1) {
		uint32_t *slot = index_slot(e, &bigger, e->strs.data + at);

		if (!*slot)
			bigger.used++;
		*slot = *slot ? *slot : at + 1;
	}
	free(e->index.slots);
	e->index = bigger;
	return 0;
}

uint32_t btf_edit_str(struct btf_edit *e, const char *s)
{
	size_t len = strlen(s) + 1, end;
	uint32_t *slot;

	if (!*s)
		return 0;
	if (e->index.used * 2 >= e->index.n_slots && index_grow(e) < 0)
		return 0;
	slot = index_slot(e, &e->index, s);
	if (*slot)
		return e->first_str + *slot - 1;
	if (__builtin_add_overflow(e->strs.len, len, &end) || end > UINT32_MAX - e->first_str) {
		set_error(e, -E2BIG);
		return 0;
	}
	str_add_mem(&e->strs, s, len);
	if (str_error(&e->strs) < 0) {
		set_error(e, -ENOMEM);
		return 0;
	}
	*slot = end - len + 1;
	e->index.used++;
	return e->first_str + *slot - 1;
}

struct btf_type *btf_edit_type(struct btf_edit *e, uint32_t id)
{
	if (id < e->first_id || id - e->first_id >= e->offsets.len)
		return NULL;
	return (struct btf_type *)(e->types.data + e->offsets.data[id - e->first_id]);
}

uint32_t btf_edit_n_types(const struct btf_edit *e)
{
	return e->first_id + e->offsets.len;
}

/* Add a record with @extra zero bytes behind it. Its id, or 0. */
static uint32_t add_type(struct btf_edit *e, uint32_t kind, const char *name, uint32_t vlen,
			 uint32_t size_or_type, size_t extra)
{
	size_t len = sizeof(struct btf_type) + extra;
	struct btf_type t = {
		.name_off = btf_edit_str(e, name),
		.info = kind << 24 | vlen,
		.size = size_or_type,
	};
	char *to;

	if (vlen > BTF_MAX_VLEN || e->types.len + len > UINT32_MAX) {
		set_error(e, -E2BIG);
		return 0;
	}
	if (e->err)
		return 0;
	to = str_reserve(&e->types, len);
	if (!to || vec_push(&e->offsets, (uint32_t)e->types.len) < 0) {
		set_error(e, -ENOMEM);
		return 0;
	}
	memset(to, 0, len);
	memcpy(to, &t, sizeof(t));
	e->types.len += len;
	return btf_edit_n_types(e) - 1;
}

/* The same with @extra bytes from @data. */
static uint32_t add_with(struct btf_edit *e, uint32_t kind, const char *name, uint32_t size_or_type,
			 const void *data, size_t extra)
{
	uint32_t id = add_type(e, kind, name, 0, size_or_type, extra);

	if (id)
		memcpy(btf_edit_type(e, id) + 1, data, extra);
	return id;
}

uint32_t btf_edit_add_int(struct btf_edit *e, const char *name, uint32_t size, uint32_t encoding)
{
	uint32_t info = encoding << 24 | size * 8;

	return add_with(e, BTF_KIND_INT, name, size, &info, sizeof(info));
}

uint32_t btf_edit_add_ref(struct btf_edit *e, uint32_t kind, const char *name, uint32_t type)
{
	return add_type(e, kind, name, 0, type, 0);
}

uint32_t btf_edit_add_array(struct btf_edit *e, uint32_t index_type, uint32_t type, uint32_t n)
{
	struct btf_array array = { .type = type, .index_type = index_type, .nelems = n };

	return add_with(e, BTF_KIND_ARRAY, "", 0, &array, sizeof(array));
}

uint32_t btf_edit_add_composite(struct btf_edit *e, uint32_t kind, const char *name, uint32_t size,
				uint32_t n)
{
	return add_type(e, kind, name, n, size, n * sizeof(struct btf_member));
}

uint32_t btf_edit_add_enum(struct btf_edit *e, const char *name, uint32_t size, bool is_signed,
			   uint32_t n)
{
	uint32_t kind = size > 4 ? BTF_KIND_ENUM64 : BTF_KIND_ENUM;
	uint32_t id =
		add_type(e, kind, name, n, size,
			 n * (size > 4 ? sizeof(struct btf_enum64) : sizeof(struct btf_enum)));

	if (id && is_signed)
		btf_edit_type(e, id)->info |= 1u << 31;
	return id;
}

uint32_t btf_edit_add_proto(struct btf_edit *e, uint32_t ret_type, uint32_t n_params)
{
	return add_type(e, BTF_KIND_FUNC_PROTO, "", n_params, ret_type,
			n_params * sizeof(struct btf_param));
}

uint32_t btf_edit_add_func(struct btf_edit *e, const char *name, uint32_t proto, uint32_t linkage)
{
	return add_type(e, BTF_KIND_FUNC, name, linkage, proto, 0);
}

uint32_t btf_edit_add_var(struct btf_edit *e, const char *name, uint32_t type, uint32_t linkage)
{
	return add_with(e, BTF_KIND_VAR, name, type, &linkage, sizeof(linkage));
}

uint32_t btf_edit_add_datasec(struct btf_edit *e, const char *name, uint32_t size, uint32_t n)
{
	return add_type(e, BTF_KIND_DATASEC, name, n, size, n * sizeof(struct btf_var_secinfo));
}

int btf_edit_finish(struct btf_edit *e, struct report *rp, struct btf **ret)
{
	struct btf_header hdr = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(hdr),
		.type_len = e->types.len,
		.str_off = e->types.len,
		.str_len = e->strs.len,
	};
	_cleanup_str_ struct str blob = {};

	if (e->err == -E2BIG)
		return report(rp, -E2BIG, "too many types, strings or members for one BTF");
	str_add_mem(&blob, &hdr, sizeof(hdr));
	str_add_mem(&blob, e->types.data, e->types.len);
	str_add_mem(&blob, e->strs.data, e->strs.len);
	if (e->err || str_error(&blob) < 0)
		return report(rp, -ENOMEM, "out of memory for a new BTF");
	return btf_parse(blob.data, blob.len, "new BTF", e->base, rp, ret);
}
