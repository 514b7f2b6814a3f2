/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A type can be needed in two ways: by name (a pointer leads to it) or in full
 * (a value of it is contained). By name, a struct needs only "struct x;", but a
 * typedef its definition, which in turn needs its target by name. So circles of
 * pointers resolve, and a circle that is left is no C.
 *
 * The search is depth first with a stack of its own: how deep types contain each
 * other is the file's choice.
 */
#include "loader/btf_print.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/vec.h"
#include "loader/btf_print_priv.h"

enum { MIN_OUTPUT = 1 << 24, MIN_STEPS = 1 << 22, PER_BYTE = 16 };

struct need {
	uint32_t id;
	bool full;
};

/* A type that waits for what it needs: those from needs[first] on, next is the one to look at. */
struct frame {
	struct need what;
	size_t first, next;
};

struct order {
	struct printer *p;
	VEC(struct need) needs;
	VEC(struct frame) frames;
};

static int no_memory(const struct printer *p)
{
	return report(p->rp, -ENOMEM, "out of memory to print types");
}

static uint8_t *state_of(struct printer *p, struct need n)
{
	return n.full ? &p->types[n.id].full_state : &p->types[n.id].name_state;
}

static int add_need(struct order *o, uint32_t id, bool full)
{
	struct need n = { id, full };

	/* What the base has is there. So is the name of a struct inside its own definition. */
	if (id < btf_first_id(o->p->btf) || (!full && id == o->p->current) ||
	    *state_of(o->p, n) == PRINT_DONE)
		return 0;
	return vec_push(&o->needs, n) < 0 ? no_memory(o->p) : 0;
}

static int collect(struct order *o, uint32_t id, bool full, unsigned depth);

static int collect_members(struct order *o, uint32_t id, unsigned depth)
{
	const struct btf_type *t = btf_type(o->p->btf, id);
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < btf_vlen(t); i++)
		r = collect(o, btf_members(t)[i].type, true, depth + 1);
	return r;
}

static int collect_params(struct order *o, const struct btf_type *t, unsigned depth)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < btf_vlen(t); i++)
		r = collect(o, btf_params(t)[i].type, false, depth + 1);
	return r;
}

/* What must be declared before type @id can be written, in full or by name. */
static int collect(struct order *o, uint32_t id, bool full, unsigned depth)
{
	const struct btf *btf = o->p->btf;
	int r;

	for (; depth < PRINT_MAX_DEPTH; depth++) {
		const struct btf_type *t = btf_type(btf, id);
		bool named = *btf_str(btf, t->name_off);

		if (!o->p->steps--)
			return report(o->p->rp, -E2BIG, "types take too many steps to print");
		switch (btf_kind(t)) {
		case BTF_KIND_PTR:
			full = false;
			break;
		case BTF_KIND_ARRAY:
			full = true;
			id = btf_array(t)->type;
			continue;
		case BTF_KIND_FUNC_PROTO:
			r = collect_params(o, t, depth);
			if (r < 0)
				return r;
			full = false;
			break;
		case BTF_KIND_TYPEDEF:
			r = add_need(o, id, false);
			if (r < 0 || !full)
				return r;
			break;
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			return named ? add_need(o, id, full) : collect_members(o, id, depth);
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return named ? add_need(o, id, true) : 0;
		case BTF_KIND_FWD:
			return add_need(o, o->p->types[id].same_as ?: id, false);
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
			return named && !print_is_c_number(btf, t) ? add_need(o, id, false) : 0;
		default:
			if (!btf_is_modifier(t))
				return 0;
			break;
		}
		id = t->type;
	}
	return report(o->p->rp, -E2BIG, "type %u nests over %d levels deep", id, PRINT_MAX_DEPTH);
}

static bool is_enum(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_ENUM || btf_kind(t) == BTF_KIND_ENUM64;
}

/* Types whose definition is one statement that needs others only by name. */
static bool is_alias(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_TYPEDEF || btf_kind(t) == BTF_KIND_INT ||
	       btf_kind(t) == BTF_KIND_FLOAT;
}

