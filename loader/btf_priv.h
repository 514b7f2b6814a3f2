/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * btf_priv - the inside of struct btf, for the btf_*.c files and nobody else.
 *
 *	btf.c        parse, check, look at types
 *	btf_file.c   where a blob comes from: mapping, file, ELF
 *	btf_index.c  find by name
 *	btf_edit.c   make a new one
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/report.h"
#include "loader/btf.h"

struct btf_index;

struct btf {
	unsigned refs; /* accessed atomically */
	struct btf *base;

	const void *blob; /* header, types, strings; malloc'ed or mapped */
	size_t blob_len;
	bool mapped;

	const uint8_t *types; /* inside the blob, 4-aligned */
	const char *strs;     /* inside the blob */
	uint32_t types_len, strs_len;
	uint32_t *offsets;  /* of each own type in @types */
	uint32_t first_id;  /* of the own types; 1 without a base */
	uint32_t end_id;    /* ids below exist */
	uint32_t first_str; /* string offset of @strs[0]; 0 without a base */

	pthread_mutex_t index_lock;
	struct btf_index *index; /* set once under index_lock, read atomically; NULL until needed */
};

/* First string offset that does not exist. */
static inline uint32_t btf_end_str(const struct btf *btf)
{
	return btf->first_str + btf->strs_len;
}

/**
 * btf_parse_mapping() - btf_parse() without a copy
 *
 * @map is @len bytes that nobody can change or cut any more. On success they
 * belong to @ret, which unmaps them. Return: -EAGAIN if they have to be copied
 * (other endianness, longer header), else as btf_parse().
 */
int btf_parse_mapping(const void *map, size_t len, const char *what, struct btf *base,
		      struct report *rp, struct btf **ret);

void btf_index_free(struct btf_index *index);
