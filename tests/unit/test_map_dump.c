/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <unistd.h>

#include "bpf/kmap.h"
#include "bpf/sys.h"
#include "fs/fs.h"
#include "fs/maps.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

static struct fs fs = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int make_map(uint32_t type, uint32_t key, uint32_t value, uint32_t n, uint32_t *ret_id)
{
	struct kmap_spec spec = { .type = type,
				  .key_size = key,
				  .value_size = value,
				  .max_entries = n,
				  .name = "m",
				  .flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0 };
	struct bpf_map_info info;
	int fd = kmap_create(&spec);

	CHECK(fd >= 0);
	CHECK_EQ(kmap_info(fd, &info), 0);
	*ret_id = info.id;
	return fd;
}

/* The whole file, read in pieces of about @want bytes. */
static int dump(uint32_t id, enum map_dump_format format, size_t want, struct report *rp,
		struct str *out)
{
	struct subject self = { .kind = SUBJECT_MAP, .id = id };
	struct entry entry = { "dump", ENTRY_CURSOR, 0444, .arg = format };
	struct call c = { .fs = &fs, .self = &self, .entry = &entry, .rp = rp };
	void *state;
	int r = map_dump_cursor.open(&c, &state);

	if (r < 0)
		return r;
	do {
		struct str piece = {};

		r = map_dump_cursor.fill(state, &piece, want, rp);
		CHECK(r < 0 || piece.len || r == 0);
		/* A piece is at most what was wanted and one element. */
		CHECK(piece.len < want + 256);
		str_add_mem(out, str_text(&piece), piece.len);
		str_deinit(&piece);
	} while (r == 1);
	map_dump_cursor.close(state);
	return r;
}

TEST(array_is_numbered_and_hex_without_types)
{
	_cleanup_str_ struct str text = {}, json = {}, raw = {};
	uint32_t id, key = 1;
	uint16_t value = 0x0201;
	int fd = make_map(BPF_MAP_TYPE_ARRAY, 4, 2, 2, &id);

	CHECK_EQ(kmap_update(fd, &key, &value, 0), 0);
	CHECK_EQ(dump(id, MAP_DUMP_TEXT, 1, NULL, &text), 0);
	CHECK_STR(text.data, "0: 0x0000\n1: 0x0102\n");
	CHECK_EQ(dump(id, MAP_DUMP_JSON, 4096, NULL, &json), 0);
	CHECK_STR(json.data,
		  "[\n{\"key\":0,\"value\":\"0x0000\"},\n{\"key\":1,\"value\":\"0x0102\"}\n]\n");
	CHECK_EQ(dump(id, MAP_DUMP_RAW, 1, NULL, &raw), 0);
	CHECK_EQ(raw.len, 12);
	CHECK(!memcmp(raw.data, "\0\0\0\0\0\0\1\0\0\0\1\2", 12));
	close(fd);
	fake_sys_reset();
}

TEST(empty_map_is_an_empty_array)
{
	_cleanup_str_ struct str json = {};
	uint32_t id;
	int fd = make_map(BPF_MAP_TYPE_HASH, 4, 4, 8, &id);

	CHECK_EQ(dump(id, MAP_DUMP_JSON, 4096, NULL, &json), 0);
	CHECK_STR(json.data, "[]\n");
	close(fd);
	fake_sys_reset();
}

static size_t lines(const struct str *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->len; i++)
		n += s->data[i] == '\n';
	return n;
}

static int fill_hash(uint32_t n, uint32_t *ret_id)
{
	int fd = make_map(BPF_MAP_TYPE_HASH, 4, 4, n, ret_id);

	for (uint32_t i = 0; i < n; i++)
		CHECK_EQ(kmap_update(fd, &i, &i, 0), 0);
	return fd;
}

TEST(all_elements_come_in_batches)
{
	_cleanup_str_ struct str text = {};
	uint32_t id;
	int fd = fill_hash(20000, &id);

	CHECK_EQ(dump(id, MAP_DUMP_TEXT, 4096, NULL, &text), 0);
	CHECK_EQ(lines(&text), 20000);
	CHECK_EQ(fake_sys_n_calls(BPF_MAP_GET_NEXT_KEY), 0);
	close(fd);
	fake_sys_reset();
}

