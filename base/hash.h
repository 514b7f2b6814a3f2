/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * hash - an intrusive hash table: the elements carry a struct hash_node and
 * belong to the caller, who also compares keys.
 *
 *	hash_for_each_match(n, &table, hash_str(name)) {
 *		struct thing *t = container_of(n, struct thing, node);
 *		if (!strcmp(t->name, name))
 *			return t;
 *	}
 *
 * Not thread-safe. The keyed hash is seeded once a process: file contents
 * cannot choose collisions.
 */
#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash {
	struct hash_node **slots;
	size_t n_slots; /* 0 or a power of two */
	size_t len;
};

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);
uint64_t hash_str(const char *s);
uint64_t hash_u64(uint64_t x);

/* 0 or -ENOMEM (nothing inserted). Does not look for an equal key. */
int hash_insert(struct hash *h, struct hash_node *node, uint64_t hash);
/* @node must be in @h. */
void hash_remove(struct hash *h, struct hash_node *node);
/* Frees the table; the elements are the caller's. */
void hash_deinit(struct hash *h);

struct hash_node *hash_first(const struct hash *h, uint64_t hash);
struct hash_node *hash_next(const struct hash_node *node);

#define hash_for_each_match(n, h, hashv)                                                           \
	for (struct hash_node *n = hash_first((h), (hashv)); n; n = hash_next(n))
