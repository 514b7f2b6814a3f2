/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object has tens of thousands of relocations, but asks few different
 * questions about few types. So each answer is kept by (type, kind, access
 * string), and each list of candidates by name; a type of the object points at
 * its name's list.
 *
 * Once a type's relocation has matched some of its candidates and not others,
 * the others are out for that type: "___flavour" types are written so that only
 * one kernel's type has such a field, and what follows is about the same type.
 */
#include "loader/core.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/hash.h"
#include "base/vec.h"
#include "loader/core_internal.h"
#include "loader/kernel_btf.h"

enum {
	/* Types and members looked at for one object: about two seconds. Real ones need 1/100. */
	MAX_STEPS = 1 << 28,
	MAX_CANDIDATES = 1 << 20, /* in all lists together; real ones have one a type */
};

struct candidate {
	const struct btf *btf;
	uint32_t id;
};

/* All candidates of one name and kind. */
struct list {
	struct hash_node node;
	const char *name; /* essential part, @len bytes, in the object's strings */
	size_t len;
	const struct btf_type *like; /* the type asked for first: all are of its kind */
	VEC(struct candidate) candidates;
};

/* What is left of the list for one type of the object. */
struct remaining {
	const struct candidate *candidates; /* the list's, or @own */
	struct candidate *own;
	uint32_t n;
	bool known;
};

struct answer {
	struct hash_node node;
	struct ext_core relo; /* its insn means nothing */
	struct core_decision decision;
};

struct core {
	const struct btf *local;
	struct kernel_btf *kernel;
	struct btf *target; /* custom, or vmlinux once it was needed */
	bool has_custom, has_modules;
	struct module_btf *modules;
	uint32_t n_modules;

	struct hash lists, answers;
	struct remaining *types; /* by id in @local */
	uint32_t n_candidates, n_steps;
};

struct core *core_new(const struct btf *local, struct kernel_btf *kernel, struct btf *custom)
{
	struct core *c = calloc(1, sizeof(*c));

	assert(kernel || custom);
	if (!c)
		return NULL;
	c->local = local;
	c->kernel = kernel;
	c->target = custom ? btf_ref(custom) : NULL;
	c->has_custom = custom;
	return c;
}

static void lists_free(struct hash *lists)
{
	for (size_t i = 0; i < lists->n_slots; i++) {
		for (struct hash_node *n = lists->slots[i], *next; n; n = next) {
			struct list *l = container_of(n, struct list, node);

			next = n->next;
			vec_deinit(&l->candidates);
			free(l);
		}
	}
	hash_deinit(lists);
}

static void answers_free(struct hash *answers)
{
	for (size_t i = 0; i < answers->n_slots; i++) {
		for (struct hash_node *n = answers->slots[i], *next; n; n = next) {
			next = n->next;
			free(container_of(n, struct answer, node));
		}
	}
	hash_deinit(answers);
}

void core_free(struct core *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; c->types && i < btf_n_types(c->local); i++)
		free(c->types[i].own);
	free(c->types);
	lists_free(&c->lists);
	answers_free(&c->answers);
	module_btfs_free(c->modules, c->n_modules);
	btf_unref(c->target);
	free(c);
}

int core_fail(const struct core_job *job, int err, const char *fmt, ...)
{
	char text[REPORT_TEXT_MAX], what[256];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	core_describe(job->local, job->relo, what, sizeof(what));
	r = report(job->rp, err, "program '%.128s': instruction %u: CO-RE relocation %s: %s",
		   job->prog, job->insn, what, text);
	if (job->rp) {
		snprintf(job->rp->prog, sizeof(job->rp->prog), "%s", job->prog);
		job->rp->insn = job->insn;
	}
	return r;
}

static int no_memory(const struct core_job *job)
{
	return core_fail(job, -ENOMEM, "out of memory");
}

int core_spend(const struct core_job *job, uint32_t n)
{
	struct core *c = job->core;

	if (n > MAX_STEPS - c->n_steps)
		return core_fail(job, -E2BIG,
				 "comparing the types of this object takes over %d "
				 "steps",
				 MAX_STEPS);
	c->n_steps += n;
	return 0;
}

