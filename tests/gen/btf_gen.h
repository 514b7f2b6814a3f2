/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * btf_gen - write BTF and .BTF.ext for tests, good or with one defect.
 *
 *	struct btf_gen g = {};
 *	uint32_t t_int = gen_int(&g, "int", 4, BTF_INT_SIGNED);
 *	uint32_t s = gen_struct(&g, "point", 8, M("x", t_int, 0), M("y", t_int, 32));
 *	gen_finish(&g);			a whole, good blob: g.blob
 *	gen_header(&g)->type_len += 4;	the defect
 *
 * Nothing is checked. Running out of memory ends the test.
 */
#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { GEN_MAX_TYPES = 512 };

struct btf_gen {
	struct str types, strs;
	uint32_t offsets[GEN_MAX_TYPES]; /* of each record in @types */
	uint32_t n;			 /* records */
	/* Set before the first record to continue a base: its btf_n_types() and string bytes. */
	uint32_t first_id, first_str;
	uint32_t hdr_len; /* 0: as large as struct btf_header */
	struct str blob;
};

struct gen_member {
	const char *name;
	uint32_t type;
	uint32_t offset; /* as in the record: bits, with a kflag BITS(…) */
};
#define M(...)		  ((struct gen_member){ __VA_ARGS__ })
#define BITS(width, from) ((uint32_t)(width) << 24 | (from))

struct gen_value {
	const char *name;
	int64_t value;
};
#define E(...) ((struct gen_value){ __VA_ARGS__ })

/* Offset of @s, always added. NULL and "" are 0. */
uint32_t gen_str(struct btf_gen *g, const char *s);
/* Any record: the three words of struct btf_type and @n_words behind them. Returns its id. */
uint32_t gen_record(struct btf_gen *g, const char *name, uint32_t info, uint32_t size_or_type,
		    const uint32_t *words, size_t n_words);
#define GEN_INFO(kind, kflag, vlen) ((uint32_t)(kflag) << 31 | (uint32_t)(kind) << 24 | (vlen))

uint32_t gen_int(struct btf_gen *g, const char *name, uint32_t size, uint32_t encoding);
/* An integer of an old-style bit field. */
uint32_t gen_int_bits(struct btf_gen *g, const char *name, uint32_t size, uint32_t encoding,
		      uint32_t offset, uint32_t bits);
/* PTR, TYPEDEF, CONST, VOLATILE, RESTRICT, TYPE_TAG, FLOAT (@type is the size), FWD. */
uint32_t gen_ref(struct btf_gen *g, uint32_t kind, const char *name, uint32_t type);
uint32_t gen_array(struct btf_gen *g, uint32_t type, uint32_t n);
uint32_t gen_composite(struct btf_gen *g, uint32_t kind, bool kflag, const char *name,
		       uint32_t size, const struct gen_member *m, size_t n);
#define GEN_N_(type, ...) (sizeof((type[]){ __VA_ARGS__ }) / sizeof(type))
#define GEN_LIST_(...)	  (struct gen_member[]){ __VA_ARGS__ }, GEN_N_(struct gen_member, __VA_ARGS__)
#define gen_struct(g, name, size, ...) \
	gen_composite(g, BTF_KIND_STRUCT, false, name, size, GEN_LIST_(__VA_ARGS__))
#define gen_bitfields(g, name, size, ...) \
	gen_composite(g, BTF_KIND_STRUCT, true, name, size, GEN_LIST_(__VA_ARGS__))
#define gen_union(g, name, size, ...) \
	gen_composite(g, BTF_KIND_UNION, false, name, size, GEN_LIST_(__VA_ARGS__))
/* @kind: ENUM or ENUM64 */
uint32_t gen_enums(struct btf_gen *g, uint32_t kind, bool is_signed, const char *name,
		   uint32_t size, const struct gen_value *v, size_t n);
#define gen_enum(g, kind, is_signed, name, size, ...)                                  \
	gen_enums(g, kind, is_signed, name, size, (struct gen_value[]){ __VA_ARGS__ }, \
		  GEN_N_(struct gen_value, __VA_ARGS__))
/* Each parameter: name and type. */
uint32_t gen_proto(struct btf_gen *g, uint32_t ret, const struct gen_member *params, size_t n);
uint32_t gen_func(struct btf_gen *g, const char *name, uint32_t proto, uint32_t linkage);
uint32_t gen_var(struct btf_gen *g, const char *name, uint32_t type, uint32_t linkage);
/* @words: type, offset, size of each variable. */
uint32_t gen_datasec(struct btf_gen *g, const char *name, uint32_t size, const uint32_t *words,
		     size_t n_vars);
uint32_t gen_decl_tag(struct btf_gen *g, const char *name, uint32_t type, int32_t component);

/* Make @blob of what there is. */
void gen_finish(struct btf_gen *g);
/* In the finished blob, to be spoiled: */
struct btf_header *gen_header(struct btf_gen *g);
struct btf_type *gen_type(struct btf_gen *g, uint32_t id);
/* The words behind a record. */
uint32_t *gen_words(struct btf_gen *g, uint32_t id);
/* Where a record is in the blob, for the sentence. */
size_t gen_offset(const struct btf_gen *g, uint32_t id);
/* Turn the finished blob into that of a machine of the other byte order. */
void gen_swap(struct btf_gen *g);
void gen_deinit(struct btf_gen *g);

/*
 * ext_gen - .BTF.ext: a header and three tables of words that tests write as they like.
 */
enum gen_table { GEN_FUNCS, GEN_LINES, GEN_CORES, GEN_N_TABLES };

struct ext_gen {
	struct str tables[GEN_N_TABLES];
	uint32_t hdr_len; /* 0: with CO-RE */
	struct str blob;
};

void ext_words(struct ext_gen *x, enum gen_table table, const uint32_t *words, size_t n);
#define EXT(x, table, ...) \
	ext_words(x, table, (uint32_t[]){ __VA_ARGS__ }, GEN_N_(uint32_t, __VA_ARGS__))
void ext_finish(struct ext_gen *x);
/* Header words: 0 magic…, 1 hdr_len, 2 + 2 * table offset, 3 + 2 * table length. */
uint32_t *ext_header(struct ext_gen *x);
/* Where a word of a table is in the blob. */
size_t ext_offset(const struct ext_gen *x, enum gen_table table, size_t word);
void ext_swap(struct ext_gen *x);
void ext_deinit(struct ext_gen *x);
