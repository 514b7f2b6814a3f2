/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiling walks the type once, as printing would, and writes down what to do.
 * What does not depend on the value (braces, commas, keys) collects in a pending
 * literal for each style; a step takes it along.
 *
 * The BTF is checked as far as btf.h says; what can still be wrong in it is found
 * here: a member that reaches behind its struct, a struct inside itself, types so
 * nested or so overlapping that a small value would print without end. Memory and
 * time are bounded by MAX_STEPS and MAX_POOL, output by MAX_BLOW_UP.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/vec.h"
#include "loader/btf.h"
#include "loader/value_priv.h"

enum {
	MAX_STEPS = 65536,    /* members looked at, too */
	MAX_POOL = 8 << 20,   /* bytes of literals, and of enumerators */
	MAX_BLOW_UP = 4096,   /* bytes of output for a byte of value … */
	SMALL_OUTPUT = 65536, /* … unless it is no more than this altogether */
	SCALAR_COST = 40,
	ENUM_CACHE = 64,
	NAME_PARTS = 16, /* pointers and dimensions that value_format_name() shows */
};

struct compiler {
	const struct btf *btf;
	struct report *rp;
	VEC(struct step) steps;
	VEC(struct enum_table) tables;
	VEC(struct enum_value) values;
	struct str pool, pending[N_STYLES];
	struct {
		uint32_t id, table;
	} enum_cache[ENUM_CACHE]; /* by id modulo; a miss only costs memory */
	unsigned work;		  /* against MAX_STEPS */
	uint64_t cost;		  /* bytes of output at most, UINT64_MAX for "very many" */
	bool flexible;
	char *name; /* of the whole type, for sentences */
};

/* Where a value lies; offsets count from the innermost loop's element. */
struct place {
	uint64_t bit;	/* first one */
	uint64_t end;	/* byte behind the struct or element that it must not leave */
	unsigned depth; /* structs, unions and arrays around it */
	bool tail;	/* at the end of it all: an array without length has what is left */
};

/* The members of one pair of braces, those of anonymous members included. */
struct members {
	bool any;
	bool outermost;
};

static int compile_type(struct compiler *c, uint32_t id, uint32_t bits, struct place at);

static int no_memory(struct compiler *c)
{
	return report(c->rp, -ENOMEM, "out of memory for the format of '%s'", c->name);
}

static int too_much(struct compiler *c)
{
	return report(c->rp, -E2BIG, "'%s' is too large or too nested to be shown", c->name);
}

/* Counts everything that is done for a member, so that one that emits nothing counts, too. */
static int step_work(struct compiler *c)
{
	if (++c->work > MAX_STEPS || c->pending[VALUE_JSON].len > MAX_POOL ||
	    c->pending[VALUE_TEXT].len > MAX_POOL)
		return too_much(c);
	return 0;
}

