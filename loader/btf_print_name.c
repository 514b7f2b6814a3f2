/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "loader/btf_print_priv.h"

enum { IDENT_MAX = 511 }; /* the kernel's limit for names */

/* A name that is taken. */
struct name {
	struct hash_node node;
	uint32_t n; /* how many wanted it */
	char text[];
};

/* Sorted, for bsearch(). */
static const char *const keywords[] = {
	"_Alignas",
	"_Alignof",
	"_Atomic",
	"_Bool",
	"_Complex",
	"_Generic",
	"_Imaginary",
	"_Noreturn",
	"_Static_assert",
	"_Thread_local",
	"asm",
	"auto",
	"break",
	"case",
	"char",
	"const",
	"continue",
	"default",
	"do",
	"double",
	"else",
	"enum",
	"extern",
	"float",
	"for",
	"goto",
	"if",
	"inline",
	"int",
	"long",
	"register",
	"restrict",
	"return",
	"short",
	"signed",
	"sizeof",
	"static",
	"struct",
	"switch",
	"typedef",
	"typeof",
	"union",
	"unsigned",
	"void",
	"volatile",
	"while",
};

static int compare_keyword(const void *name, const void *keyword)
{
	return strcmp(name, *(const char *const *)keyword);
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_';
}

/* @ret has IDENT_MAX + 1 bytes. */
static void make_ident(const char *name, char *ret)
{
	size_t len = 0;

	if (*name >= '0' && *name <= '9')
		ret[len++] = '_';
	for (; *name && len < IDENT_MAX - 1; name++)
		ret[len++] = is_alnum(*name) ? *name : '_';
	ret[len] = '\0';
	if (bsearch(ret, keywords, ARRAY_SIZE(keywords), sizeof(keywords[0]), compare_keyword))
		strcpy(ret + len, "_");
}

static struct name *find_name(const struct hash *h, const char *text, uint64_t hash)
{
	hash_for_each_match (n, h, hash) {
		struct name *name = container_of(n, struct name, node);

		if (!strcmp(name->text, text))
			return name;
	}
	return NULL;
}

/* One more that wants @text. Its name, or NULL when out of memory. */
static struct name *want_name(struct hash *h, const char *text)
{
	uint64_t hash = hash_str(text);
	struct name *name = find_name(h, text, hash);
	size_t len = strlen(text) + 1;

	if (!name) {
		name = malloc(sizeof(*name) + len);
		if (!name)
			return NULL;
		name->n = 0;
		memcpy(name->text, text, len);
		if (hash_insert(h, &name->node, hash) < 0) {
			free(name);
			return NULL;
		}
	}
	name->n++;
	return name;
}

/* The version that makes @text free: 1 for the first. 0 when out of memory. */
static uint32_t choose_version(struct hash *h, const char *text)
{
	struct name *name = want_name(h, text);
	char other[IDENT_MAX + 32];

	if (!name || name->n == 1)
		return name ? 1 : 0;
	for (;; name->n++) {
		snprintf(other, sizeof(other), "%s___%u", text, name->n);
		if (!find_name(h, other, hash_str(other)))
			return want_name(h, other) ? name->n : 0;
	}
}

static bool has_tag(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_kind(t) == BTF_KIND_ENUM ||
	       btf_kind(t) == BTF_KIND_ENUM64;
}

static int name_type(struct printer *p, uint32_t id, struct hash *h)
{
	char text[IDENT_MAX + 1];

	make_ident(btf_type_name(p->btf, id), text);
	p->types[id].version = choose_version(h, text);
	return p->types[id].version ? 0 : report(p->rp, -ENOMEM, "out of memory to print types");
}

/* A forward declaration has the name of what it declares, if that is here. */
static int name_fwd(struct printer *p, uint32_t id)
{
	const struct btf_type *t = btf_type(p->btf, id);
	const char *name = btf_str(p->btf, t->name_off);
	uint32_t kind = btf_kflag(t) ? BTF_KIND_UNION : BTF_KIND_STRUCT;
	uint32_t same = btf_find(p->btf, name, kind);

	/* The first of several of the same name may be of either kind: then it is a new name. */
	for (uint32_t fwd = btf_find(p->btf, name, BTF_KIND_FWD); !same && fwd && fwd < id;) {
		if (btf_kflag(btf_type(p->btf, fwd)) == btf_kflag(t))
			same = p->types[fwd].same_as ?: fwd;
		break;
	}
	p->types[id].same_as = same;
	return same ? 0 : name_type(p, id, &p->tags);
}

