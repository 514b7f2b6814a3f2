/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C declares from the inside out: "int (*x[4])(void)" is an array of pointers to
 * functions. The chain from the name to the base type is collected first; the
 * left half is printed from the base towards the name, the right half back.
 */
#include <errno.h>

#include "base/bits.h"
#include "loader/btf_print_priv.h"

enum { CONST = 1, VOLATILE = 2, RESTRICT = 4 };

struct link {
	uint32_t kind; /* PTR, ARRAY, FUNC_PROTO */
	uint32_t id;
	unsigned qualifiers; /* of the pointer */
};

struct chain {
	struct link links[PRINT_MAX_DEPTH]; /* the name's first */
	uint32_t n, base;
	unsigned qualifiers; /* of the base */
};

int print_check(struct printer *p)
{
	if (str_error(p->out) < 0)
		return report(p->rp, -ENOMEM, "out of memory to print types");
	if (p->out->len > p->max_len)
		return report(p->rp, -E2BIG,
			      "types without names are used so often that they take "
			      "over %zu bytes",
			      p->max_len);
	return 0;
}

static void indent(struct printer *p, unsigned level)
{
	for (unsigned i = 0; i < level; i++)
		str_add_char(p->out, '\t');
}

static void print_qualifiers(struct printer *p, unsigned q)
{
	if (q & CONST)
		str_add(p->out, "const ");
	if (q & VOLATILE)
		str_add(p->out, "volatile ");
	if (q & RESTRICT)
		str_add(p->out, "restrict ");
}

static int make_chain(const struct printer *p, uint32_t id, struct chain *c)
{
	unsigned q = 0;

	c->n = c->base = c->qualifiers = 0;
	for (unsigned i = 0; i < PRINT_MAX_DEPTH; i++) {
		const struct btf_type *t = btf_type(p->btf, id);

		switch (btf_kind(t)) {
		case BTF_KIND_CONST:
			q |= CONST;
			break;
		case BTF_KIND_VOLATILE:
			q |= VOLATILE;
			break;
		case BTF_KIND_RESTRICT:
			q |= RESTRICT;
			break;
		case BTF_KIND_TYPE_TAG:
			break;
		case BTF_KIND_PTR:
			c->links[c->n++] = (struct link){ BTF_KIND_PTR, id, q };
			q = 0;
			break;
		case BTF_KIND_ARRAY:
			/* A constant array is one of constant elements. */
			c->links[c->n++] = (struct link){ BTF_KIND_ARRAY, id, 0 };
			id = btf_array(t)->type;
			continue;
		case BTF_KIND_FUNC_PROTO:
			c->links[c->n++] = (struct link){ BTF_KIND_FUNC_PROTO, id, 0 };
			q = 0;
			break;
		default:
			c->base = id;
			/* Only pointers are restrict. */
			c->qualifiers = q & ~RESTRICT;
			return 0;
		}
		id = t->type;
	}
	return report(p->rp, -E2BIG, "type %u nests over %d levels deep", id, PRINT_MAX_DEPTH);
}

static int print_base(struct printer *p, uint32_t id, unsigned level, unsigned depth)
{
	const struct btf_type *t = btf_type(p->btf, id);
	bool named = *btf_str(p->btf, t->name_off);

	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		if (print_is_c_number(p->btf, t))
			str_add(p->out, btf_str(p->btf, t->name_off));
		else if (named)
			print_type_name(p, id);
		else
			str_add(p->out, print_c_number(t));
		return 0;
	case BTF_KIND_TYPEDEF:
		print_type_name(p, id);
		return 0;
	case BTF_KIND_FWD:
		str_add(p->out, btf_kflag(t) ? "union " : "struct ");
		print_type_name(p, id);
		return 0;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (named) {
			str_add(p->out, "enum ");
			print_type_name(p, id);
			return 0;
		}
		/* Its names are there already. */
		if (p->types[id].inlined || !btf_vlen(t)) {
			str_add(p->out, print_c_number(t));
			return 0;
		}
		return print_definition(p, id, level, depth + 1);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		if (!named)
			return print_definition(p, id, level, depth + 1);
		str_add(p->out, btf_kind(t) == BTF_KIND_UNION ? "union " : "struct ");
		print_type_name(p, id);
		return 0;
	default:
		str_add(p->out, "void");
		return 0;
	}
}