static int print_alias(struct printer *p, uint32_t id)
{
	const struct btf_type *t = btf_type(p->btf, id);
	struct str name = {}, *out = p->out;
	int r = 0;

	/* The compiler has this one, and does not want to hear it again. */
	if (!strcmp(btf_str(p->btf, t->name_off), "__builtin_va_list"))
		return 0;
	p->out = &name;
	print_type_name(p, id);
	p->out = out;
	str_add(out, "typedef ");
	if (btf_kind(t) == BTF_KIND_TYPEDEF)
		r = print_decl(p, t->type, str_text(&name), 0, 0);
	else
		str_printf(out, "%s %s", print_c_number(t), str_text(&name));
	str_add(out, ";\n\n");
	if (str_error(&name) < 0)
		r = no_memory(p);
	str_deinit(&name);
	return r;
}

/* All that @n needs is printed. */
static int print_need(struct printer *p, struct need n)
{
	const struct btf_type *t = btf_type(p->btf, n.id);
	int r;

	*state_of(p, n) = PRINT_DONE;
	if (is_alias(t))
		return print_alias(p, n.id);
	if (!n.full) {
		if (p->types[n.id].full_state == PRINT_DONE)
			return 0;
		r = btf_kind(t) == BTF_KIND_FWD ? btf_kflag(t) : btf_kind(t) == BTF_KIND_UNION;
		str_add(p->out, r ? "union " : "struct ");
		print_type_name(p, n.id);
		str_add(p->out, ";\n\n");
		return print_check(p);
	}
	p->types[n.id].name_state = PRINT_DONE;
	r = print_definition(p, n.id, 0, 0);
	str_add(p->out, ";\n\n");
	return r < 0 ? r : print_check(p);
}

static int open_frame(struct order *o, struct need n)
{
	struct printer *p = o->p;
	const struct btf_type *t = btf_type(p->btf, n.id);
	struct frame f = { n, o->needs.len, o->needs.len };
	int r = 0;

	*state_of(p, n) = PRINT_BUSY;
	if (vec_push(&o->frames, f) < 0)
		return no_memory(p);
	if (btf_kind(t) == BTF_KIND_TYPEDEF)
		return collect(o, t->type, false, 0);
	if (n.full && btf_is_composite(t)) {
		p->current = n.id;
		r = collect_members(o, n.id, 0);
		p->current = 0;
	}
	return r;
}

static int print_in_order(struct order *o, struct need first)
{
	struct printer *p = o->p;
	int r = *state_of(p, first) == PRINT_DONE ? 0 : open_frame(o, first);

	while (r == 0 && o->frames.len) {
		struct frame *f = &o->frames.data[o->frames.len - 1];

		if (f->next == o->needs.len) {
			struct need n = f->what;

			o->needs.len = f->first;
			o->frames.len--;
			r = print_need(p, n);
			continue;
		}
		struct need n = o->needs.data[f->next++];

		if (*state_of(p, n) == PRINT_BUSY)
			return report(p->rp, -EINVAL, "type %u contains itself", n.id);
		if (*state_of(p, n) == PRINT_NONE)
			r = open_frame(o, n);
	}
	return r;
}

/* Each line of @text as a comment. */
static void print_comment(struct printer *p, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		str_add(p->out, "// ");
		str_add_mem(p->out, text, len);
		str_add_char(p->out, '\n');
		text += len + (text[len] == '\n');
	}
}

static void print_linkage(struct printer *p, const struct btf_type *t)
{
	uint32_t linkage = btf_kind(t) == BTF_KIND_VAR ? btf_var(t)->linkage : btf_vlen(t);

	/* Both kinds count alike: static, global, extern. */
	if (linkage == BTF_VAR_STATIC)
		str_add(p->out, "static ");
	else if (linkage == BTF_VAR_GLOBAL_EXTERN)
		str_add(p->out, "extern ");
}

/* A variable or a function. */
static int print_object(struct printer *p, uint32_t id)
{
	const struct btf_type *t = btf_type(p->btf, id);
	int r;

	print_linkage(p, t);
	r = print_decl(p, t->type, btf_str(p->btf, t->name_off), 0, 0);
	str_add_char(p->out, ';');
	return r;
}

/* print_object() as a comment. */
static int print_object_comment(struct printer *p, uint32_t id)
{
	struct str *out = p->out, text = {};
	int r;

	/* The limit counts what is there already. */
	p->out = &text;
	r = print_object(p, id);
	p->out = out;
	print_comment(p, str_text(&text));
	if (r == 0 && str_error(&text) < 0)
		r = no_memory(p);
	str_deinit(&text);
	return r < 0 ? r : print_check(p);
}

