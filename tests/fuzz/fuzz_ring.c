/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring whose memory somebody scribbled in: what a stream makes of it ends, stays
 * inside the mapping, and is JSON where it should be.
 *
 *	positions	consumer and producer, 8 bytes each, and the format
 *	types		two bytes of length, that much of types.h, for the records
 *	data		the rest: what is in the ring
 *
 * The code under test is included, because filling a read's buffer is its own
 * business, and a hub would want threads.
 */
#define hub_ring  fake_hub_ring
#define hub_begin fake_hub_begin
#define hub_end	  fake_hub_end
#define hub_leave fake_hub_leave
#include "fs/record.c"
#include "fs/stream.c"

#include <sys/mman.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json.h"
#include "tests/fuzz/types.h"

enum { RING_BYTES = 4096, READ_BYTES = 512, PAGE = 4096 };

static struct ring ring = { .size = RING_BYTES, .page = PAGE };
static uint8_t *memory; /* of the data, mapped twice */
static unsigned long consumer_pos, producer_pos;

const struct ring *fake_hub_ring(const struct hub *hub)
{
	(void)hub;
	return &ring;
}

uint64_t fake_hub_begin(struct hub *hub, struct hub_reader *r, uint64_t *lost)
{
	(void)hub;
	*lost = r->lost;
	r->lost = 0;
	return r->pos;
}

void fake_hub_end(struct hub *hub, struct hub_reader *r, uint64_t pos, uint64_t n)
{
	(void)hub;
	(void)n;
	REQUIRE(pos >= r->pos);
	REQUIRE(pos == r->pos || pos <= producer_pos);
	r->pos = pos;
}

void fake_hub_leave(struct hub *hub, struct hub_reader *r)
{
	(void)hub;
	(void)r;
}

/* As the kernel does it: the same pages twice in a row. */
static void map_memory(void)
{
	_cleanup_close_ int fd = memfd_create("ring", MFD_CLOEXEC);

	if (memory)
		return;
	REQUIRE(fd >= 0 && ftruncate(fd, RING_BYTES) == 0);
	memory = mmap(NULL, 2 * RING_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	for (int i = 0; i <= 1; i++)
		REQUIRE(mmap(memory + i * RING_BYTES, RING_BYTES, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	ring.data = memory;
	ring.consumer = &consumer_pos;
	ring.producer = &producer_pos;
}

/* Every record is inside, every step leads on. */
static void walk(uint64_t pos)
{
	uint64_t producer = ring_producer_pos(&ring);
	struct ring_record rec;
	enum ring_state st;

	for (unsigned n = 0; n < 10000; n++) {
		st = ring_peek(&ring, pos, producer, &rec);
		if (st != RING_RECORD && st != RING_DISCARD)
			return;
		REQUIRE(rec.next > pos && rec.next <= producer);
		REQUIRE((const uint8_t *)rec.data >= memory);
		REQUIRE((const uint8_t *)rec.data + rec.len <= memory + 2 * RING_BYTES);
		pos = rec.next;
	}
}

static void check_lines(const struct str *out)
{
	const char *p = str_text(out), *end = p + out->len;

	while (p < end) {
		const char *newline = memchr(p, '\n', end - p);

		REQUIRE(newline && json_is_valid(p, newline - p));
		p = newline + 1;
	}
}

static void read_stream(struct stream *s)
{
	for (unsigned n = 0; n < 2000; n++) {
		uint64_t pos = s->reader.pos;
		int r = fill(s, READ_BYTES);

		REQUIRE(r == 0 || r == -EBADMSG);
		if (s->format == STREAM_JSON)
			check_lines(&s->window.bytes->str);
		if (r < 0 || (!s->window.bytes->str.len && pos == s->reader.pos))
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = INPUT(data, size), types;
	struct records records = {};
	struct stream s = { .refs = 1 };
	struct btf_gen g = {};

	map_memory();
	consumer_pos = take_u64(&in);
	producer_pos = take_u64(&in);
	s.format = records.format = take_u8(&in) & 3;
	s.reader.lost = take_u8(&in) & 1;
	types = take_part(&in, take_u16(&in) & 0x3ff);
	types_add(&g, &types);
	records.btf = types_finish(&g);
	records.declared = 1;
	memset(memory, 0, RING_BYTES);
	if (input_left(&in))
		memcpy(memory, in.pos, MIN(input_left(&in), (size_t)RING_BYTES));
	walk(consumer_pos);
	s.records = s.format == STREAM_RAW ? NULL : &records;
	s.reader.pos = consumer_pos;
	read_stream(&s);
	window_drop(&s.window);
	vec_for_each (k, &records.known)
		value_format_free(k->format);
	vec_deinit(&records.known);
	btf_unref(records.btf);
	return 0;
}
