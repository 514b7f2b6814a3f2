/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sharing of a ring: who sees what, what is released, who skips. The test is
 * the producer: it writes records into the fake map's memory.
 */
#include <pthread.h>
#include <unistd.h>

#include "bpf/kmap.h"
#include "fs/fs.h"
#include "fs/hub.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

enum { SIZE = 4096, RECORD = 24, STEP = RECORD + 8 };

static struct fs fs = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct rig {
	struct hubs *hubs;
	int fd;
	uint32_t id;
	uint8_t *mem; /* consumer page, producer page, data */
	size_t page;
	uint64_t next; /* number of the next record */
};

static struct rig rig_new(void)
{
	struct kmap_spec spec = { .type = BPF_MAP_TYPE_RINGBUF, .max_entries = SIZE, .name = "r" };
	struct rig g = { .hubs = hubs_new(&fs), .page = sysconf(_SC_PAGESIZE) };
	struct bpf_map_info info;
	size_t len;

	CHECK(g.hubs);
	g.fd = kmap_create(&spec);
	CHECK(g.fd >= 0);
	CHECK_EQ(kmap_info(g.fd, &info), 0);
	g.id = info.id;
	g.mem = fake_sys_map_data(g.fd, &len);
	CHECK(g.mem);
	return g;
}

static void rig_free(struct rig *g)
{
	hubs_free(g->hubs);
	close(g->fd);
	fake_sys_reset();
}

static uint64_t *producer(struct rig *g)
{
	return (uint64_t *)(g->mem + g->page);
}

static uint64_t consumer(struct rig *g)
{
	return *(uint64_t *)g->mem;
}

/* As the kernel: false if there is no room. @flags: of the length word. */
static bool produce(struct rig *g, uint32_t flags)
{
	uint64_t pos = *producer(g);
	uint8_t *data = g->mem + 2 * g->page;
	uint32_t len = RECORD | flags;

	if (pos + STEP - consumer(g) > SIZE)
		return false;
	memcpy(data + (pos & (SIZE - 1)), &len, 4);
	memcpy(data + ((pos + 8) & (SIZE - 1)), &g->next, 8);
	g->next++;
	*producer(g) = pos + STEP;
	return true;
}

static void produce_n(struct rig *g, unsigned n)
{
	while (n--)
		CHECK(produce(g, 0));
}

static struct hub *join(struct rig *g, struct hub_reader *r)
{
	struct hub *hub;

	CHECK_EQ(hub_join(g->hubs, g->id, dup(g->fd), SIZE, r, NULL, &hub), 0);
	return hub;
}

/* Take up to @max records and check that they are numbered from @first on. Returns how many. */
static unsigned take(struct hub *hub, struct hub_reader *r, unsigned max, uint64_t first,
		     uint64_t *lost)
{
	uint64_t pos = hub_begin(hub, r, lost), end = ring_producer_pos(hub_ring(hub));
	struct ring_record rec;
	enum ring_state st;
	unsigned n = 0;

	while (n < max && ((st = ring_peek(hub_ring(hub), pos, end, &rec)) == RING_RECORD ||
			   st == RING_DISCARD)) {
		if (st == RING_RECORD) {
			uint64_t number;

			memcpy(&number, rec.data, 8);
			CHECK_EQ(number, first + n);
			n++;
		}
		pos = rec.next;
	}
	hub_end(hub, r, pos, n);
	return n;
}

TEST(one_reader_pushes_back)
{
	struct rig g = rig_new();
	struct hub_reader r = {};
	struct hub *hub = join(&g, &r);
	uint64_t lost;

	/* The ring takes what it holds and no more: nothing is skipped for a single reader. */
	produce_n(&g, SIZE / STEP);
	CHECK(!produce(&g, 0));
	CHECK_EQ(take(hub, &r, 10, 0, &lost), 10);
	CHECK_EQ(lost, 0);
	CHECK_EQ(consumer(&g), 10 * STEP);
	produce_n(&g, 10);
	CHECK(!produce(&g, 0));
	CHECK_EQ(take(hub, &r, 1000, 10, &lost), SIZE / STEP);
	CHECK_EQ(lost, 0);
	hub_leave(hub, &r);
	rig_free(&g);
}

TEST(the_first_reader_sees_what_was_waiting_the_second_what_comes)
{
	struct rig g = rig_new();
	struct hub_reader a = {}, b = {};
	struct hub *hub;
	uint64_t lost;

	produce_n(&g, 5);
	hub = join(&g, &a);
	join(&g, &b);
	produce_n(&g, 2);
	CHECK_EQ(take(hub, &b, 100, 5, &lost), 2);
	CHECK_EQ(consumer(&g), 0); /* the other one holds it */
	CHECK_EQ(take(hub, &a, 100, 0, &lost), 7);
	CHECK_EQ(consumer(&g), 7 * STEP);
	hub_leave(hub, &a);
	hub_leave(hub, &b);
	rig_free(&g);
}