/* The types of @btf that @list is for. */
static int add_candidates(const struct core_job *job, struct list *list, const struct btf *btf)
{
	for (uint32_t id = 0; (id = btf_find_essential(btf, list->name, list->len, id));) {
		int r;

		if (!core_same_kind(btf_type(btf, id), list->like))
			continue;
		r = core_spend(job, 1);
		if (r < 0)
			return r;
		if (job->core->n_candidates == MAX_CANDIDATES)
			return core_fail(job, -E2BIG,
					 "the kernel has over %d types of the names "
					 "that this object uses",
					 MAX_CANDIDATES);
		if (vec_push(&list->candidates, ((struct candidate){ btf, id })) < 0)
			return no_memory(job);
		job->core->n_candidates++;
	}
	return 0;
}

static int open_kernel(const struct core_job *job)
{
	struct core *c = job->core;

	return c->target ? 0 : kernel_btf_get(c->kernel, job->rp, &c->target);
}

static int open_modules(const struct core_job *job)
{
	struct core *c = job->core;
	int r;

	if (c->has_custom || c->has_modules)
		return 0;
	r = kernel_btf_modules(c->kernel, job->rp, &c->modules, &c->n_modules);
	if (r < 0)
		return r;
	c->has_modules = true;
	return 0;
}

static int fill_list(const struct core_job *job, struct list *list)
{
	struct core *c = job->core;
	int r = open_kernel(job);

	for (const struct btf *btf = c->target; r == 0 && btf; btf = btf_base(btf))
		r = add_candidates(job, list, btf);
	if (r < 0 || list->candidates.len)
		return r;
	r = open_modules(job);
	for (uint32_t i = 0; r == 0 && i < c->n_modules; i++)
		r = add_candidates(job, list, c->modules[i].btf);
	return r;
}

static int find_list(const struct core_job *job, const struct list **ret)
{
	struct core *c = job->core;
	const struct btf_type *t = btf_type(c->local, job->relo->type_id);
	const char *name = btf_str(c->local, t->name_off);
	size_t len = btf_essential_len(name);
	uint64_t hash = hash_bytes(name, len, core_is_enum(t) ? BTF_KIND_ENUM : btf_kind(t));
	struct list *list;
	int r;

	if (!len)
		return core_fail(job, -EINVAL, "the type has no name to find it by in the kernel");
	hash_for_each_match (n, &c->lists, hash) {
		list = container_of(n, struct list, node);
		if (list->len == len && !memcmp(list->name, name, len) &&
		    core_same_kind(list->like, t)) {
			*ret = list;
			return 0;
		}
	}
	list = calloc(1, sizeof(*list));
	if (!list)
		return no_memory(job);
	list->name = name;
	list->len = len;
	list->like = t;
	r = fill_list(job, list);
	if (r == 0 && hash_insert(&c->lists, &list->node, hash) < 0)
		r = no_memory(job);
	if (r < 0) {
		/* Candidates are counted in what is kept. */
		c->n_candidates -= list->candidates.len;
		vec_deinit(&list->candidates);
		free(list);
		return r;
	}
	*ret = list;
	return 0;
}

static int find_remaining(const struct core_job *job, struct remaining **ret)
{
	struct core *c = job->core;
	const struct list *list = NULL;
	struct remaining *left;
	int r;

	if (!c->types)
		c->types = calloc(btf_n_types(c->local), sizeof(*c->types));
	if (!c->types)
		return no_memory(job);
	left = &c->types[job->relo->type_id];
	if (!left->known) {
		r = find_list(job, &list);
		if (r < 0)
			return r;
		left->candidates = list->candidates.data;
		left->n = list->candidates.len;
		left->known = true;
	}
	*ret = left;
	return 0;
}

/* Keep only those of @left that @matched names. */
static int narrow(const struct core_job *job, struct remaining *left, const uint32_t *matched,
		  uint32_t n)
{
	struct candidate *own;

	if (!n || n == left->n)
		return 0;
	if (!left->own && n > MAX_CANDIDATES - job->core->n_candidates)
		return core_fail(job, -E2BIG, "too many types of the kernel match");
	own = left->own ?: malloc(n * sizeof(*own));
	if (!own)
		return no_memory(job);
	if (!left->own)
		job->core->n_candidates += n;
	/* Ascending, so this also works in place. */
	for (uint32_t i = 0; i < n; i++)
		own[i] = left->candidates[matched[i]];
	left->own = own;
	left->candidates = own;
	left->n = n;
	return 0;
}

/* Where the first candidate that matched has what is asked for, and all others must have it. */
struct found {
	uint64_t bit_off;
	struct candidate in;
};