static int no_batches(int cmd, void *attr, size_t size, bool *handled)
{
	(void)attr;
	(void)size;
	*handled = cmd == BPF_MAP_LOOKUP_BATCH;
	return *handled ? -EINVAL : 0;
}

TEST(kernel_without_batches_is_walked_by_keys)
{
	_cleanup_str_ struct str text = {};
	uint32_t id;
	int fd = fill_hash(300, &id);

	fake_sys_hook = no_batches;
	CHECK_EQ(dump(id, MAP_DUMP_TEXT, 100, NULL, &text), 0);
	CHECK_EQ(lines(&text), 300);
	fake_sys_hook = NULL;
	close(fd);
	fake_sys_reset();
}

TEST(batches_that_fail_half_way_go_on_by_keys)
{
	_cleanup_str_ struct str text = {};
	uint32_t id;
	int fd = fill_hash(20000, &id);

	fake_sys_fail(BPF_MAP_LOOKUP_BATCH, 2, EINTR);
	CHECK_EQ(dump(id, MAP_DUMP_TEXT, 4096, NULL, &text), 0);
	CHECK_EQ(lines(&text), 20000);
	close(fd);
	fake_sys_reset();
}

/* What a key that was deleted does to a walk: it starts over, here for ever. */
static int always_another_key(int cmd, void *attr, size_t size, bool *handled)
{
	static uint32_t n;
	struct abi_map_elem *elem = attr;

	if (cmd != BPF_MAP_GET_NEXT_KEY)
		return no_batches(cmd, attr, size, handled);
	*handled = true;
	/* Neither the first again nor the end. */
	n = n % 5 + 1;
	*(uint32_t *)(uintptr_t)elem->value = elem->key ? n : 0;
	return 0;
}

TEST(walk_that_starts_over_ends)
{
	_cleanup_str_ struct str text = {};
	uint32_t id;
	int fd = fill_hash(50, &id);

	fake_sys_hook = always_another_key;
	CHECK_EQ(dump(id, MAP_DUMP_TEXT, 100, NULL, &text), 0);
	CHECK_EQ(lines(&text), 50);
	fake_sys_hook = NULL;
	close(fd);
	fake_sys_reset();
}

TEST(every_cpu_has_its_value)
{
	_cleanup_str_ struct str json = {}, want = {};
	int cpus = possible_cpus();
	uint32_t id, key = 0;
	uint64_t *values = calloc(cpus, 8);
	int fd = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 1, &id);

	for (int i = 0; i < cpus; i++)
		values[i] = i + 1;
	CHECK_EQ(kmap_update(fd, &key, values, 0), 0);
	str_add(&want, "[\n{\"key\":0,\"values\":[");
	for (int i = 0; i < cpus; i++)
		str_printf(&want, "%s{\"cpu\":%d,\"value\":\"0x%02x000000\"}", i ? "," : "", i,
			   i + 1);
	str_add(&want, "]}\n]\n");
	CHECK_EQ(dump(id, MAP_DUMP_JSON, 4096, NULL, &json), 0);
	CHECK_STR(json.data, want.data);
	free(values);
	close(fd);
	fake_sys_reset();
}

TEST(what_cannot_be_listed_says_why)
{
	_cleanup_str_ struct str out = {};
	struct report rp = REPORT_INIT(NULL, NULL);
	uint32_t id;
	int fd = make_map(BPF_MAP_TYPE_QUEUE, 0, 4, 4, &id);

	CHECK_EQ(dump(id, MAP_DUMP_TEXT, 100, &rp, &out), -EOPNOTSUPP);
	CHECK_HAS(rp.text, "queue");
	close(fd);
	fd = make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, &id);
	CHECK_EQ(dump(id, MAP_DUMP_JSON, 100, &rp, &out), -EOPNOTSUPP);
	CHECK_HAS(rp.text, "stream/");
	close(fd);
	CHECK_EQ(dump(4711, MAP_DUMP_JSON, 100, &rp, &out), -ESTALE);
	CHECK_HAS(rp.text, "4711");
	CHECK_EQ(out.len, 0);
	fake_sys_reset();
}
