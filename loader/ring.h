/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * ring - the memory of one BPF_MAP_TYPE_RINGBUF map.
 *
 * The kernel writes records between the consumer's and the producer's position;
 * positions only grow, and index the data modulo its size. The data is mapped
 * twice in a row, so that a record is always contiguous. There is ONE consumer position a
 * map: whoever stores it decides for all who look.
 *
 * This is a view: it peeks at any position between the two and leaves to its
 * user who has seen what. It does not lock.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"

struct ring {
	int fd; /* borrowed: must outlive the ring */
	uint64_t size; /* of the data: a power of two */
	unsigned long *consumer; /* one page, read and write */
	const unsigned long *producer; /* one page, and behind it twice the data, read only */
	const uint8_t *data;
	size_t page;
};

/**
 * ring_open() - map the ring behind @map_fd
 * @size: the map's max_entries
 *
 * Return: 0; else what mmap(2) said, -EPERM among it.
 */
int ring_open(int map_fd, uint64_t size, struct report *rp, struct ring **ret);
void ring_free(struct ring *ring);
DEFINE_CLEANUP(struct ring, ring_free)

static inline uint64_t ring_producer_pos(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}
static inline uint64_t ring_consumer_pos(const struct ring *ring)
{
	return __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
}
/* ring_release() - let the kernel have the room before @pos. */
static inline void ring_release(struct ring *ring, uint64_t pos)
{
	__atomic_store_n(ring->consumer, pos, __ATOMIC_RELEASE);
}

enum ring_state {
	RING_EMPTY,   /* @pos is the producer's position */
	RING_BUSY,    /* reserved, not submitted: nothing behind it may be read yet */
	RING_RECORD,
	RING_DISCARD, /* to be stepped over */
	RING_BROKEN,  /* a length beyond what was produced, a position between two records or of
		       * one that is overwritten: someone scribbled here */
};

struct ring_record {
	const void *data; /* in the mapping: valid until the position is released */
	uint32_t len;
	uint64_t next; /* position behind it */
};

/* ring_peek() - what is at @pos; @producer is a position that ring_producer_pos() gave. */
static inline enum ring_state ring_peek(const struct ring *ring, uint64_t pos, uint64_t producer,
					struct ring_record *ret)
{
	const uint32_t *header = (const uint32_t *)(ring->data + (pos & (ring->size - 1)));
	uint64_t whole;
	uint32_t len;

	if (pos >= producer)
		return RING_EMPTY;
	/* The consumer's page can be written to by whoever has the map, and so say anything. */
	if (producer - pos > ring->size || pos & 7)
		return RING_BROKEN;
	len = __atomic_load_n(header, __ATOMIC_ACQUIRE);
	if (len & (1u << 31)) /* BPF_RINGBUF_BUSY_BIT */
		return RING_BUSY;
	ret->len = len & ~(1u << 30); /* BPF_RINGBUF_DISCARD_BIT */
	ret->data = header + 2;
	whole = (ret->len + 8ull + 7) & ~7ull;
	ret->next = pos + whole;
	if (whole > producer - pos || ret->len > ring->size - 8)
		return RING_BROKEN;
	return len & (1u << 30) ? RING_DISCARD : RING_RECORD;
}
