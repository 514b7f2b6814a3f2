/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three questions that sound alike:
 *
 *   field	the same names lead to a field there, and it can be used alike:
 *		pointers whatever they point to, integers whatever their size,
 *		structs and unions whatever is in them
 *   type exists	the type of that name has the same shape on the outside;
 *		structs and enumerations need not agree in anything but the name
 *   type matches	all that the object's type has, the kernel's has too, with
 *		types that match in turn; behind a pointer only names must agree
 *
 * For all three: qualifiers and typedefs are skipped, enum and enum64 are one
 * kind, and what follows "___" in the name of a type is not part of it.
 */
#include <errno.h>
#include <string.h>

#include "loader/core_internal.h"

/* Two types to compare: one of the object, one of the kernel. */
struct pair {
	const struct btf *local, *kernel;
	uint32_t local_id, kernel_id;
};

static bool same_essential_name(const char *a, const char *b)
{
	size_t len = btf_essential_len(a);

	return len == btf_essential_len(b) && !memcmp(a, b, len);
}

/* Bit fields of before 2018 have an offset inside their integer: we cannot load those. */
static bool is_whole_int(const struct btf_type *t)
{
	return BTF_INT_OFFSET(btf_int_info(t)) == 0;
}

/* Can a field of the one type be read by code for the other? */
static bool fields_compatible(struct pair p)
{
	for (unsigned depth = 0; depth < BTF_MAX_DEPTH; depth++) {
		const struct btf_type *l, *k;
		const char *l_name, *k_name;

		l = btf_type(p.local, btf_skip_modifiers(p.local, p.local_id));
		k = btf_type(p.kernel, btf_skip_modifiers(p.kernel, p.kernel_id));
		if (btf_is_composite(l) && btf_is_composite(k))
			return true;
		if (!core_same_kind(l, k))
			return false;
		switch (btf_kind(l)) {
		case BTF_KIND_PTR:
		case BTF_KIND_FLOAT:
			return true;
		case BTF_KIND_INT:
			return is_whole_int(l) && is_whole_int(k);
		case BTF_KIND_FWD:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			l_name = btf_str(p.local, l->name_off);
			k_name = btf_str(p.kernel, k->name_off);
			return !*l_name || !*k_name || same_essential_name(l_name, k_name);
		case BTF_KIND_ARRAY:
			p.local_id = btf_array(l)->type;
			p.kernel_id = btf_array(k)->type;
			continue;
		default:
			return false;
		}
	}
	return false;
}

/* Look for the member in @id and what it holds without a name; @p grows by what is found. */
static int find_member(const struct core_job *job, const struct core_path *local,
		       const struct core_step *want, uint32_t id, unsigned depth,
		       struct core_path *p, uint32_t *ret_type)
{
	const struct btf_type *t, *owner = btf_type(local->btf, want->type_id);
	int r;

	id = btf_skip_modifiers(p->btf, id);
	t = btf_type(p->btf, id);
	if (!btf_is_composite(t))
		return 0;
	if (depth == CORE_MAX_LEVELS)
		return core_fail(job, -EINVAL, "type %u of the kernel nests over %d levels deep",
				 id, CORE_MAX_LEVELS);
	r = core_spend(job, 1 + btf_vlen(t));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = btf_str(p->btf, m->name_off);
		uint64_t bit_off = p->bit_off;
		uint32_t n_steps = p->n_steps;

		if (!*name) {
			if (!core_add_member(p, id, i))
				return 0;
			r = find_member(job, local, want, m->type, depth + 1, p, ret_type);
			if (r)
				return r;
			p->bit_off = bit_off;
			p->n_steps = n_steps;
			continue;
		}
		if (strcmp(name, want->name))
			continue;
		*ret_type = m->type;
		return fields_compatible((struct pair){
			       local->btf, p->btf, btf_members(owner)[want->idx].type, m->type }) &&
		       core_add_member(p, id, i);
	}
	return 0;
}

static int match_field(const struct core_job *job, const struct core_path *local,
		       struct core_path *ret)
{
	uint32_t id = ret->root_id;
	int r;

