/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules that C compilers follow on all machines with Linux: a member is
 * aligned as its type, a bit field goes to the next bit unless it would lie
 * across the border of an integer of its declared type, a struct is aligned as
 * its most aligned member and its size is a multiple of that. In a packed struct
 * members go to the next byte and bit fields to the next bit.
 *
 * So a struct whose members lie further apart gets holes, one whose members lie
 * closer is packed, and one where even that is too far cannot be said in C.
 */
#include <errno.h>

#include "base/bits.h"
#include "loader/btf_print_priv.h"

enum { MAX_ALIGN = 16 };

uint64_t print_member_bits(const struct printer *p, const struct btf_type *t, uint32_t i,
			   uint32_t *ret_width)
{
	const struct btf_member *m = &btf_members(t)[i];
	const struct btf_type *mt = btf_type(p->btf, btf_skip_modifiers(p->btf, m->type));

	*ret_width = btf_member_bits(t, i);
	/* Before 2018 the integer had the width. */
	if (!btf_kflag(t) && btf_kind(mt) == BTF_KIND_INT &&
	    BTF_INT_BITS(btf_int_info(mt)) < mt->size * 8) {
		*ret_width = BTF_INT_BITS(btf_int_info(mt));
		return (uint64_t)btf_member_bit_offset(t, i) + BTF_INT_OFFSET(btf_int_info(mt));
	}
	return btf_member_bit_offset(t, i);
}

/* Alignment of a value of type @id as printed. 0, -EINVAL if it can be no member, -E2BIG. */
static int value_align(struct printer *p, uint32_t id, unsigned depth, uint32_t *ret)
{
	for (unsigned i = 0; i < PRINT_MAX_DEPTH; i++) {
		const struct btf_type *t = btf_type(p->btf, id);
		int r;

		switch (btf_kind(t)) {
		case BTF_KIND_PTR:
			*ret = 8;
			return 0;
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			if (!is_pow2(t->size) || t->size > MAX_ALIGN)
				return -EINVAL;
			*ret = t->size;
			return 0;
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			r = print_layout(p, id, depth + 1);
			*ret = p->types[id].align;
			return r;
		case BTF_KIND_ARRAY:
			id = btf_array(t)->type;
			continue;
		default:
			if (!btf_is_modifier(t))
				return -EINVAL;
			id = t->type;
			continue;
		}
	}
	return -EINVAL;
}

int print_place(struct printer *p, const struct btf_type *t, uint32_t i, bool packed, uint64_t pos,
		uint64_t *ret_at, uint64_t *ret_end, unsigned depth)
{
	uint32_t id = btf_members(t)[i].type, width, align;
	int64_t size = btf_size(p->btf, id);
	int r = value_align(p, id, depth, &align);

	if (r < 0)
		return r;
	if (size < 0 || size > UINT32_MAX)
		return -EINVAL;
	print_member_bits(p, t, i, &width);
	if (!width) {
		*ret_at = align_up(pos, packed ? 8 : align * 8);
		*ret_end = *ret_at + size * 8;
		return 0;
	}
	if (width > size * 8)
		return -EINVAL;
	if (!packed && pos / (size * 8) != (pos + width - 1) / (size * 8))
		pos = align_up(pos, align * 8);
	*ret_at = pos;
	*ret_end = pos + width;
	return 0;
}

/* The largest alignment of a member. */
static int members_align(struct printer *p, const struct btf_type *t, unsigned depth, uint32_t *ret)
{
	uint32_t max = 1, align;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		int r = value_align(p, btf_members(t)[i].type, depth, &align);

		if (r < 0)
			return r;
		max = MAX(max, align);
	}
	*ret = max;
	return 0;
}

/* Do members fit where they are, if holes are filled? 0, -EINVAL, -E2BIG. */
static int try_layout(struct printer *p, const struct btf_type *t, bool packed, uint32_t align,
		      unsigned depth)
{
	uint64_t pos = 0, size = (uint64_t)t->size * 8, max = 0;
	bool is_union = btf_kind(t) == BTF_KIND_UNION;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t width;
		uint64_t want = print_member_bits(p, t, i, &width), at, end;
		int r = print_place(p, t, i, packed, is_union ? 0 : pos, &at, &end, depth);

		if (r < 0)
			return r;
		/* A hole moves the start, and then the same rule must leave it there. */
		if (want > at && !is_union) {
			r = print_place(p, t, i, packed, want, &at, &end, depth);
			if (r < 0)
				return r;
		}
		if (want != at)
			return -EINVAL;
		pos = end;
		max = MAX(max, end);
	}
	if (size % (align * 8) || align_up(max, align * 8) > size)
		return -EINVAL;
	/* A type of holes only is no C. */
	return !btf_vlen(t) && size ? -EINVAL : 0;
}

int print_layout(struct printer *p, uint32_t id, unsigned depth)
{
	const struct btf_type *t = btf_type(p->btf, id);
	struct print_type *info = &p->types[id];
	uint32_t align = 1;
	int r;

	if (info->laid_out)
		return 0;
	if (depth >= PRINT_MAX_DEPTH)
		return report(p->rp, -E2BIG, "type %u nests over %d levels deep", id,
			      PRINT_MAX_DEPTH);
	if (p->steps < 3u * btf_vlen(t))
		return report(p->rp, -E2BIG, "types take too many steps to print");
	p->steps -= 3u * btf_vlen(t);
	r = members_align(p, t, depth, &align);
	if (r == 0)
		r = try_layout(p, t, false, align, depth);
	if (r == -EINVAL) {
		align = 1;
		info->packed = true;
		r = try_layout(p, t, true, align, depth);
	}
	if (r == -EINVAL) {
		info->packed = false;
		info->opaque = true;
		r = 0;
	}
	info->align = align;
	info->laid_out = r == 0;
	return r;
}