static uint64_t add_cost(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t mul_cost(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static void pend(struct compiler *c, const char *text)
{
	for (unsigned i = 0; i < N_STYLES; i++)
		str_add(&c->pending[i], text);
}

/* Add the pending text or an enumerator's name to the pool. */
static int add_lit(struct compiler *c, struct str *text, struct lit *ret)
{
	int r = str_error(text);

	if (r < 0)
		return no_memory(c);
	if (text->len > MAX_POOL - c->pool.len)
		return too_much(c);
	*ret = (struct lit){ c->pool.len, text->len };
	str_add_mem(&c->pool, str_text(text), text->len);
	str_truncate(text, 0);
	return str_error(&c->pool) < 0 ? no_memory(c) : 0;
}

/* @cost: bytes that the step prints behind its literal, at most. */
static int emit(struct compiler *c, struct step s, uint64_t cost)
{
	int r = step_work(c);

	for (unsigned i = 0; r == 0 && i < N_STYLES; i++)
		r = add_lit(c, &c->pending[i], &s.lit[i]);
	if (r < 0)
		return r;
	c->cost = add_cost(c->cost, add_cost(s.lit[VALUE_JSON].len, cost));
	return vec_push(&c->steps, s) < 0 ? no_memory(c) : 0;
}

static int compare_values(const void *a, const void *b)
{
	const struct enum_value *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	/* The first of several names for a value stands first in the pool, too. */
	return x->lit[VALUE_JSON].off < y->lit[VALUE_JSON].off ? -1 : 1;
}

static int add_enum_value(struct compiler *c, const char *name, uint64_t value)
{
	struct enum_value e = { .value = value };
	_cleanup_str_ struct str text = {};
	int r;

	if (c->values.len >= MAX_POOL / sizeof(e))
		return too_much(c);
	str_add_json(&text, name, strlen(name));
	r = add_lit(c, &text, &e.lit[VALUE_JSON]);
	if (r < 0)
		return r;
	str_add_word(&text, name, strlen(name));
	/* Nearly always what stands between the quotes. */
	if (text.len == e.lit[VALUE_JSON].len - 2 &&
	    !memcmp(text.data, c->pool.data + e.lit[VALUE_JSON].off + 1, text.len))
		e.lit[VALUE_TEXT] = (struct lit){ e.lit[VALUE_JSON].off + 1, text.len };
	else
		r = add_lit(c, &text, &e.lit[VALUE_TEXT]);
	if (r < 0)
		return r;
	return vec_push(&c->values, e) < 0 ? no_memory(c) : 0;
}

static int build_enum_table(struct compiler *c, const struct btf_type *t, struct enum_table *ret)
{
	struct enum_value *values;
	uint32_t n = 0;

	*ret = (struct enum_table){
		.first = c->values.len,
		.mask = t->size < 8 ? (UINT64_C(1) << (8 * t->size)) - 1 : UINT64_MAX,
	};
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		bool wide = btf_kind(t) == BTF_KIND_ENUM64;
		uint32_t name = wide ? btf_enums64(t)[i].name_off : btf_enums(t)[i].name_off;
		uint64_t value = wide		? btf_enum64_value(&btf_enums64(t)[i])
				 : btf_kflag(t) ? (uint64_t)(int64_t)btf_enums(t)[i].val
						: (uint32_t)btf_enums(t)[i].val;
		int r = add_enum_value(c, btf_str(c->btf, name), value & ret->mask);

		if (r < 0)
			return r;
		ret->max_len =
			MAX(ret->max_len, c->values.data[c->values.len - 1].lit[VALUE_JSON].len);
	}
	if (!btf_vlen(t))
		return 0;
	values = c->values.data + ret->first;
	qsort(values, btf_vlen(t), sizeof(*values), compare_values);
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!n || values[i].value != values[n - 1].value)
			values[n++] = values[i];
	c->values.len = ret->first + n;
	ret->n = n;
	ret->dense = values[n - 1].value - values[0].value == n - 1;
	return 0;
}

static int enum_table(struct compiler *c, uint32_t id, uint32_t *ret)
{
	const struct btf_type *t = btf_type(c->btf, id);
	struct enum_table table;
	int r;

	if (c->enum_cache[id % ENUM_CACHE].id == id) {
		*ret = c->enum_cache[id % ENUM_CACHE].table;
		return 0;
	}
	r = build_enum_table(c, t, &table);
	if (r < 0)
		return r;
	if (vec_push(&c->tables, table) < 0)
		return no_memory(c);
	c->enum_cache[id % ENUM_CACHE].id = id;
	*ret = c->enum_cache[id % ENUM_CACHE].table = c->tables.len - 1;
	return 0;
}

static bool is_scalar(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_PTR:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FLOAT:
		return true;
	default:
		return false;
	}
}

static int bad_member(struct compiler *c, const char *why)
{
	return report(c->rp, -EBADMSG, "'%s' has a member that %s", c->name, why);
}

/* How to load @bits from bit @bit; all of them lie before byte @end. */
static int set_load(struct compiler *c, struct step *s, uint64_t bit, uint32_t bits, bool is_signed,
		    uint64_t end)
{
	uint64_t last;

	if (__builtin_add_overflow(bit, bits, &last) || last > mul_cost(end, 8))
		return bad_member(c, "reaches behind its end");
	s->off = bit / 8;
	s->bit = bit % 8;
	s->bits = bits;
	if (bits > 64)
		s->show = SHOW_WIDE;
	else if (s->bit || !is_pow2(bits) || bits < 8)
		s->load = is_signed ? LOAD_IBITS : LOAD_UBITS;
	else
		s->load = (is_signed ? LOAD_I8 : LOAD_U8) + __builtin_ctz(bits / 8);
	return 0;
}

static int int_step(struct compiler *c, const struct btf_type *t, uint32_t bits, struct place at,
		    struct step *s)
{
	uint32_t info = btf_int_info(t);
	bool is_signed = BTF_INT_ENCODING(info) & BTF_INT_SIGNED;

