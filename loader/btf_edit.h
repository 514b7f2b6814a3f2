/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * btf_edit - make a new BTF: from nothing, or from one that exists.
 *
 * A struct btf is immutable; an edit is its mutable draft. Ids of a draft are
 * those that the result will have. Failures (no memory, over 65535 items in a type)
 * stick to the draft and come out of btf_edit_finish().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "loader/btf.h"

struct btf_edit;
struct feature;

/* @from NULL: an empty draft. NULL when out of memory. */
struct btf_edit *btf_edit_new(const struct btf *from);
void btf_edit_free(struct btf_edit *e);
DEFINE_CLEANUP(struct btf_edit, btf_edit_free)

/* Offset of @s in the strings, added if it is new. "" is 0. */
uint32_t btf_edit_str(struct btf_edit *e, const char *s);
/* The record of @id in the draft, writable until the next add. NULL if @id is out of range. */
struct btf_type *btf_edit_type(struct btf_edit *e, uint32_t id);
uint32_t btf_edit_n_types(const struct btf_edit *e);

/* Each adds one type and returns its id, 0 when out of memory. */
uint32_t btf_edit_add_int(struct btf_edit *e, const char *name, uint32_t size, uint32_t encoding);
uint32_t btf_edit_add_ref(struct btf_edit *e, uint32_t kind, const char *name, uint32_t type);
uint32_t btf_edit_add_array(struct btf_edit *e, uint32_t index_type, uint32_t type, uint32_t n);
/* struct or union of @n members to be filled in through btf_edit_type(); so are enums … */
uint32_t btf_edit_add_composite(struct btf_edit *e, uint32_t kind, const char *name, uint32_t size,
				uint32_t n);
uint32_t btf_edit_add_enum(struct btf_edit *e, const char *name, uint32_t size, bool is_signed,
			   uint32_t n);
uint32_t btf_edit_add_proto(struct btf_edit *e, uint32_t ret_type, uint32_t n_params);
uint32_t btf_edit_add_func(struct btf_edit *e, const char *name, uint32_t proto, uint32_t linkage);
uint32_t btf_edit_add_var(struct btf_edit *e, const char *name, uint32_t type, uint32_t linkage);
uint32_t btf_edit_add_datasec(struct btf_edit *e, const char *name, uint32_t size, uint32_t n);

/* btf_edit_finish() - check the draft as any other blob and make it a BTF. The draft stays. */
int btf_edit_finish(struct btf_edit *e, struct report *rp, struct btf **ret);

/**
 * btf_sanitize() - a BTF that this kernel accepts
 *
 * Replaces the kinds that an old kernel does not know by others of the same id
 * and size: VAR and DECL_TAG by an int, DATASEC by a struct of the same layout,
 * FUNC_PROTO by an enum, FUNC by a typedef (or a global function by a static
 * one), FLOAT by a struct, TYPE_TAG by const, ENUM64 by a union, and clears a
 * signed enum's flag. Types keep their ids, so func and line info stay valid.
 *
 * @ret: a new reference; @btf itself (counted) if nothing had to change.
 */
int btf_sanitize(struct btf *btf, struct feature *features, struct report *rp, struct btf **ret);