static int agree(const struct core_job *job, const struct found *first,
		 const struct core_path *path, const struct core_value *value,
		 struct core_decision *d)
{
	if (path->bit_off != first->bit_off)
		return core_fail(job, -EINVAL,
				 "ambiguous: the kernel's types %u and %u, both of that name, have "
				 "it at bits %llu and %llu",
				 first->in.id, path->root_id, (unsigned long long)first->bit_off,
				 (unsigned long long)path->bit_off);
	if (value->absent != d->new.absent || value->value != d->new.value)
		return core_fail(job, -EINVAL,
				 "ambiguous: the kernel's types %u and %u, both of that name, say "
				 "%lld and %lld",
				 first->in.id, path->root_id, (long long)d->new.value,
				 (long long)value->value);
	if (value->size != d->new.size || value->is_ptr != d->new.is_ptr ||
	    value->is_unsigned != d->new.is_unsigned)
		d->sizes_differ = true;
	return 0;
}

static int ask_candidates(const struct core_job *job, const struct core_path *local,
			  struct core_decision *d)
{
	_cleanup_free_ uint32_t *matched = NULL;
	struct remaining *left = NULL;
	struct found first = {};
	uint32_t n = 0;
	int r;

	r = find_remaining(job, &left);
	if (r < 0)
		return r;
	matched = malloc((left->n ?: 1) * sizeof(*matched));
	if (!matched)
		return no_memory(job);
	for (uint32_t i = 0; i < left->n; i++) {
		const struct candidate *cand = &left->candidates[i];
		struct core_value value;
		struct core_path path;

		r = core_spend(job, 1);
		if (r == 0)
			r = core_match(job, local, cand->btf, cand->id, &path);
		if (r < 0)
			return r;
		if (!r)
			continue;
		r = core_compute(job, &path, &value);
		if (r < 0)
			return r;
		if (!n) {
			first = (struct found){ path.bit_off, *cand };
			d->new = value;
		}
		r = agree(job, &first, &path, &value, d);
		if (r < 0)
			return r;
		matched[n++] = i;
	}
	if (!n)
		return core_compute(job, NULL, &d->new);
	return narrow(job, left, matched, n);
}

static int decide(const struct core_job *job, struct core_decision *ret)
{
	struct core_path local;
	const char *why;
	int r;

	r = core_parse(job->local, job->relo, &local, &why);
	if (r < 0)
		return core_fail(job, r, "the relocation %s", why);
	*ret = (struct core_decision){};
	r = core_compute(job, &local, &ret->old);
	if (r < 0)
		return r;
	if (job->relo->kind == BPF_CORE_TYPE_ID_LOCAL) {
		ret->new = ret->old;
		return 0;
	}
	return ask_candidates(job, &local, ret);
}

static int find_answer(const struct core_job *job, const struct core_decision **ret)
{
	const struct ext_core *relo = job->relo;
	struct core *c = job->core;
	uint32_t key[3] = { relo->type_id, relo->kind, relo->access_off };
	uint64_t hash = hash_bytes(key, sizeof(key), 0);
	_cleanup_free_ struct answer *answer = NULL;
	int r;

	hash_for_each_match (n, &c->answers, hash) {
		struct answer *a = container_of(n, struct answer, node);

		if (a->relo.type_id == relo->type_id && a->relo.kind == relo->kind &&
		    a->relo.access_off == relo->access_off) {
			*ret = &a->decision;
			return 0;
		}
	}
	answer = calloc(1, sizeof(*answer));
	if (!answer)
		return no_memory(job);
	answer->relo = *relo;
	r = decide(job, &answer->decision);
	if (r < 0)
		return r;
	if (hash_insert(&c->answers, &answer->node, hash) < 0)
		return no_memory(job);
	*ret = &take_ptr(answer)->decision;
	return 0;
}

int core_relocate(struct core *c, const char *prog, struct bpf_insn *insns, uint32_t n_insns,
		  uint32_t insn, const struct ext_core *relo, struct report *rp)
{
	struct core_job job = { c, c->local, prog, insn, relo, rp };
	const struct core_decision *d = NULL;
	int r;

	if (relo->type_id >= btf_n_types(c->local))
		return core_fail(&job, -EINVAL, "the type does not exist");
	if (insn >= n_insns)
		return core_fail(&job, -EINVAL, "the program has only %u instructions", n_insns);
	r = find_answer(&job, &d);
	if (r < 0)
		return r;
	return core_patch(&job, insns, n_insns, d);
}
