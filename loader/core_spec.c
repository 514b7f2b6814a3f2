/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an access string to a path. "0:1:2" on a struct means: of the array that
 * the program's pointer points into, element 0; of that, member 1; of that,
 * member 2, or element 2 if member 1 is an array. Typedefs and qualifiers on the
 * way have no number. On an enumeration the string is one number, of the
 * enumerator; with a type as such it is "0".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/str.h"
#include "loader/core_internal.h"

static const char *const kind_names[] = {
	[BPF_CORE_FIELD_BYTE_OFFSET] = "byte_off",    [BPF_CORE_FIELD_BYTE_SIZE] = "byte_sz",
	[BPF_CORE_FIELD_EXISTS] = "field_exists",     [BPF_CORE_FIELD_SIGNED] = "signed",
	[BPF_CORE_FIELD_LSHIFT_U64] = "lshift_u64",   [BPF_CORE_FIELD_RSHIFT_U64] = "rshift_u64",
	[BPF_CORE_TYPE_ID_LOCAL] = "local_type_id",   [BPF_CORE_TYPE_ID_TARGET] = "target_type_id",
	[BPF_CORE_TYPE_EXISTS] = "type_exists",	      [BPF_CORE_TYPE_SIZE] = "type_size",
	[BPF_CORE_ENUMVAL_EXISTS] = "enumval_exists", [BPF_CORE_ENUMVAL_VALUE] = "enumval_value",
	[BPF_CORE_TYPE_MATCHES] = "type_matches",
};

const char *core_enumerator(const struct btf *btf, const struct btf_type *t, uint32_t i)
{
	return btf_str(btf, btf_kind(t) == BTF_KIND_ENUM ? btf_enums(t)[i].name_off
							 : btf_enums64(t)[i].name_off);
}

static bool advance(struct core_path *p, uint64_t bits)
{
	/* Both are below 2^63: no overflow. */
	p->bit_off += bits;
	return p->bit_off < CORE_MAX_BITS;
}

static bool add_step(struct core_path *p, const char *name, uint32_t type_id, uint32_t idx)
{
	if (p->n_steps == CORE_MAX_LEVELS)
		return false;
	p->steps[p->n_steps++] = (struct core_step){ name, type_id, idx };
	return true;
}

bool core_add_member(struct core_path *p, uint32_t composite_id, uint32_t i)
{
	const struct btf_type *t = btf_type(p->btf, composite_id);
	const char *name = btf_str(p->btf, btf_members(t)[i].name_off);

	if (*name && !add_step(p, name, composite_id, i))
		return false;
	return advance(p, btf_member_bit_offset(t, i));
}

bool core_add_element(struct core_path *p, uint32_t type_id, uint32_t idx)
{
	int64_t size = idx ? btf_size(p->btf, type_id) : 0;
	uint64_t bits;

	if (size < 0 || __builtin_mul_overflow((uint64_t)size, (uint64_t)idx * 8, &bits))
		return false;
	return bits < CORE_MAX_BITS && add_step(p, NULL, type_id, idx) && advance(p, bits);
}

bool core_element_fits(const struct core_path *p, const struct btf_array *array, uint32_t idx)
{
	const struct core_step *owner = p->n_steps ? &p->steps[p->n_steps - 1] : NULL;
	const struct btf_type *t;

	if (idx < array->nelems)
		return true;
	if (array->nelems || !owner || !owner->name)
		return false;
	t = btf_type(p->btf, owner->type_id);
	return btf_kind(t) == BTF_KIND_UNION || owner->idx + 1 == btf_vlen(t);
}

/* @ret has room for CORE_MAX_LEVELS numbers. */
static const char *parse_numbers(const char *text, uint32_t *ret, uint32_t *ret_n)
{
	uint32_t n = 0;

	for (;;) {
		uint64_t v = 0;

		if (n == CORE_MAX_LEVELS)
			return "goes deeper than 64 levels";
		if (*text < '0' || *text > '9')
			return "is no list of numbers";
		for (; *text >= '0' && *text <= '9'; text++) {
			v = v * 10 + (*text - '0');
			if (v > INT32_MAX)
				return "has a number that is too large";
		}
		ret[n++] = v;
		if (!*text)
			break;
		if (*text++ != ':')
			return "is no list of numbers";
	}
	*ret_n = n;
	return NULL;
}