	for (uint32_t i = 0; i < local->n_steps; i++) {
		const struct core_step *want = &local->steps[i];

		if (want->name) {
			r = find_member(job, local, want, id, 0, ret, &id);
			if (r <= 0)
				return r;
			continue;
		}
		id = btf_skip_modifiers(ret->btf, id);
		/* The first element is of the array that the program's pointer points into. */
		if (i) {
			const struct btf_type *t = btf_type(ret->btf, id);

			if (btf_kind(t) != BTF_KIND_ARRAY ||
			    !core_element_fits(ret, btf_array(t), want->idx))
				return 0;
			id = btf_skip_modifiers(ret->btf, btf_array(t)->type);
		}
		if (!core_add_element(ret, id, want->idx))
			return 0;
	}
	return 1;
}

static int match_enumval(const struct core_job *job, const struct core_path *local,
			 struct core_path *ret)
{
	uint32_t id = btf_skip_modifiers(ret->btf, ret->root_id);
	const struct btf_type *t = btf_type(ret->btf, id);
	int r;

	if (!core_is_enum(t))
		return 0;
	r = core_spend(job, btf_vlen(t));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *name = core_enumerator(ret->btf, t, i);

		if (same_essential_name(name, local->steps[0].name)) {
			ret->steps[ret->n_steps++] = (struct core_step){ name, id, i };
			return 1;
		}
	}
	return 0;
}

static int too_deep(const struct core_job *job, const struct pair *p)
{
	return core_fail(job, -EINVAL,
			 "type %u of the object or type %u of the kernel nests over %d levels deep",
			 p->local_id, p->kernel_id, BTF_MAX_DEPTH);
}

/* Shape on the outside: what "type exists" wants. */
static int types_compatible(const struct core_job *job, struct pair p, unsigned depth)
{
	for (; depth < BTF_MAX_DEPTH; depth++) {
		const struct btf_type *l, *k;
		int r = core_spend(job, 1);

		if (r < 0)
			return r;
		p.local_id = btf_skip_modifiers(p.local, p.local_id);
		p.kernel_id = btf_skip_modifiers(p.kernel, p.kernel_id);
		l = btf_type(p.local, p.local_id);
		k = btf_type(p.kernel, p.kernel_id);
		if (!core_same_kind(l, k))
			return 0;
		switch (btf_kind(l)) {
		case BTF_KIND_UNKN:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FWD:
			return 1;
		case BTF_KIND_INT:
			return is_whole_int(l) && is_whole_int(k);
		case BTF_KIND_PTR:
			p.local_id = l->type;
			p.kernel_id = k->type;
			break;
		case BTF_KIND_ARRAY:
			p.local_id = btf_array(l)->type;
			p.kernel_id = btf_array(k)->type;
			break;
		case BTF_KIND_FUNC_PROTO:
			if (btf_vlen(l) != btf_vlen(k))
				return 0;
			for (uint32_t i = 0; i < btf_vlen(l); i++) {
				r = types_compatible(job,
						     (struct pair){ p.local, p.kernel,
								    btf_params(l)[i].type,
								    btf_params(k)[i].type },
						     depth + 1);
				if (r <= 0)
					return r;
			}
			p.local_id = l->type;
			p.kernel_id = k->type;
			break;
		default:
			return 0;
		}
	}
	return too_deep(job, &p);
}

static int types_match(const struct core_job *job, struct pair p, bool behind_ptr, unsigned depth);

/* Each enumerator of the object's exists in the kernel's; their values are not asked for. */
static int enums_match(const struct core_job *job, const struct pair *p, const struct btf_type *l,
		       const struct btf_type *k)
{
	if (l->size != k->size || btf_vlen(l) > btf_vlen(k))
		return 0;
	for (uint32_t i = 0; i < btf_vlen(l); i++) {
		const char *name = core_enumerator(p->local, l, i);
		uint32_t j = 0;
		int r;

		while (j < btf_vlen(k) &&
		       !same_essential_name(name, core_enumerator(p->kernel, k, j)))
			j++;
		r = core_spend(job, j + 1);
		if (r < 0)
			return r;
		if (j == btf_vlen(k))
			return 0;
	}
	return 1;
}

/* Each member of the object's has one of its name in the kernel's that matches. */
static int members_match(const struct core_job *job, const struct pair *p, const struct btf_type *l,
			 const struct btf_type *k, unsigned depth)
{
	if (btf_vlen(l) > btf_vlen(k))
		return 0;
	for (uint32_t i = 0; i < btf_vlen(l); i++) {
		const struct btf_member *lm = &btf_members(l)[i];
		const char *name = btf_str(p->local, lm->name_off);
		bool found = false;
		int r = core_spend(job, btf_vlen(k));

		for (uint32_t j = 0; r >= 0 && !found && j < btf_vlen(k); j++) {
			const struct btf_member *km = &btf_members(k)[j];

			if (!same_essential_name(name, btf_str(p->kernel, km->name_off)))
				continue;
			r = types_match(job,
					(struct pair){ p->local, p->kernel, lm->type, km->type },
					false, depth + 1);
			found = r > 0;
		}
		if (r < 0)
			return r;
		if (!found)
			return 0;
	}
	return 1;
}