static int print_params(struct printer *p, uint32_t id, unsigned level, unsigned depth)
{
	const struct btf_type *t = btf_type(p->btf, id);
	uint32_t n = btf_vlen(t);

	str_add_char(p->out, '(');
	if (!n)
		str_add(p->out, "void");
	for (uint32_t i = 0; i < n; i++) {
		const struct btf_param *param = &btf_params(t)[i];
		int r = print_check(p);

		if (i)
			str_add(p->out, ", ");
		if (r == 0 && !param->type && i + 1 == n && i)
			str_add(p->out, "...");
		else if (r == 0)
			r = print_decl(p, param->type, btf_str(p->btf, param->name_off), level,
				       depth + 1);
		if (r < 0)
			return r;
	}
	str_add_char(p->out, ')');
	return 0;
}

/* "(*name)[4]": does the pointer need parentheses? */
static bool needs_parentheses(const struct chain *c, uint32_t i)
{
	return c->links[i].kind == BTF_KIND_PTR && i + 1 < c->n &&
	       c->links[i + 1].kind != BTF_KIND_PTR;
}

int print_decl(struct printer *p, uint32_t id, const char *name, unsigned level, unsigned depth)
{
	struct chain c;
	int r;

	if (depth >= PRINT_MAX_DEPTH)
		return report(p->rp, -E2BIG, "type %u nests over %d levels deep", id,
			      PRINT_MAX_DEPTH);
	r = make_chain(p, id, &c);
	if (r < 0)
		return r;
	print_qualifiers(p, c.qualifiers);
	r = print_base(p, c.base, level, depth);
	if (r < 0)
		return r;
	if ((name && *name) || c.n)
		str_add_char(p->out, ' ');
	for (uint32_t i = c.n; i-- > 0;) {
		if (c.links[i].kind != BTF_KIND_PTR)
			continue;
		if (needs_parentheses(&c, i))
			str_add_char(p->out, '(');
		str_add_char(p->out, '*');
		if (c.links[i].qualifiers)
			str_add_char(p->out, ' ');
		print_qualifiers(p, c.links[i].qualifiers);
	}
	if (name && *name)
		print_ident(p, name);
	for (uint32_t i = 0; i < c.n; i++) {
		if (needs_parentheses(&c, i))
			str_add_char(p->out, ')');
		else if (c.links[i].kind == BTF_KIND_ARRAY)
			str_printf(p->out, "[%u]",
				   btf_array(btf_type(p->btf, c.links[i].id))->nelems);
		else if (c.links[i].kind == BTF_KIND_FUNC_PROTO)
			r = print_params(p, c.links[i].id, level, depth);
		if (r < 0)
			return r;
	}
	return print_check(p);
}

/* Unnamed bit fields from bit @pos to @end, none more aligned than the type itself. */
static int print_hole(struct printer *p, uint64_t pos, uint64_t end, uint32_t align, unsigned level)
{
	static const struct {
		uint32_t bits;
		const char *name;
	} units[] = { { 64, "long long" }, { 32, "int" }, { 16, "short" }, { 8, "char" } };

	while (pos < end) {
		uint32_t bits = MIN(8 - pos % 8, end - pos);
		const char *name = "char";

		for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
			if (units[i].bits <= align * 8 && pos % units[i].bits == 0 &&
			    end - pos >= units[i].bits) {
				bits = units[i].bits;
				name = units[i].name;
				break;
			}
		}
		if (print_check(p) < 0)
			return print_check(p);
		indent(p, level);
		/* A long row, which may be 4 GiB, is one member with a name. */
		if (bits >= 8 && (end - pos) / bits >= 128) {
			str_printf(p->out, "%s __hole%u[%llu];\n", name, ++p->n_pads,
				   (unsigned long long)((end - pos) / bits));
			pos += (end - pos) / bits * bits;
			continue;
		}
		str_printf(p->out, "%s :%u;\n", name, bits);
		pos += bits;
	}
	return 0;
}