	s->show = BTF_INT_ENCODING(info) & BTF_INT_BOOL ? SHOW_BOOL
		  : is_signed				? SHOW_INT
							: SHOW_UINT;
	/* Old compilers gave a bit field an integer type of its own. */
	if (!bits) {
		bits = BTF_INT_BITS(info);
		at.bit = add_cost(at.bit, BTF_INT_OFFSET(info));
	}
	return set_load(c, s, at.bit, bits, is_signed && s->show == SHOW_INT, at.end);
}

/* The step that shows a scalar; @bits is 0 or those of a bit field. */
static int scalar_step(struct compiler *c, uint32_t id, uint32_t bits, struct place at,
		       struct step *s, uint64_t *cost)
{
	const struct btf_type *t = btf_type(c->btf, id);
	int r;

	*cost = SCALAR_COST;
	s->stride = btf_kind(t) == BTF_KIND_PTR ? 8 : t->size;
	if (bits > s->stride * 8)
		return bad_member(c, "has more bits than its type");
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return int_step(c, t, bits, at, s);
	case BTF_KIND_PTR:
		s->show = SHOW_PTR;
		return set_load(c, s, at.bit, 64, false, at.end);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		s->show = SHOW_ENUM;
		r = enum_table(c, id, &s->arg);
		if (r < 0)
			return r;
		*cost = MAX((uint64_t)SCALAR_COST, (uint64_t)c->tables.data[s->arg].max_len);
		return set_load(c, s, at.bit, bits ? bits : t->size * 8, btf_kflag(t), at.end);
	default:
		s->show = t->size == 4 ? SHOW_FLOAT : t->size == 8 ? SHOW_DOUBLE : SHOW_BYTES;
		if (bits || at.bit % 8)
			return bad_member(c, "is a bit field of a float");
		if (!range_fits(at.bit / 8, t->size, at.end))
			return bad_member(c, "reaches behind its end");
		s->off = at.bit / 8;
		return 0;
	}
}

static int compile_scalar(struct compiler *c, uint32_t id, uint32_t bits, struct place at)
{
	struct step s = {};
	uint64_t cost;
	int r = scalar_step(c, id, bits, at, &s, &cost);

	return r < 0 ? r : emit(c, s, cost);
}

/* All elements in one step. */
static int compile_scalar_array(struct compiler *c, uint32_t id, struct step s, uint64_t stride)
{
	uint64_t off = s.off, cost;
	struct place element = { .end = stride };
	int r;

	r = scalar_step(c, id, 0, element, &s, &cost);
	if (r < 0)
		return r;
	/* An old-style bit field may begin in a later byte of its element. */
	s.off += off;
	s.stride = stride;
	s.array = true;
	pend(c, "[");
	r = emit(c, s, mul_cost(s.count, cost));
	pend(c, "]");
	return r;
}

/* Elements that are arrays or structs: a loop around the steps of one. */
static int compile_loop(struct compiler *c, uint32_t id, struct step s, unsigned depth)
{
	struct place element = { .end = s.stride, .depth = depth };
	uint64_t before, body;
	uint32_t start;
	int r;

	s.show = SHOW_LOOP;
	pend(c, "[");
	r = emit(c, s, 1);
	if (r < 0)
		return r;
	start = c->steps.len;
	before = c->cost;
	r = compile_type(c, id, 0, element);
	if (r < 0)
		return r;
	s.show = SHOW_NEXT;
	s.arg = start;
	r = emit(c, s, 1);
	if (r < 0)
		return r;
	pend(c, "]");
	c->steps.data[start - 1].arg = c->steps.len;
	body = c->cost - before;
	if (body > SMALL_OUTPUT && body / MAX_BLOW_UP > s.stride)
		return too_much(c);
	c->cost = add_cost(before, mul_cost(body, s.count));
	return 0;
}

static int compile_array(struct compiler *c, const struct btf_type *t, struct place at)
{
	const struct btf_array *array = btf_array(t);
	uint32_t id = btf_skip_modifiers(c->btf, array->type);
	int64_t stride = btf_size(c->btf, id);
	struct step s = { .off = at.bit / 8, .count = array->nelems };

	if (stride < 0)
		return stride == -E2BIG
			       ? too_much(c)
			       : report(c->rp, -EINVAL,
					"'%s' has an array of elements without a size", c->name);
	s.stride = stride;
	s.flexible = !s.count && at.tail && stride;
	c->flexible |= s.flexible;
	if (btf_is_char(c->btf, array->type)) {
		s.show = SHOW_CHARS;
		/* A byte may print as \u00ff. */
		return emit(c, s, add_cost(mul_cost(s.count, 6), 2));
	}
	/* Elements of no bytes: however many there are, there is nothing to show. */
	if (!stride || (!s.count && !s.flexible)) {
		pend(c, "[]");
		return 0;
	}
	if (is_scalar(btf_type(c->btf, id)))
		return compile_scalar_array(c, id, s, stride);
	return compile_loop(c, id, s, at.depth + 1);
}