TEST(the_slowest_reader_holds_the_ring_until_it_leaves)
{
	struct rig g = rig_new();
	struct hub_reader a = {}, b = {}, c = {};
	struct hub *hub = join(&g, &a);
	uint64_t lost;

	join(&g, &b);
	join(&g, &c);
	produce_n(&g, 8);
	CHECK_EQ(take(hub, &a, 3, 0, &lost), 3);
	CHECK_EQ(take(hub, &b, 8, 0, &lost), 8);
	CHECK_EQ(take(hub, &c, 5, 0, &lost), 5);
	CHECK_EQ(consumer(&g), 3 * STEP);
	hub_leave(hub, &a);
	CHECK_EQ(consumer(&g), 5 * STEP);
	hub_leave(hub, &c);
	CHECK_EQ(consumer(&g), 8 * STEP);
	hub_leave(hub, &b);
	CHECK_EQ(consumer(&g), 8 * STEP);
	rig_free(&g);
}

TEST(what_a_reader_that_leaves_was_not_given_waits_for_the_next)
{
	struct rig g = rig_new();
	struct hub_reader a = {}, b = {};
	struct hub *hub = join(&g, &a);
	uint64_t lost;

	produce_n(&g, 6);
	CHECK_EQ(take(hub, &a, 2, 0, &lost), 2);
	hub_leave(hub, &a);
	hub = join(&g, &b);
	CHECK_EQ(take(hub, &b, 100, 2, &lost), 4);
	hub_leave(hub, &b);
	rig_free(&g);
}

TEST(a_laggard_skips_and_is_told_exactly_how_many)
{
	struct rig g = rig_new();
	struct hub_reader fast = {}, slow = {};
	struct hub *hub = join(&g, &fast);
	uint64_t lost, told = 0, seen = 0, at = 0, fast_at = 0;

	join(&g, &slow);
	/* Ten rings' worth; the fast one keeps up, the slow one takes one record a round. */
	for (int round = 0; round < 10 * SIZE / STEP / 16; round++) {
		unsigned n;

		produce_n(&g, 16);
		fast_at += take(hub, &fast, 100, fast_at, &lost);
		CHECK_EQ(lost, 0);
		/* The skip is told before the record that follows it. */
		hub_begin(hub, &slow, &lost);
		hub_end(hub, &slow, slow.pos, 0);
		told += lost;
		at += lost;
		n = take(hub, &slow, 1, at, &lost);
		CHECK_EQ(lost, 0);
		seen += n;
		at += n;
	}
	hub_begin(hub, &slow, &lost);
	hub_end(hub, &slow, slow.pos, 0);
	told += lost;
	at += lost;
	seen += take(hub, &slow, 100000, at, &lost);
	CHECK_EQ(fast_at, g.next);
	CHECK(told > 0);
	CHECK_EQ(told + seen, g.next);
	hub_leave(hub, &fast);
	hub_leave(hub, &slow);
	rig_free(&g);
}

TEST(a_reader_in_the_middle_of_a_copy_is_not_moved)
{
	struct rig g = rig_new();
	struct hub_reader fast = {}, slow = {};
	struct hub *hub = join(&g, &fast);
	uint64_t lost, pos, fast_at = 0;

	join(&g, &slow);
	pos = hub_begin(hub, &slow, &lost);
	while (produce(&g, 0))
		fast_at += take(hub, &fast, 100, fast_at, &lost);
	CHECK_EQ(consumer(&g), pos);
	hub_end(hub, &slow, pos + STEP, 1);
	CHECK_EQ(consumer(&g), pos + STEP);
	hub_leave(hub, &fast);
	hub_leave(hub, &slow);
	rig_free(&g);
}

TEST(busy_records_block_discarded_ones_do_not)
{
	struct rig g = rig_new();
	struct hub_reader r = {};
	struct hub *hub = join(&g, &r);
	uint64_t lost;

	CHECK(!hub_readable(hub, &r));
	CHECK(produce(&g, BPF_RINGBUF_DISCARD_BIT));
	/* Nothing but a discarded record: not readable, and its room is given back. */
	CHECK(!hub_readable(hub, &r));
	CHECK_EQ(consumer(&g), STEP);
	CHECK(produce(&g, BPF_RINGBUF_BUSY_BIT));
	CHECK(produce(&g, 0));
	CHECK(!hub_readable(hub, &r));
	CHECK_EQ(take(hub, &r, 100, 0, &lost), 0);
	hub_leave(hub, &r);
	rig_free(&g);
}

TEST(a_length_beyond_what_was_produced_is_broken_not_read)
{
	struct rig g = rig_new();
	struct hub_reader r = {};
	struct hub *hub = join(&g, &r);
	struct ring_record rec;
	uint32_t len = 4000;

	CHECK(produce(&g, 0));
	memcpy(g.mem + 2 * g.page, &len, 4);
	CHECK_EQ(ring_peek(hub_ring(hub), 0, *producer(&g), &rec), RING_BROKEN);
	CHECK(hub_readable(hub, &r)); /* so that the reader hears of it */
	hub_leave(hub, &r);
	rig_free(&g);
}

TEST(a_map_that_goes_ends_its_streams)
{
	struct rig g = rig_new();
	struct hub_reader r = {};
	struct hub *hub = join(&g, &r);

	CHECK(!hub_ended(hub));
	hubs_map_gone(g.hubs, g.id);
	CHECK(hub_ended(hub));
	CHECK(hub_readable(hub, &r));
	hub_leave(hub, &r);
	rig_free(&g);
}
