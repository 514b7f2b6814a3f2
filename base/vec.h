/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * vec - a typed array that grows.
 *
 *	VEC(struct reloc) relocs = {};
 *	r = vec_push(&relocs, ((struct reloc){ … }));
 *	vec_for_each(reloc, &relocs) …
 *	vec_deinit(&relocs);
 *
 * Elements move when the array grows: keep indices, not pointers.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *data;                                                                        \
		size_t len, cap;                                                                   \
	}

/* 0 or -ENOMEM; the array is unchanged on failure. */
#define vec_push(v, ...)                                                                           \
	({                                                                                         \
		int r_ = vec_reserve((v), 1);                                                      \
		if (!r_)                                                                           \
			(v)->data[(v)->len++] = (__VA_ARGS__);                                     \
		r_;                                                                                \
	})

/* Make room for @n more. 0 or -ENOMEM. */
#define vec_reserve(v, n)                                                                          \
	vec_reserve_((void **)&(v)->data, (v)->len, &(v)->cap, (n), sizeof((v)->data[0]))

#define vec_for_each(it, v)                                                                        \
	for (__typeof__((v)->data) it = (v)->data; it && it < (v)->data + (v)->len; it++)

#define vec_deinit(v)                                                                              \
	({                                                                                         \
		free((v)->data);                                                                   \
		(v)->data = NULL;                                                                  \
		(v)->len = (v)->cap = 0;                                                           \
	})

static inline int vec_reserve_(void **data, size_t len, size_t *cap, size_t n, size_t size)
{
	size_t want, bytes;
	void *grown;

	if (__builtin_add_overflow(len, n, &want))
		return -ENOMEM;
	if (want <= *cap)
		return 0;
	if (want < *cap + *cap / 2)
		want = *cap + *cap / 2;
	if (want < 8)
		want = 8;
	if (__builtin_mul_overflow(want, size, &bytes))
		return -ENOMEM;
	grown = realloc(*data, bytes);
	if (!grown)
		return -ENOMEM;
	*data = grown;
	*cap = want;
	return 0;
}
