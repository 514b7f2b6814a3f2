/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* wyhash's mixing step: two 64-bit words multiplied to 128 bits and folded. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t process_key(void)
{
	static uint64_t key;
	uint64_t k = __atomic_load_n(&key, __ATOMIC_RELAXED);

	if (!k) {
		uint64_t zero = 0;

		if (getrandom(&k, sizeof(k), GRND_NONBLOCK) != sizeof(k))
			k = (uint64_t)(uintptr_t)&key;
		k |= 1;
		/* Whoever is first decides: all threads must agree on one key. */
		if (!__atomic_compare_exchange_n(&key, &zero, k, 0, __ATOMIC_RELAXED,
						 __ATOMIC_RELAXED))
			k = zero;
	}
	return k;
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = seed ^ process_key() ^ mix(len + 1, 0x9e3779b97f4a7c15u);
	uint64_t word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = mix(h ^ word, 0xe7037ed1a0b428dbu);
	}
	word = 0;
	memcpy(&word, p, len);
	return mix(h ^ word, 0x8ebc6af09c88c6e3u);
}

uint64_t hash_str(const char *s)
{
	return hash_bytes(s, strlen(s), 0);
}

uint64_t hash_u64(uint64_t x)
{
	return mix(x ^ process_key(), 0x9e3779b97f4a7c15u);
}

static int hash_grow(struct hash *h)
{
	size_t n = h->n_slots ? h->n_slots * 2 : 16;
	struct hash_node **slots = calloc(n, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_slots; i++) {
		struct hash_node *node = h->slots[i], *next;

		for (; node; node = next) {
			next = node->next;
			node->next = slots[node->hash & (n - 1)];
			slots[node->hash & (n - 1)] = node;
		}
	}
	free(h->slots);
	h->slots = slots;
	h->n_slots = n;
	return 0;
}

int hash_insert(struct hash *h, struct hash_node *node, uint64_t hash)
{
	struct hash_node **slot;

	/* A full table still works, only slower: growing may fail when there is one already. */
	if (h->len >= h->n_slots && hash_grow(h) < 0 && !h->n_slots)
		return -ENOMEM;
	slot = &h->slots[hash & (h->n_slots - 1)];
	node->hash = hash;
	node->next = *slot;
	*slot = node;
	h->len++;
	return 0;
}

void hash_remove(struct hash *h, struct hash_node *node)
{
	struct hash_node **p = &h->slots[node->hash & (h->n_slots - 1)];

	while (*p != node)
		p = &(*p)->next;
	*p = node->next;
	node->next = NULL;
	h->len--;
}

void hash_deinit(struct hash *h)
{
	free(h->slots);
	memset(h, 0, sizeof(*h));
}

struct hash_node *hash_first(const struct hash *h, uint64_t hash)
{
	struct hash_node *n = h->n_slots ? h->slots[hash & (h->n_slots - 1)] : NULL;

	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct hash_node *hash_next(const struct hash_node *node)
{
	struct hash_node *n = node->next;

	while (n && n->hash != node->hash)
		n = n->next;
	return n;
}