int print_names_init(struct printer *p)
{
	int r = 0;

	p->has_names = true;
	for (uint32_t id = 1; r == 0 && id < btf_n_types(p->btf); id++) {
		const struct btf_type *t = btf_type(p->btf, id);

		if (!*btf_str(p->btf, t->name_off))
			continue;
		if (has_tag(t))
			r = name_type(p, id, &p->tags);
		else if (btf_kind(t) == BTF_KIND_TYPEDEF ||
			 ((btf_kind(t) == BTF_KIND_INT || btf_kind(t) == BTF_KIND_FLOAT) &&
			  !print_is_c_number(p->btf, t)))
			r = name_type(p, id, &p->idents);
	}
	for (uint32_t id = 1; r == 0 && id < btf_n_types(p->btf); id++)
		if (btf_kind(btf_type(p->btf, id)) == BTF_KIND_FWD)
			r = name_fwd(p, id);
	return r;
}

static void names_free(struct hash *h)
{
	for (size_t i = 0; i < h->n_slots; i++) {
		for (struct hash_node *n = h->slots[i], *next; n; n = next) {
			next = n->next;
			free(container_of(n, struct name, node));
		}
	}
	hash_deinit(h);
}

void print_names_deinit(struct printer *p)
{
	names_free(&p->tags);
	names_free(&p->idents);
}

void print_ident(struct printer *p, const char *name)
{
	char text[IDENT_MAX + 1];

	make_ident(name, text);
	str_add(p->out, text);
}

void print_type_name(struct printer *p, uint32_t id)
{
	if (p->types[id].same_as)
		id = p->types[id].same_as;
	print_ident(p, btf_type_name(p->btf, id));
	if (p->types[id].version > 1)
		str_printf(p->out, "___%u", p->types[id].version);
}

int print_enumerator(struct printer *p, const char *name)
{
	char text[IDENT_MAX + 1];
	uint32_t version = 1;

	make_ident(name, text);
	if (p->has_names)
		version = choose_version(&p->idents, text);
	if (!version)
		return report(p->rp, -ENOMEM, "out of memory to print types");
	str_add(p->out, text);
	if (version > 1)
		str_printf(p->out, "___%u", version);
	return 0;
}

/* Bytes of an integer that C spells in these words, in any order; 0 if it is none. */
static uint32_t c_int_size(const char *name)
{
	static const char *const words[] = { "char",   "short",	   "int",      "long",
					     "signed", "unsigned", "__int128", "_Bool" };
	enum { CHAR, SHORT, INT, LONG, SIGNED, UNSIGNED, INT128, BOOL, N };
	unsigned n[N] = {};

	do {
		size_t len = strcspn(name, " "), i = 0;

		while (i < N && (strlen(words[i]) != len || strncmp(words[i], name, len) != 0))
			i++;
		if (i == N)
			return 0;
		n[i]++;
		name += len;
	} while (*name && *++name);
	if (n[CHAR] > 1 || n[SHORT] > 1 || n[INT] > 1 || n[LONG] > 2 || n[INT128] > 1 ||
	    n[BOOL] > 1 || n[SIGNED] + n[UNSIGNED] > 1)
		return 0;
	if (n[CHAR] + n[SHORT] + !!n[LONG] + n[INT128] + n[BOOL] > 1 ||
	    (n[INT] && n[CHAR] + n[INT128] + n[BOOL]) || (n[BOOL] && n[SIGNED] + n[UNSIGNED]))
		return 0;
	if (n[CHAR] || n[BOOL])
		return 1;
	if (n[INT128])
		return 16;
	return n[SHORT] ? 2 : n[LONG] ? 8 : 4;
}

bool print_is_c_number(const struct btf *btf, const struct btf_type *t)
{
	const char *name = btf_str(btf, t->name_off);

	if (btf_kind(t) == BTF_KIND_INT)
		return c_int_size(name) == t->size;
	return (!strcmp(name, "float") && t->size == 4) ||
	       (!strcmp(name, "double") && t->size == 8) ||
	       (!strcmp(name, "long double") && t->size == 16);
}

const char *print_c_number(const struct btf_type *t)
{
	bool is_signed = btf_kind(t) == BTF_KIND_INT
				 ? BTF_INT_ENCODING(btf_int_info(t)) & BTF_INT_SIGNED
				 : btf_kflag(t);

	if (btf_kind(t) == BTF_KIND_FLOAT)
		return t->size == 2   ? "_Float16"
		       : t->size == 4 ? "float"
		       : t->size == 8 ? "double"
				      : "long double";
	if (btf_kind(t) == BTF_KIND_INT && BTF_INT_ENCODING(btf_int_info(t)) & BTF_INT_BOOL &&
	    t->size == 1)
		return "_Bool";
	switch (t->size) {
	case 1:
		return is_signed ? "signed char" : "unsigned char";
	case 2:
		return is_signed ? "short" : "unsigned short";
	case 8:
		return is_signed ? "long long" : "unsigned long long";
	case 16:
		return is_signed ? "__int128" : "unsigned __int128";
	default:
		return is_signed ? "int" : "unsigned int";
	}
}