static void add_key(struct compiler *c, const char *name, struct members *in)
{
	size_t len = strlen(name);

	if (in->any) {
		str_add_char(&c->pending[VALUE_JSON], ',');
		str_add_char(&c->pending[VALUE_TEXT], in->outermost ? ' ' : ',');
	}
	in->any = true;
	str_add_json(&c->pending[VALUE_JSON], name, len);
	str_add_char(&c->pending[VALUE_JSON], ':');
	str_add_word(&c->pending[VALUE_TEXT], name, len);
	str_add_char(&c->pending[VALUE_TEXT], '=');
}

/* @at is the composite's own place. */
static int compile_members(struct compiler *c, const struct btf_type *t, struct place at,
			   struct members *in)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		uint32_t id = btf_skip_modifiers(c->btf, m->type);
		const struct btf_type *mt = btf_type(c->btf, id);
		const char *name = btf_str(c->btf, m->name_off);
		bool last = i + 1 == btf_vlen(t) || btf_kind(t) == BTF_KIND_UNION;
		struct place sub = {
			.bit = add_cost(at.bit, btf_member_bit_offset(t, i)),
			.end = at.end,
			.depth = at.depth + 1,
			.tail = at.tail && last,
		};
		int r = step_work(c);

		if (r < 0)
			return r;
		if (*name) {
			add_key(c, name, in);
			r = compile_type(c, id, btf_member_bits(t, i), sub);
		} else if (btf_is_composite(mt)) {
			if (sub.bit % 8 || !range_fits(sub.bit / 8, mt->size, sub.end))
				return bad_member(c, "reaches behind its end");
			if (sub.depth > BTF_MAX_DEPTH)
				return too_much(c);
			sub.end = sub.bit / 8 + mt->size;
			r = compile_members(c, mt, sub, in);
		} /* else padding */
		if (r < 0)
			return r;
	}
	return 0;
}

static int compile_composite(struct compiler *c, const struct btf_type *t, struct place at)
{
	struct members in = { .outermost = !at.depth };
	int r;

	str_add_char(&c->pending[VALUE_JSON], '{');
	if (!in.outermost)
		str_add_char(&c->pending[VALUE_TEXT], '{');
	r = compile_members(c, t, at, &in);
	if (!in.outermost)
		str_add_char(&c->pending[VALUE_TEXT], '}');
	str_add_char(&c->pending[VALUE_JSON], '}');
	return r;
}

/* As a struct of its variables. */
static int compile_datasec(struct compiler *c, const struct btf_type *t, struct place at)
{
	struct members in = { .outermost = true };

	if (!t->size && btf_vlen(t))
		return report(c->rp, -EINVAL,
			      "'%s' has no size yet: its section has not been laid out", c->name);
	str_add_char(&c->pending[VALUE_JSON], '{');
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_var_secinfo *s = &btf_secinfos(t)[i];
		const struct btf_type *var = btf_type(c->btf, s->type);
		struct place sub = { .bit = (uint64_t)s->offset * 8,
				     .end = at.end,
				     .depth = at.depth + 1 };
		int r = step_work(c);

		if (r < 0)
			return r;
		if (btf_kind(var) != BTF_KIND_VAR)
			continue;
		add_key(c, btf_str(c->btf, var->name_off), &in);
		r = compile_type(c, var->type, 0, sub);
		if (r < 0)
			return r;
	}
	str_add_char(&c->pending[VALUE_JSON], '}');
	return 0;
}

static int compile_type(struct compiler *c, uint32_t id, uint32_t bits, struct place at)
{
	const struct btf_type *t;
	int64_t size;

	id = btf_skip_modifiers(c->btf, id);
	t = btf_type(c->btf, id);
	if (is_scalar(t))
		return compile_scalar(c, id, bits, at);
	size = btf_size(c->btf, id);
	if (size == -E2BIG || at.depth > BTF_MAX_DEPTH)
		return too_much(c);
	if (size < 0)
		return report(c->rp, -EINVAL, "'%s' has a member without a size", c->name);
	if (bits)
		return bad_member(c, "is a bit field of something that is no number");
	if (at.bit % 8 || !range_fits(at.bit / 8, size, at.end))
		return bad_member(c, "reaches behind its end");
	at.end = at.bit / 8 + size;
	switch (btf_kind(t)) {
	case BTF_KIND_ARRAY:
		return compile_array(c, t, at);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return compile_composite(c, t, at);
	case BTF_KIND_DATASEC:
		return compile_datasec(c, t, at);
	default: /* a variable: only as the outermost type */
		return compile_type(c, t->type, 0, at);
	}
}

