/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * core_internal - what the four core*.c files share.
 *
 *	core.c        candidates, what they agree on, memory of both
 *	core_spec.c   access string -> path in the object's types
 *	core_match.c  path there -> path in the kernel's types
 *	core_patch.c  path -> value -> instruction
 *
 * Nothing here trusts either BTF beyond what btf_parse() checked: circles end at
 * a depth, and what could fan out (types that are compared member by member) is
 * counted against one budget for the whole object, core_spend().
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/report.h"
#include "loader/btf.h"
#include "loader/core.h"

enum {
	CORE_MAX_LEVELS = 64, /* members and elements of one path, anonymous ones included */
};
/* No path leads further than a 32-bit byte offset. */
#define CORE_MAX_BITS (8ull << 32)

/* The relocation that is being worked on. */
struct core_job {
	struct core *core;
	const struct btf *local;
	const char *prog;
	uint32_t insn;
	const struct ext_core *relo;
	struct report *rp;
};

/* One step of a path. Anonymous members are no steps, only their offsets count. */
struct core_step {
	const char *name; /* of a member or enumerator; NULL: an element of an array */
	uint32_t type_id; /* what has the member, or what the element is; modifiers skipped */
	uint32_t idx;
};

/*
 * Where a relocation points, in one BTF. A field's path starts with an element:
 * "p[0]" of the pointer that the program had. An enumerator's path is one step,
 * a type's has none.
 */
struct core_path {
	const struct btf *btf;
	uint32_t root_id; /* as named, modifiers not skipped */
	uint32_t n_steps;
	uint64_t bit_off; /* of a field, below CORE_MAX_BITS */
	struct core_step steps[CORE_MAX_LEVELS];
};

/* What a relocation asks for, in one BTF. */
struct core_value {
	uint64_t value;
	bool absent;	  /* there is none: poison */
	bool checked;	  /* in the object's BTF: the instruction must hold it */
	bool is_enum32;	  /* its upper half depends on the compiler's idea of signs */
	uint32_t size;	  /* bytes of a field that is loaded or stored, 0 for anything else */
	bool is_ptr;	  /* that field is a pointer … */
	bool is_unsigned; /* … or an unsigned integer: it may change its size */
};

/* What all candidates agree on: all that is needed to change an instruction. */
struct core_decision {
	struct core_value old, new;
	bool sizes_differ; /* between candidates: nothing that loads or stores can do that */
};

static inline bool core_kind_is_field(uint32_t kind)
{
	return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}
static inline bool core_kind_is_enumval(uint32_t kind)
{
	return kind == BPF_CORE_ENUMVAL_EXISTS || kind == BPF_CORE_ENUMVAL_VALUE;
}
static inline bool core_is_enum(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_ENUM || btf_kind(t) == BTF_KIND_ENUM64;
}
/* 32-bit and 64-bit enumerations are one kind to CO-RE. */
static inline bool core_same_kind(const struct btf_type *a, const struct btf_type *b)
{
	return btf_kind(a) == btf_kind(b) || (core_is_enum(a) && core_is_enum(b));
}
/* Name of enumerator @i of an enum or enum64. */
const char *core_enumerator(const struct btf *btf, const struct btf_type *t, uint32_t i);

/* The sentence of a failed relocation: program, instruction, what it wanted, then @fmt. */
int core_fail(const struct core_job *job, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Take @n steps from the object's budget: 0, or -E2BIG with a sentence when it is used up. */
int core_spend(const struct core_job *job, uint32_t n);

/**
 * core_parse() - the path that @relo describes in the object's own types
 * @ret_why: on failure what is wrong with it, a constant
 *
 * Return: 0, -EINVAL, -EOPNOTSUPP for a kind of relocation that is not known.
 */
int core_parse(const struct btf *local, const struct ext_core *relo, struct core_path *ret,
	       const char **ret_why);

/*
 * Member @i of @t behind path's end: adds a step if it has a name, its offset in any case.
 * False if the path gets too long or leads too far.
 */
bool core_add_member(struct core_path *p, uint32_t composite_id, uint32_t i);
/* Element @idx of type @type_id. False as above, or if it has no size. */
bool core_add_element(struct core_path *p, uint32_t type_id, uint32_t idx);
/*
 * May element @idx of @array be meant, which @p has led to? Beyond its end only if it is the
 * flexible end of a struct (or in a union), of no size of its own.
 */
bool core_element_fits(const struct core_path *p, const struct btf_array *array, uint32_t idx);

/**
 * core_match() - is type @id of @btf one that @local can mean?
 * @ret: path to the same thing there
 *
 * Return: 1; 0 if not; -EINVAL, -E2BIG with a sentence if the types nest without end.
 */
int core_match(const struct core_job *job, const struct core_path *local, const struct btf *btf,
	       uint32_t id, struct core_path *ret);

/* core_compute() - what job's relocation asks for at @path; NULL: where nothing matches. 0, -EINVAL. */
int core_compute(const struct core_job *job, const struct core_path *path, struct core_value *ret);

/* core_patch() - write the decision into instruction job->insn of @insns. 0, -EINVAL. */
int core_patch(const struct core_job *job, struct bpf_insn *insns, uint32_t n_insns,
	       const struct core_decision *d);
