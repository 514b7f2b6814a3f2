/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <stdio.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "tests/unit/test.h"

struct thing {
	struct hash_node node;
	unsigned key;
	unsigned seen;
};

static struct thing *find(const struct hash *h, unsigned key)
{
	hash_for_each_match (n, h, hash_u64(key)) {
		struct thing *t = container_of(n, struct thing, node);

		if (t->key == key)
			return t;
	}
	return NULL;
}

TEST(empty_table_finds_nothing)
{
	struct hash h = {};

	CHECK(!hash_first(&h, 0));
	CHECK(!hash_first(&h, hash_str("x")));
	CHECK_EQ(h.len, 0);
	hash_deinit(&h);
}

TEST(finds_each_of_many)
{
	enum { N = 5000 };
	_cleanup_free_ struct thing *things = calloc(N, sizeof(*things));
	struct hash h = {};

	for (unsigned i = 0; i < N; i++) {
		things[i].key = i * 7;
		CHECK_EQ(hash_insert(&h, &things[i].node, hash_u64(things[i].key)), 0);
		CHECK_EQ(h.len, i + 1);
	}
	for (unsigned i = 0; i < N; i++)
		CHECK(find(&h, i * 7) == &things[i]);
	CHECK(!find(&h, 1));
	CHECK(is_pow2(h.n_slots));
	hash_deinit(&h);
	CHECK_EQ(h.len, 0);
}

TEST(removed_ones_are_gone_and_others_stay)
{
	enum { N = 1000 };
	_cleanup_free_ struct thing *things = calloc(N, sizeof(*things));
	struct hash h = {};

	for (unsigned i = 0; i < N; i++) {
		things[i].key = i;
		hash_insert(&h, &things[i].node, hash_u64(i));
	}
	for (unsigned i = 0; i < N; i += 2)
		hash_remove(&h, &things[i].node);
	CHECK_EQ(h.len, N / 2);
	for (unsigned i = 0; i < N; i++)
		CHECK((find(&h, i) != NULL) == (i % 2 == 1));
	/* And they may come back. */
	for (unsigned i = 0; i < N; i += 2)
		hash_insert(&h, &things[i].node, hash_u64(i));
	for (unsigned i = 0; i < N; i++)
		CHECK(find(&h, i) == &things[i]);
	hash_deinit(&h);
}

/* Equal hashes: all are given, once each, in any order, also after the table has grown. */
TEST(equal_hashes_are_all_given)
{
	enum { N = 100 };
	struct thing things[N] = {};
	struct hash h = {};
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++)
		hash_insert(&h, &things[i].node, i % 2 ? 77 : 77 + ((uint64_t)1 << 40));
	hash_for_each_match (node, &h, 77) {
		struct thing *t = container_of(node, struct thing, node);

		CHECK_EQ((t - things) % 2, 1);
		t->seen++;
		n++;
	}
	CHECK_EQ(n, N / 2);
	for (unsigned i = 0; i < N; i++)
		CHECK_EQ(things[i].seen, i % 2);
	hash_deinit(&h);
}

TEST(same_bytes_same_hash)
{
	CHECK_EQ(hash_str("name"), hash_bytes("name", 4, 0));
	CHECK_EQ(hash_u64(5), hash_u64(5));
	CHECK(hash_str("name") != hash_str("nama"));
	CHECK(hash_bytes("name", 4, 0) != hash_bytes("name", 4, 1));
	/* Neither the length nor zeros at the end are lost. */
	CHECK(hash_bytes("a\0", 2, 0) != hash_bytes("a", 1, 0));
	CHECK(hash_bytes("\0\0\0\0\0\0\0\0", 8, 0) != hash_bytes("", 0, 0));
	CHECK(hash_bytes("\0\0\0\0\0\0\0\0", 8, 0) != hash_bytes("\0\0\0\0\0\0\0\0\0", 9, 0));
}

/* Read at its end, not behind it: a buffer of exactly that size, for the sanitizer to see. */
TEST(reads_no_byte_too_many)
{
	uint64_t all = 0;

	for (size_t len = 1; len < 40; len++) {
		_cleanup_free_ char *data = malloc(len);

		memset(data, 'x', len);
		all ^= hash_bytes(data, len, 0);
	}
	CHECK(all != 0);
}

/* Keys in a row, as kernel ids are, and strings that differ in one place spread over the slots. */
TEST(spreads_similar_keys)
{
	enum { N = 4096, SLOTS = 4096 };
	unsigned char ids[SLOTS] = {}, names[SLOTS] = {};
	unsigned most_ids = 0, most_names = 0;

	for (unsigned i = 0; i < N; i++) {
		char name[32];

		snprintf(name, sizeof(name), "function_%u", i);
		most_ids = MAX(most_ids, ++ids[hash_u64(i) & (SLOTS - 1)]);
		most_names = MAX(most_names, ++names[hash_str(name) & (SLOTS - 1)]);
	}
	/* By chance 7 or 8 meet; 16 would be one in 10^10 runs. */
	if (most_ids > 16 || most_names > 16)
		FAIL("%u ids and %u names fall together", most_ids, most_names);
}