/* "struct event", "int", "function": the type at the end of all pointers and arrays. */
static void add_tag_and_name(const struct btf_type *t, const char *name, struct str *out)
{
	switch (btf_kind(t)) {
	case BTF_KIND_UNKN:
		str_add(out, "void");
		return;
	case BTF_KIND_FUNC_PROTO:
		str_add(out, "function");
		return;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
		str_printf(out, "%s ", btf_kind_name(btf_kind(t)));
		break;
	case BTF_KIND_ENUM64:
		str_add(out, "enum ");
		break;
	case BTF_KIND_FWD:
		str_add(out, btf_kflag(t) ? "union " : "struct ");
		break;
	}
	str_add(out, *name ? name : "(anonymous)");
}

/* "const struct event *", "int [2][3]"; what is behind NAME_PARTS pointers is left out. */
static void add_name(const struct btf *btf, uint32_t id, struct str *out)
{
	_cleanup_str_ struct str behind = {};

	for (unsigned i = 0; i < NAME_PARTS; i++) {
		const struct btf_type *t = btf_type(btf, id);
		const char *name = btf_str(btf, t->name_off);
		uint32_t kind = btf_kind(t);

		if (kind == BTF_KIND_ARRAY) {
			str_printf(&behind, "[%u]", btf_array(t)->nelems);
			id = btf_array(t)->type;
		} else if (kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE) {
			str_printf(out, "%s ", btf_kind_name(kind));
			id = t->type;
		} else if (kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG ||
			   kind == BTF_KIND_VAR) {
			id = t->type;
		} else if (kind == BTF_KIND_PTR) {
			_cleanup_str_ struct str rest = behind;

			behind = (struct str){};
			str_add_char(&behind, '*');
			str_add(&behind, str_text(&rest));
			id = t->type;
		} else {
			add_tag_and_name(t, name, out);
			break;
		}
	}
	if (behind.len)
		str_printf(out, " %s", behind.data);
}

static int compile(struct compiler *c, uint32_t type_id, struct value_format *f)
{
	struct place whole = { .tail = true };
	_cleanup_str_ struct str name = {};
	int64_t size;
	int r;

	add_name(c->btf, type_id, &name);
	f->name = c->name = str_take(&name);
	if (!f->name)
		return report(c->rp, -ENOMEM, "out of memory");
	size = btf_size(c->btf, type_id);
	if (size == -E2BIG)
		return too_much(c);
	if (size < 0)
		return report(c->rp, -EINVAL, "'%s' is a type without a size", c->name);
	f->size = whole.end = size;
	r = compile_type(c, type_id, 0, whole);
	if (r == 0)
		r = emit(c, (struct step){ .show = SHOW_END }, 0);
	if (r < 0)
		return r;
	if (c->cost > SMALL_OUTPUT && c->cost / MAX_BLOW_UP > f->size)
		return too_much(c);
	/* Copies of short literals read a fixed number of bytes. */
	if (!str_reserve(&c->pool, LIT_SLACK))
		return no_memory(c);
	memset(c->pool.data + c->pool.len, 0, LIT_SLACK);
	f->flexible = c->flexible;
	f->pool = take_ptr(c->pool.data);
	f->steps = take_ptr(c->steps.data);
	f->tables = take_ptr(c->tables.data);
	f->values = take_ptr(c->values.data);
	return 0;
}

int value_compile(const struct btf *btf, uint32_t type_id, struct report *rp,
		  struct value_format **ret)
{
	_cleanup_(value_format_freep) struct value_format *f = calloc(1, sizeof(*f));
	struct compiler c = { .btf = btf, .rp = rp };
	int r;

	if (!f)
		return report(rp, -ENOMEM, "out of memory");
	r = compile(&c, type_id, f);
	vec_deinit(&c.steps);
	vec_deinit(&c.tables);
	vec_deinit(&c.values);
	str_deinit(&c.pool);
	for (unsigned i = 0; i < N_STYLES; i++)
		str_deinit(&c.pending[i]);
	if (r < 0)
		return r;
	*ret = take_ptr(f);
	return 0;
}

void value_format_free(struct value_format *f)
{
	if (!f)
		return;
	free(f->name);
	free(f->steps);
	free(f->tables);
	free(f->values);
	free(f->pool);
	free(f);
}
