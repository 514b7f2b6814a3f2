/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index finds types by name: a hash table of chains, as two arrays of ids.
 * The key is the name without "___flavour", so that one table serves the exact
 * look-up and CO-RE's search for candidates. A chain has ascending ids: the first
 * type found is the first of the file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "loader/btf_priv.h"

struct btf_index {
	uint32_t mask;	 /* number of chains - 1 */
	uint32_t *first; /* id of each chain, 0 for none */
	uint32_t *next;	 /* by id - first_id */
};

void btf_index_free(struct btf_index *index)
{
	if (!index)
		return;
	free(index->first);
	free(index->next);
	free(index);
}

/* Where "___" stands between two other characters, the last time. */
static size_t essential_len(const char *name, size_t len)
{
	for (size_t i = len; i-- > 4;)
		if (name[i] != '_' && name[i - 1] == '_' && name[i - 2] == '_' &&
		    name[i - 3] == '_' && name[i - 4] != '_')
			return i - 3;
	return len;
}

size_t btf_essential_len(const char *name)
{
	return essential_len(name, strlen(name));
}

static uint32_t chain_of(const struct btf_index *index, const char *name, size_t len)
{
	return hash_bytes(name, len, 0) & index->mask;
}

static struct btf_index *index_new(const struct btf *btf)
{
	uint32_t n = btf->end_id - btf->first_id, n_chains = 16;
	struct btf_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	while (n_chains < n && n_chains < 1u << 30)
		n_chains *= 2;
	index->mask = n_chains - 1;
	index->first = calloc(n_chains, sizeof(*index->first));
	index->next = calloc(n ? n : 1, sizeof(*index->next));
	if (!index->first || !index->next) {
		btf_index_free(index);
		return NULL;
	}
	/* Backwards: each goes before those with higher ids. */
	for (uint32_t id = btf->end_id; id-- > btf->first_id;) {
		const char *name = btf_type_name(btf, id);
		uint32_t *chain;

		if (!*name)
			continue;
		chain = &index->first[chain_of(index, name, btf_essential_len(name))];
		index->next[id - btf->first_id] = *chain;
		*chain = id;
	}
	return index;
}

/* NULL when there is no memory for one: look-ups then walk all types. */
static const struct btf_index *index_get(const struct btf *cbtf)
{
	struct btf *btf = (struct btf *)cbtf; /* const to callers: they cannot see the index */
	struct btf_index *index = __atomic_load_n(&btf->index, __ATOMIC_ACQUIRE);

	if (index)
		return index;
	pthread_mutex_lock(&btf->index_lock);
	index = btf->index;
	if (!index) {
		index = index_new(btf);
		__atomic_store_n(&btf->index, index, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&btf->index_lock);
	return index;
}

/* The ids that may have the essential name, one after the other: of its chain or of all. */
static uint32_t next_candidate(const struct btf *btf, const struct btf_index *index,
			       const char *name, size_t len, uint32_t after)
{
	if (index)
		return after ? index->next[after - btf->first_id]
			     : index->first[chain_of(index, name, len)];
	after = after ? after + 1 : btf->first_id;
	return after < btf->end_id ? after : 0;
}

uint32_t btf_find(const struct btf *btf, const char *name, uint32_t kind)
{
	size_t len = btf_essential_len(name);

	if (!*name)
		return 0;
	if (btf->base) {
		uint32_t id = btf_find(btf->base, name, kind);

		if (id)
			return id;
	}
	const struct btf_index *index = index_get(btf);

	for (uint32_t id = 0; (id = next_candidate(btf, index, name, len, id));)
		if (btf_kind(btf_type(btf, id)) == kind && !strcmp(btf_type_name(btf, id), name))
			return id;
	return 0;
}

uint32_t btf_find_essential(const struct btf *btf, const char *name, size_t len, uint32_t after)
{
	const struct btf_index *index = index_get(btf);

	if (!len)
		return 0;
	while ((after = next_candidate(btf, index, name, len, after))) {
		const char *other = btf_type_name(btf, after);

		if (!strncmp(other, name, len) && btf_essential_len(other) == len)
			return after;
	}
	return 0;
}