/* A forward declaration says struct or union by its flag. */
static bool is_union(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_FWD ? btf_kflag(t) : btf_kind(t) == BTF_KIND_UNION;
}

static int composites_match(const struct core_job *job, const struct pair *p,
			    const struct btf_type *l, const struct btf_type *k, bool behind_ptr,
			    unsigned depth)
{
	if (!btf_is_composite(k) && btf_kind(k) != BTF_KIND_FWD)
		return 0;
	/* Behind a pointer a declaration is as good as a definition. */
	if ((!behind_ptr && btf_kind(l) != btf_kind(k)) || is_union(l) != is_union(k))
		return 0;
	if (behind_ptr || btf_kind(l) == BTF_KIND_FWD)
		return 1;
	return members_match(job, p, l, k, depth);
}

static int params_match(const struct core_job *job, const struct pair *p, const struct btf_type *l,
			const struct btf_type *k, bool behind_ptr, unsigned depth)
{
	int r = 1;

	if (btf_vlen(l) != btf_vlen(k))
		return 0;
	for (uint32_t i = 0; r > 0 && i < btf_vlen(l); i++)
		r = types_match(job,
				(struct pair){ p->local, p->kernel, btf_params(l)[i].type,
					       btf_params(k)[i].type },
				behind_ptr, depth + 1);
	return r;
}

/* All the way: what "type matches" wants. */
static int types_match(const struct core_job *job, struct pair p, bool behind_ptr, unsigned depth)
{
	for (; depth < BTF_MAX_DEPTH; depth++) {
		const struct btf_type *l, *k;
		int r = core_spend(job, 1);

		if (r < 0)
			return r;
		p.local_id = btf_skip_modifiers(p.local, p.local_id);
		p.kernel_id = btf_skip_modifiers(p.kernel, p.kernel_id);
		l = btf_type(p.local, p.local_id);
		k = btf_type(p.kernel, p.kernel_id);
		if (!same_essential_name(btf_str(p.local, l->name_off),
					 btf_str(p.kernel, k->name_off)))
			return 0;
		if (btf_is_composite(l) || btf_kind(l) == BTF_KIND_FWD)
			return composites_match(job, &p, l, k, behind_ptr, depth);
		if (!core_same_kind(l, k))
			return 0;
		switch (btf_kind(l)) {
		case BTF_KIND_UNKN:
			return 1;
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return enums_match(job, &p, l, k);
		case BTF_KIND_INT:
			return l->size == k->size && !((BTF_INT_ENCODING(btf_int_info(l)) ^
							BTF_INT_ENCODING(btf_int_info(k))) &
						       BTF_INT_SIGNED);
		case BTF_KIND_PTR:
			behind_ptr = true;
			p.local_id = l->type;
			p.kernel_id = k->type;
			break;
		case BTF_KIND_ARRAY:
			if (btf_array(l)->nelems != btf_array(k)->nelems)
				return 0;
			p.local_id = btf_array(l)->type;
			p.kernel_id = btf_array(k)->type;
			break;
		case BTF_KIND_FUNC_PROTO:
			r = params_match(job, &p, l, k, behind_ptr, depth);
			if (r <= 0)
				return r;
			p.local_id = l->type;
			p.kernel_id = k->type;
			break;
		default:
			return 0;
		}
	}
	return too_deep(job, &p);
}

int core_match(const struct core_job *job, const struct core_path *local, const struct btf *btf,
	       uint32_t id, struct core_path *ret)
{
	struct pair p = { local->btf, btf, local->root_id, id };

	ret->btf = btf;
	ret->root_id = id;
	ret->n_steps = 0;
	ret->bit_off = 0;
	if (core_kind_is_field(job->relo->kind))
		return match_field(job, local, ret);
	if (core_kind_is_enumval(job->relo->kind))
		return match_enumval(job, local, ret);
	if (job->relo->kind == BPF_CORE_TYPE_MATCHES)
		return types_match(job, p, false, 0);
	return types_compatible(job, p, 0);
}