static const char *parse_field(struct core_path *p, const uint32_t *numbers, uint32_t n)
{
	const struct btf *btf = p->btf;
	uint32_t id = btf_skip_modifiers(btf, p->root_id);
	bool named = true;

	if (!core_add_element(p, id, numbers[0]))
		return "leads out of the type";
	for (uint32_t i = 1; i < n; i++) {
		const struct btf_type *t = btf_type(btf, id);

		if (btf_is_composite(t)) {
			const struct btf_member *m = &btf_members(t)[numbers[i]];

			if (numbers[i] >= btf_vlen(t))
				return "names a member that does not exist";
			if (!core_add_member(p, id, numbers[i]))
				return "leads out of the type";
			named = *btf_str(btf, m->name_off);
			id = btf_skip_modifiers(btf, m->type);
		} else if (btf_kind(t) == BTF_KIND_ARRAY) {
			/* Without the name of the array the kernel's cannot be found. */
			if (!named)
				return "goes into an array without a name";
			if (!core_element_fits(p, btf_array(t), numbers[i]))
				return "names an element that does not exist";
			id = btf_skip_modifiers(btf, btf_array(t)->type);
			if (!core_add_element(p, id, numbers[i]))
				return "leads out of the type";
		} else {
			return "goes into something that has no parts";
		}
	}
	return named ? NULL : "ends at a member without a name";
}

static const char *parse_enumval(struct core_path *p, uint32_t idx)
{
	uint32_t id = btf_skip_modifiers(p->btf, p->root_id);
	const struct btf_type *t = btf_type(p->btf, id);

	if (!core_is_enum(t))
		return "is for an enumeration, which the type is not";
	if (idx >= btf_vlen(t))
		return "names an enumerator that does not exist";
	add_step(p, core_enumerator(p->btf, t, idx), id, idx);
	return NULL;
}

int core_parse(const struct btf *local, const struct ext_core *relo, struct core_path *ret,
	       const char **ret_why)
{
	uint32_t numbers[CORE_MAX_LEVELS], n = 0;
	const char *why;

	ret->btf = local;
	ret->root_id = relo->type_id;
	ret->n_steps = 0;
	ret->bit_off = 0;
	if (relo->kind >= ARRAY_SIZE(kind_names)) {
		*ret_why = "is for a kind of relocation that is not known";
		return -EOPNOTSUPP;
	}
	why = parse_numbers(btf_str(local, relo->access_off), numbers, &n);
	if (!why && core_kind_is_field(relo->kind))
		why = parse_field(ret, numbers, n);
	else if (!why && (n != 1 || (!core_kind_is_enumval(relo->kind) && numbers[0])))
		why = "has too many numbers for its kind of relocation";
	else if (!why && core_kind_is_enumval(relo->kind))
		why = parse_enumval(ret, numbers[0]);
	*ret_why = why;
	return why ? -EINVAL : 0;
}

/* snprintf() behind what is there. */
static void add(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(char *buf, size_t size, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + len, size - len, fmt, ap);
	va_end(ap);
}

static void add_path(char *buf, size_t size, const struct core_path *p, uint32_t kind)
{
	/* The first element is the pointer's target: "p[0].x" is just "p.x". */
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct core_step *s = &p->steps[i];

		if (s->name)
			add(buf, size, "%s%s", core_kind_is_enumval(kind) ? "::" : ".", s->name);
		else if (i || s->idx)
			add(buf, size, "[%u]", s->idx);
	}
}

void core_describe(const struct btf *local, const struct ext_core *relo, char *buf, size_t size)
{
	bool known = relo->kind < ARRAY_SIZE(kind_names),
	     typed = relo->type_id < btf_n_types(local);
	const struct btf_type *t = btf_type(local, typed ? relo->type_id : 0);
	const char *name = btf_str(local, t->name_off), *why;
	struct core_path p;

	if (!size)
		return;
	*buf = '\0';
	if (known)
		add(buf, size, "<%s> ", kind_names[relo->kind]);
	else
		add(buf, size, "<kind %u> ", relo->kind);
	add(buf, size, "[%u] %s %s", relo->type_id, btf_kind_name(btf_kind(t)) ?: "void",
	    *name ? name : "(anonymous)");
	if (typed && core_parse(local, relo, &p, &why) == 0)
		add_path(buf, size, &p, relo->kind);
	add(buf, size, " (%s)", btf_str(local, relo->access_off));
	/* Names can be anything. A sentence is one line. */
	for (; *buf; buf++)
		if ((unsigned char)*buf < ' ' || *buf == 0x7f)
			*buf = '?';
}
