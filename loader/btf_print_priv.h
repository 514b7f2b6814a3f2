/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * btf_print_priv - what the btf_print*.c files share.
 *
 *	btf_print.c	   what comes first: dependencies; sections, functions
 *	btf_print_decl.c   one declaration
 *	btf_print_layout.c where a compiler puts members, and how to make it
 *	btf_print_name.c   identifiers
 *
 * Nothing recurses deeper than PRINT_MAX_DEPTH, and the output is limited in
 * relation to the size of the BTF.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/report.h"
#include "base/str.h"
#include "loader/btf.h"

enum { PRINT_MAX_DEPTH = 64 };

enum print_state { PRINT_NONE, PRINT_BUSY, PRINT_DONE };

struct print_type {
	uint8_t name_state; /* may be used where its size does not matter */
	uint8_t full_state; /* is complete */
	bool laid_out : 1;  /* the next three are known */
	bool packed : 1;
	bool opaque : 1; /* printed as bytes */
	bool inlined : 1; /* an enumeration without a name that has been printed */
	uint16_t align;	  /* of what is printed */
	uint32_t version; /* from 2 on: part of the name; 0 and 1: not */
	uint32_t same_as; /* of a forward declaration: the type that it declares, or 0 */
};

struct printer {
	const struct btf *btf;
	struct report *rp;
	struct str *out;
	size_t max_len;		  /* of out */
	uint64_t steps;		  /* left for looking at members */
	struct print_type *types; /* by id, those of the base included */
	bool has_names;		  /* else all names are as they are */
	struct hash tags, idents; /* names that are taken: struct … and enum …; all others */
	uint32_t n_pads;
	uint32_t current; /* composite that is being defined */
};

/* Checks the limits. 0, -E2BIG, -ENOMEM with a sentence. */
int print_check(struct printer *p);

/* btf_print_name.c */
int print_names_init(struct printer *p);
void print_names_deinit(struct printer *p);
/* Any text as an identifier. */
void print_ident(struct printer *p, const char *name);
/* The name of type @id, without "struct". */
void print_type_name(struct printer *p, uint32_t id);
/* An enumerator, renamed if the name is taken. */
int print_enumerator(struct printer *p, const char *name);
/* Does C know the integer or float by its name, with that size? Else it needs a typedef. */
bool print_is_c_number(const struct btf *btf, const struct btf_type *t);
/* What C calls a number of that size. */
const char *print_c_number(const struct btf_type *t);

/* btf_print_layout.c */
/* Fills p->types[id] of a struct or union. 0, -E2BIG. */
int print_layout(struct printer *p, uint32_t id, unsigned depth);
/* A member of @t as bits; @ret_width is 0 for one that is no bit field. */
uint64_t print_member_bits(const struct printer *p, const struct btf_type *t, uint32_t i,
			   uint32_t *ret_width);
/* Where member @i of @t ends up behind bit @pos; @ret_end: the bit behind it. 0, -EINVAL, -E2BIG. */
int print_place(struct printer *p, const struct btf_type *t, uint32_t i, bool packed, uint64_t pos,
		uint64_t *ret_at, uint64_t *ret_end, unsigned depth);

/* btf_print_decl.c */
/* "type name" without a semicolon; @name as it is, NULL for none. */
int print_decl(struct printer *p, uint32_t id, const char *name, unsigned level, unsigned depth);
/* "struct x { … }", "enum x { … }" */
int print_definition(struct printer *p, uint32_t id, unsigned level, unsigned depth);
