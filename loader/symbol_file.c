/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/symbol_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"
#include "loader/suggest.h"
#include "loader/symbol_priv.h"

int symbol_file_open(int fd, const char *path, struct report *rp, struct symbol_file **ret)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->path = strdup(path);
	if (!f->path)
		return -ENOMEM;
	r = symbol_read(fd, rp, f);
	if (r < 0)
		return r;
	*ret = take_ptr(f);
	return 0;
}

void symbol_file_free(struct symbol_file *f)
{
	if (!f)
		return;
	for (int i = 0; i < N_TABLES; i++) {
		free(f->tables[i].strings);
		free(f->tables[i].functions);
		free(f->tables[i].slots);
	}
	free(f->path);
	free(f);
}

/* "memcpy", "memcpy@GLIBC_2.2.5", "memcpy@@GLIBC_2.14" taken apart. */
struct query {
	const char *name;
	size_t name_len;
	const char *version; /* NULL: none asked for */
	bool only_default;
};

static struct query parse_query(const char *text)
{
	const char *at = strchr(text, '@');
	struct query q = { .name = text, .name_len = strlen(text) };

	/* A name may start with '@', but then that is no version. */
	if (at && at > text) {
		q.name_len = at - text;
		q.only_default = at[1] == '@';
		q.version = at + 1 + q.only_default;
	}
	return q;
}

/* The best function so far that has a name. */
struct answer {
	unsigned rank; /* 0: none */
	uint64_t offset;
	bool is_ambiguous;
	uint64_t other_offset;
	bool is_ifunc;
};

enum { RANK_FOUND = 1, RANK_STRONG = 2, RANK_DEFAULT = 4, RANK_PLAIN = 8 };

/* Real files have a handful of one name; a hostile one must not make each lookup walk millions. */
enum { SAME_NAME_MAX = 1 << 16 };

static void consider(struct answer *a, const struct function *fn)
{
	unsigned rank = RANK_FOUND | (fn->is_weak ? 0 : RANK_STRONG) |
			(fn->is_default ? RANK_DEFAULT : 0) | (fn->is_ifunc ? 0 : RANK_PLAIN);

	if (rank > a->rank) {
		*a = (struct answer){
			.rank = rank,
			.offset = fn->offset,
			.is_ifunc = fn->is_ifunc,
		};
	} else if (rank == a->rank && fn->offset != a->offset) {
		a->is_ambiguous = true;
		a->other_offset = fn->offset;
	}
}

static void find_in_table(const struct function_table *t, const struct query *q, struct answer *a)
{
	uint64_t hash = hash_bytes(q->name, q->name_len, 0);
	unsigned seen = 0;

	if (!t->n_slots)
		return;
	for (uint32_t i = t->slots[hash & (t->n_slots - 1)]; i && seen < SAME_NAME_MAX;
	     i = t->functions[i - 1].next, seen++) {
		const struct function *fn = &t->functions[i - 1];

		if (fn->name_len != q->name_len ||
		    memcmp(t->strings + fn->name, q->name, q->name_len))
			continue;
		if (q->version && (!fn->version || strcmp(t->strings + fn->version, q->version) ||
				   (q->only_default && !fn->is_default)))
			continue;
		consider(a, fn);
	}
}

/* A function's name without its version, cut where it does not fit. */
static const char *plain_name(const struct function_table *t, const struct function *fn,
			      char room[static SUGGEST_NAME_MAX + 2])
{
	size_t n = fn->name_len > SUGGEST_NAME_MAX ? SUGGEST_NAME_MAX + 1 : fn->name_len;

	memcpy(room, t->strings + fn->name, n);
	room[n] = '\0';
	return room;
}

static void suggest_functions(const struct symbol_file *f, struct suggest *close)
{
	char room[SUGGEST_NAME_MAX + 2];

	for (int i = 0; i < N_TABLES; i++)
		for (uint32_t k = 0; k < f->tables[i].n_functions; k++)
			suggest_add(close,
				    plain_name(&f->tables[i], &f->tables[i].functions[k], room));
}

/* The versions that exist of a name whose version does not. */
static void list_versions(const struct symbol_file *f, const struct query *q, struct str *out)
{
	unsigned n = 0;

	for (int i = 0; i < N_TABLES && !n; i++) {
		const struct function_table *t = &f->tables[i];

		for (uint32_t k = 0; k < t->n_functions && n < SUGGEST_NAMES; k++) {
			const struct function *fn = &t->functions[k];

			if (!fn->version || fn->name_len != q->name_len ||
			    memcmp(t->strings + fn->name, q->name, q->name_len))
				continue;
			str_printf(out, "%s%.*s%s%.64s", n++ ? ", " : "; it has ",
				   (int)(q->name_len < 64 ? q->name_len : 64), q->name,
				   fn->is_default ? "@@" : "@", t->strings + fn->version);
		}
	}
}