static int print_members(struct printer *p, uint32_t id, unsigned level, unsigned depth)
{
	const struct btf_type *t = btf_type(p->btf, id);
	const struct print_type *info = &p->types[id];
	bool is_union = btf_kind(t) == BTF_KIND_UNION;
	uint64_t pos = 0, max = 0, size = (uint64_t)t->size * 8;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		uint32_t width;
		uint64_t want = print_member_bits(p, t, i, &width), at = 0, end = 0;
		int r = print_place(p, t, i, info->packed, is_union ? 0 : pos, &at, &end, depth);

		if (r == 0 && !is_union && want > at) {
			r = print_hole(p, pos, want, info->align, level + 1);
			if (r == 0)
				r = print_place(p, t, i, info->packed, want, &at, &end, depth);
		}
		if (r < 0)
			return r;
		indent(p, level + 1);
		r = print_decl(p, m->type, btf_str(p->btf, m->name_off), level + 1, depth + 1);
		if (r < 0)
			return r;
		if (width)
			str_printf(p->out, "%s:%u", *btf_str(p->btf, m->name_off) ? "" : " ",
				   width);
		str_add(p->out, ";\n");
		pos = end;
		max = MAX(max, end);
	}
	if (align_up(max, info->align * 8) == size)
		return 0;
	if (!is_union)
		return print_hole(p, pos, size, info->align, level + 1);
	indent(p, level + 1);
	str_printf(p->out, "char __hole%u[%u];\n", ++p->n_pads, t->size);
	return 0;
}

static int print_composite(struct printer *p, uint32_t id, unsigned level, unsigned depth)
{
	const struct btf_type *t = btf_type(p->btf, id);
	int r = print_layout(p, id, depth);

	if (r < 0)
		return r;
	str_add(p->out, " {\n");
	if (p->types[id].opaque) {
		indent(p, level + 1);
		str_printf(p->out, "char __hole%u[%u]; // its layout cannot be said in C\n",
			   ++p->n_pads, t->size);
	} else {
		r = print_members(p, id, level, depth);
	}
	indent(p, level);
	str_add_char(p->out, '}');
	if (p->types[id].packed)
		str_add(p->out, " __attribute__((packed))");
	return r;
}

static void print_enum_value(struct printer *p, const struct btf_type *t, uint32_t i)
{
	if (btf_kind(t) == BTF_KIND_ENUM64) {
		uint64_t v = btf_enum64_value(&btf_enums64(t)[i]);

		/* The smallest number has no literal. */
		if (btf_kflag(t) && v == 1ull << 63)
			str_add(p->out, "-0x7fffffffffffffffLL - 1");
		else if (btf_kflag(t))
			str_printf(p->out, "%lldLL", (long long)v);
		else
			str_printf(p->out, "%lluULL", (unsigned long long)v);
	} else if (btf_kflag(t)) {
		str_add_i64(p->out, btf_enums(t)[i].val);
	} else {
		str_add_u64(p->out, (uint32_t)btf_enums(t)[i].val);
	}
}

static int print_enum(struct printer *p, uint32_t id, unsigned level)
{
	const struct btf_type *t = btf_type(p->btf, id);

	p->types[id].inlined = true;
	if (!btf_vlen(t))
		return 0;
	str_add(p->out, " {\n");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *name =
			btf_str(p->btf, btf_kind(t) == BTF_KIND_ENUM ? btf_enums(t)[i].name_off
								     : btf_enums64(t)[i].name_off);
		int r = print_check(p);

		indent(p, level + 1);
		if (r == 0)
			r = print_enumerator(p, name);
		if (r < 0)
			return r;
		str_add(p->out, " = ");
		print_enum_value(p, t, i);
		str_add(p->out, ",\n");
	}
	indent(p, level);
	str_add_char(p->out, '}');
	if (t->size != 4)
		str_printf(p->out, " __attribute__((mode(%s)))",
			   t->size == 1	  ? "QI"
			   : t->size == 2 ? "HI"
					  : "DI");
	return 0;
}

int print_definition(struct printer *p, uint32_t id, unsigned level, unsigned depth)
{
	const struct btf_type *t = btf_type(p->btf, id);
	bool is_enum = !btf_is_composite(t);

	if (depth >= PRINT_MAX_DEPTH)
		return report(p->rp, -E2BIG, "type %u nests over %d levels deep", id,
			      PRINT_MAX_DEPTH);
	str_add(p->out, is_enum ? "enum" : btf_kind(t) == BTF_KIND_UNION ? "union" : "struct");
	if (*btf_str(p->btf, t->name_off)) {
		str_add_char(p->out, ' ');
		print_type_name(p, id);
	}
	return is_enum ? print_enum(p, id, level) : print_composite(p, id, level, depth);
}
