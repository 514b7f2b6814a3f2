/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * btf - BPF type format: parse, check, index, look up.
 *
 * A struct btf is immutable and counted, so that one copy of the kernel's types
 * serves every object at once. Its types stay where they are in the blob (which
 * may be a mapping of /sys/kernel/btf/vmlinux): after btf_parse() has checked
 * every record, every type id, every name offset and every length, a const
 * struct btf_type * is safe to follow without asking again. What parsing does
 * NOT rule out are circles (a typedef of itself, a struct inside itself), so
 * whoever walks counts its steps: BTF_MAX_DEPTH.
 *
 * Blobs of the other endianness are swapped while they are copied.
 *
 * Ids: 0 is void; a split BTF (module) continues the ids of its base.
 */
#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"

enum { BTF_MAX_DEPTH = 32 };

struct btf;

/**
 * btf_parse() - check and copy a blob
 * @what: for sentences: ".BTF", "/sys/kernel/btf/vmlinux"; not kept
 * @base: NULL, or the base of a split BTF; a reference is taken
 *
 * Return: 0; -EBADMSG with "WHAT+0xOFFSET: …" for anything malformed;
 * -EOPNOTSUPP for a version or kind that is not known; -ENOMEM.
 */
int btf_parse(const void *data, size_t len, const char *what, struct btf *base, struct report *rp,
	      struct btf **ret);
/**
 * btf_parse_file() - raw BTF, or an ELF file with a .BTF section
 *
 * The kernel's own blobs in sysfs are mapped where it can (6.13), anything else is
 * read: nobody must be able to change or cut a file after it has been checked.
 *
 * Return: as btf_parse(); -ENOENT if an ELF file has no .BTF; what open(2) said.
 */
int btf_parse_file(const char *path, struct btf *base, struct report *rp, struct btf **ret);

struct btf *btf_ref(struct btf *btf);
void btf_unref(struct btf *btf); /* NULL is fine */
DEFINE_CLEANUP(struct btf, btf_unref)
/* Does anybody but the caller hold a reference right now? */
bool btf_is_shared(const struct btf *btf);

/* The native-endian blob (of this BTF alone, without its base). */
const void *btf_bytes(const struct btf *btf, size_t *ret_len);
struct btf *btf_base(const struct btf *btf);

/* Ids below this exist, those of the base included. */
uint32_t btf_n_types(const struct btf *btf);
/* First id that is not the base's. */
uint32_t btf_first_id(const struct btf *btf);
/* @id must be below btf_n_types(); 0 gives a record of kind BTF_KIND_UNKN. */
const struct btf_type *btf_type(const struct btf *btf, uint32_t id);
/* "" for an offset out of range. */
const char *btf_str(const struct btf *btf, uint32_t off);
bool btf_has_str(const struct btf *btf, uint32_t off);
static inline const char *btf_type_name(const struct btf *btf, uint32_t id)
{
	return btf_str(btf, btf_type(btf, id)->name_off);
}

#define btf_for_each_type(id, btf)                                                                 \
	for (uint32_t id = btf_first_id(btf) ? btf_first_id(btf) : 1; id < btf_n_types(btf); id++)

static inline uint32_t btf_kind(const struct btf_type *t)
{
	return BTF_INFO_KIND(t->info);
}
static inline uint32_t btf_vlen(const struct btf_type *t)
{
	return BTF_INFO_VLEN(t->info);
}
static inline bool btf_kflag(const struct btf_type *t)
{
	return BTF_INFO_KFLAG(t->info);
}
static inline bool btf_is_composite(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_STRUCT || btf_kind(t) == BTF_KIND_UNION;
}
/* const, volatile, restrict, typedef, type_tag */
bool btf_is_modifier(const struct btf_type *t);

/* What stands behind the record; the kind must fit. */
static inline const struct btf_member *btf_members(const struct btf_type *t)
{
	return (const struct btf_member *)(t + 1);
}
static inline const struct btf_array *btf_array(const struct btf_type *t)
{
	return (const struct btf_array *)(t + 1);
}
static inline const struct btf_enum *btf_enums(const struct btf_type *t)
{
	return (const struct btf_enum *)(t + 1);
}
static inline const struct btf_enum64 *btf_enums64(const struct btf_type *t)
{
	return (const struct btf_enum64 *)(t + 1);
}
static inline uint64_t btf_enum64_value(const struct btf_enum64 *e)
{
	return (uint64_t)e->val_hi32 << 32 | e->val_lo32;
}
static inline const struct btf_param *btf_params(const struct btf_type *t)
{
	return (const struct btf_param *)(t + 1);
}
static inline const struct btf_var_secinfo *btf_secinfos(const struct btf_type *t)
{
	return (const struct btf_var_secinfo *)(t + 1);
}
static inline const struct btf_var *btf_var(const struct btf_type *t)
{
	return (const struct btf_var *)(t + 1);
}
static inline uint32_t btf_int_info(const struct btf_type *t)
{
	return *(const uint32_t *)(t + 1);
}
static inline uint32_t btf_member_bit_offset(const struct btf_type *t, uint32_t i)
{
	uint32_t off = btf_members(t)[i].offset;

	return btf_kflag(t) ? BTF_MEMBER_BIT_OFFSET(off) : off;
}
/* 0 for a member that is no bit field (old-style bit fields are in the int's own record). */
static inline uint32_t btf_member_bits(const struct btf_type *t, uint32_t i)
{
	return btf_kflag(t) ? BTF_MEMBER_BITFIELD_SIZE(btf_members(t)[i].offset) : 0;
}

/* Follow modifiers and typedefs to the type behind them; 0 (void) also for a circle. */
uint32_t btf_skip_modifiers(const struct btf *btf, uint32_t id);
/* Bytes of a value: -EINVAL for what has no size (void, func, fwd), -E2BIG on a circle or overflow. */
int64_t btf_size(const struct btf *btf, uint32_t id);
/* Alignment in bytes, 0 if it cannot be told. */
uint32_t btf_alignment(const struct btf *btf, uint32_t id);
/*
 * Does it print as a character string when in an array? Plain char, of either signedness;
 * no typedef of it, nor "unsigned char": those are bytes (u8 mac[6]).
 */
bool btf_is_char(const struct btf *btf, uint32_t id);

/**
 * btf_find() - the first type of a name and kind, base included
 *
 * Uses an index of all names, built at the first call (safe from any thread).
 * Return: the id, or 0.
 */
uint32_t btf_find(const struct btf *btf, const char *name, uint32_t kind);

/**
 * btf_find_essential() - ids whose name is @name up to a "___flavour"
 * @name: @len bytes, itself without flavour
 * @after: 0 to start, else the id that the last call returned
 *
 * Types of any kind, of this BTF only (not of its base), in no particular order.
 * Return: the next id, or 0.
 */
uint32_t btf_find_essential(const struct btf *btf, const char *name, size_t len, uint32_t after);
/* Length of @name without "___flavour". */
size_t btf_essential_len(const char *name);

/* "struct", "typedef", …; "kind 23" style for others is the caller's. NULL if unknown. */
const char *btf_kind_name(uint32_t kind);