/* What is wrong with a file in which something was not found; "" if nothing is. */
static const char *file_remark(const struct symbol_file *f)
{
	if (f->n_elsewhere)
		return "; it holds debug information for code that is in another file";
	if (f->is_stripped)
		return "; it is stripped, so only functions that it exports are known";
	return "";
}

static int not_found(const struct symbol_file *f, const struct query *q, const char *name,
		     struct report *rp)
{
	_cleanup_free_ char *base = strndup(q->name, q->name_len);
	_cleanup_str_ struct str versions = {};

	if (!base)
		return -ENOMEM;
	if (q->version)
		list_versions(f, q, &versions);

	struct suggest close = SUGGEST_INIT(base);

	if (!versions.len)
		suggest_functions(f, &close);
	return report(rp, -ENOENT, "no symbol '%.200s' in %s%s%s%s", name, f->path,
		      suggest_text(&close), str_text(&versions), file_remark(f));
}

int symbol_file_find(const struct symbol_file *f, const char *name, struct report *rp,
		     uint64_t *ret_offset)
{
	struct query q = parse_query(name);
	struct answer a = {};

	for (int i = 0; i < N_TABLES; i++) {
		find_in_table(&f->tables[i], &q, &a);
		if (a.rank & RANK_PLAIN)
			break;
	}
	if (!a.rank)
		return not_found(f, &q, name, rp);
	if (a.is_ifunc)
		return report(
			rp, -EOPNOTSUPP,
			"'%.200s' in %s is an IFUNC: its symbol is the function that chooses "
			"an implementation; name the implementation, or the place as %s:0x%llx",
			name, f->path, f->path, (unsigned long long)a.offset);
	if (a.is_ambiguous)
		return report(
			rp, -EINVAL,
			"several functions in %s are named '%.200s': give the place in the file, "
			"0x%llx or 0x%llx or another",
			f->path, name, (unsigned long long)a.offset,
			(unsigned long long)a.other_offset);
	*ret_offset = a.offset;
	return 0;
}

typedef VEC(struct symbol) symbol_vec;

static int glob_table(const struct function_table *t, const char *pattern, symbol_vec *found)
{
	_cleanup_str_ struct str name = {};

	for (uint32_t i = 0; i < t->n_functions; i++) {
		const struct function *fn = &t->functions[i];
		struct symbol sym = { .offset = fn->offset };

		if (fn->is_ifunc)
			continue;
		str_truncate(&name, 0);
		str_add_mem(&name, t->strings + fn->name, fn->name_len);
		if (str_error(&name))
			return -ENOMEM;
		if (!glob_match(pattern, str_text(&name)))
			continue;
		sym.name = strdup(str_text(&name));
		if (!sym.name || vec_push(found, sym) < 0) {
			free(sym.name);
			return -ENOMEM;
		}
	}
	return 0;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Sort by offset and keep one name of each. */
static void sort_unique(symbol_vec *found)
{
	size_t kept = 0;

	if (!found->len)
		return;
	qsort(found->data, found->len, sizeof(*found->data), compare_symbols);
	for (size_t i = 1; i < found->len; i++) {
		if (found->data[i].offset == found->data[kept].offset)
			free(found->data[i].name);
		else
			found->data[++kept] = found->data[i];
	}
	found->len = kept + 1;
}

int symbol_file_glob(const struct symbol_file *f, const char *pattern, struct report *rp,
		     struct symbol **ret, uint32_t *ret_n)
{
	symbol_vec found = {};
	int r;

	r = glob_table(&f->tables[TABLE_SYMTAB], pattern, &found);
	if (r == 0 && !found.len)
		r = glob_table(&f->tables[TABLE_DYNSYM], pattern, &found);
	if (r < 0) {
		symbols_free(found.data, found.len);
		return r;
	}
	if (!found.len)
		return report(rp, -ENOENT, "no function in %s matches '%.200s'%s", f->path, pattern,
			      file_remark(f));
	sort_unique(&found);
	*ret = found.data;
	*ret_n = found.len;
	return 0;
}

void symbols_free(struct symbol *syms, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(syms[i].name);
	free(syms);
}
