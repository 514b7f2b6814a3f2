/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* blob - bytes that do not change any more, shared by counting. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct blob {
	unsigned refs; /* atomic */
	size_t len;
	uint8_t data[];
};

/* A copy of @len bytes; NULL when out of memory. */
static inline struct blob *blob_new(const void *data, size_t len)
{
	struct blob *b = malloc(sizeof(*b) + len);

	if (!b)
		return NULL;
	b->refs = 1;
	b->len = len;
	if (len)
		memcpy(b->data, data, len);
	return b;
}

static inline struct blob *blob_ref(struct blob *b)
{
	if (b)
		__atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
	return b;
}

static inline void blob_unref(struct blob *b)
{
	if (b && __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(b);
}

static inline void blob_unrefp(struct blob **b)
{
	blob_unref(*b);
}