static int print_datasec(struct printer *p, uint32_t id)
{
	const struct btf_type *t = btf_type(p->btf, id);
	struct str name = {};
	int r = 0;

	str_add_word(&name, btf_str(p->btf, t->name_off), strlen(btf_str(p->btf, t->name_off)));
	str_printf(p->out, "\n// section %s\n", str_text(&name));
	str_deinit(&name);
	for (uint32_t i = 0; r == 0 && i < btf_vlen(t); i++)
		r = print_object_comment(p, btf_secinfos(t)[i].type);
	return r < 0 ? r : print_check(p);
}

/* Enumerations without a name that nothing uses: their names are constants. */
static int print_constants(struct printer *p)
{
	int r = 0;

	btf_for_each_type (id, p->btf) {
		const struct btf_type *t = btf_type(p->btf, id);

		if (!is_enum(t) || *btf_str(p->btf, t->name_off) || p->types[id].inlined ||
		    !btf_vlen(t))
			continue;
		r = print_definition(p, id, 0, 0);
		str_add(p->out, ";\n\n");
		if (r < 0)
			return r;
	}
	return 0;
}

static int print_all(struct printer *p)
{
	struct order o = { .p = p };
	int r = print_names_init(p);

	for (uint32_t id = btf_first_id(p->btf) ?: 1; r == 0 && id < btf_n_types(p->btf); id++) {
		const struct btf_type *t = btf_type(p->btf, id);

		if (!*btf_str(p->btf, t->name_off))
			continue;
		if (btf_is_composite(t) || is_enum(t))
			r = print_in_order(&o, (struct need){ id, true });
		else if (btf_kind(t) == BTF_KIND_TYPEDEF ||
			 (btf_kind(t) == BTF_KIND_FWD && !p->types[id].same_as))
			r = print_in_order(&o, (struct need){ id, false });
	}
	vec_deinit(&o.needs);
	vec_deinit(&o.frames);
	if (r == 0)
		r = print_constants(p);
	for (uint32_t id = btf_first_id(p->btf) ?: 1; r == 0 && id < btf_n_types(p->btf); id++) {
		if (btf_kind(btf_type(p->btf, id)) == BTF_KIND_DATASEC)
			r = print_datasec(p, id);
		else if (btf_kind(btf_type(p->btf, id)) == BTF_KIND_FUNC)
			r = print_object_comment(p, id);
	}
	return r;
}

static int print_one(struct printer *p, uint32_t id)
{
	const struct btf_type *t = btf_type(p->btf, id);
	int r;

	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		r = print_definition(p, id, 0, 0);
		str_add(p->out, ";\n");
		return r;
	case BTF_KIND_FWD:
		r = print_decl(p, id, NULL, 0, 0);
		str_add(p->out, ";\n");
		return r;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		r = print_alias(p, id);
		/* One line, not a paragraph. */
		if (p->out->len && p->out->data[p->out->len - 1] == '\n')
			str_truncate(p->out, p->out->len - 1);
		return r;
	case BTF_KIND_VAR:
	case BTF_KIND_FUNC:
		r = print_object(p, id);
		str_add_char(p->out, '\n');
		return r;
	case BTF_KIND_DATASEC:
		return print_datasec(p, id);
	default:
		return report(p->rp, -EINVAL, "type %u has no declaration of its own", id);
	}
}

static int with_printer(const struct btf *btf, uint32_t id, struct report *rp, struct str *out)
{
	struct printer p = { .btf = btf, .rp = rp, .out = out };
	size_t len = 0;
	int r;

	btf_bytes(btf, &len);
	p.max_len = out->len + MAX((size_t)MIN_OUTPUT, len * PER_BYTE);
	p.steps = MIN_STEPS + (uint64_t)len * PER_BYTE;
	p.types = calloc(btf_n_types(btf), sizeof(*p.types));
	if (!p.types)
		return no_memory(&p);
	r = id ? print_one(&p, id) : print_all(&p);
	print_names_deinit(&p);
	free(p.types);
	if (r == 0)
		r = print_check(&p);
	return r;
}

int btf_print_all(const struct btf *btf, struct report *rp, struct str *out)
{
	return with_printer(btf, 0, rp, out);
}

int btf_print_type(const struct btf *btf, uint32_t id, struct report *rp, struct str *out)
{
	if (!id || id >= btf_n_types(btf))
		return report(rp, -EINVAL, "there is no type %u", id);
	return with_printer(btf, id, rp, out);
}
