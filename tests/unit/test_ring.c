/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/ring.h"

#include <stdlib.h>

#include "tests/unit/test.h"

enum { SIZE = 4096, BUSY = 1u << 31, DISCARD = 1u << 30 };

/* A ring's memory without a map: the second half stands in for the second mapping. */
static uint8_t memory[2 * SIZE] __attribute__((aligned(8)));
static unsigned long consumer, producer;
static const struct ring ring = {
	.size = SIZE, .consumer = &consumer, .producer = &producer, .data = memory
};
static struct ring_record rec;

static enum ring_state peek(uint64_t pos, uint64_t end, uint32_t header)
{
	memcpy(memory + (pos & (SIZE - 1)), &header, sizeof(header));
	return ring_peek(&ring, pos, end, &rec);
}

TEST(record_is_padded_to_8_bytes)
{
	CHECK_EQ(peek(SIZE + 8, SIZE + 40, 5), RING_RECORD);
	CHECK_EQ(rec.len, 5);
	CHECK_EQ(rec.next, SIZE + 8 + 16);
	CHECK(rec.data == memory + 16);
	CHECK_EQ(peek(0, 16, DISCARD | 8), RING_DISCARD);
	CHECK_EQ(peek(0, 16, BUSY | 8), RING_BUSY);
	CHECK_EQ(peek(16, 16, 8), RING_EMPTY);
	CHECK_EQ(peek(24, 16, 8), RING_EMPTY);
}

TEST(length_beyond_what_was_produced_is_broken)
{
	CHECK_EQ(peek(0, 16, 9), RING_BROKEN);
	CHECK_EQ(peek(0, 16, ~(uint32_t)(BUSY | DISCARD)), RING_BROKEN);
	CHECK_EQ(peek(8, 8 + SIZE, SIZE - 7), RING_BROKEN);
	CHECK_EQ(peek(8, 8 + SIZE, SIZE - 8), RING_RECORD);
}

/* What the position of another consumer, which may be any number, leads to. */
TEST(position_a_ring_behind_the_producer_is_broken)
{
	CHECK_EQ(peek(8, 8 + SIZE, 0), RING_RECORD);
	CHECK_EQ(peek(0, 8 + SIZE, 0), RING_BROKEN);
	CHECK_EQ(peek(0, 1ull << 40, DISCARD), RING_BROKEN);
}

TEST(position_that_no_record_starts_at_is_broken)
{
	CHECK_EQ(peek(12, 64, 8), RING_BROKEN);
	CHECK_EQ(peek(SIZE - 1, SIZE + 64, 0), RING_BROKEN);
}

TEST(positions_do_not_wrap_around)
{
	CHECK_EQ(peek(UINT64_MAX - 7, UINT64_MAX, 64), RING_BROKEN);
	CHECK_EQ(peek(UINT64_MAX - 23, UINT64_MAX - 7, 8), RING_RECORD);
	CHECK_EQ(rec.next, UINT64_MAX - 7);
}
