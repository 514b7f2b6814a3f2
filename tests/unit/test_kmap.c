/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kmap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/sys.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

static int create(uint32_t type, uint32_t value_size, uint32_t max_entries, uint32_t flags)
{
	struct kmap_spec spec = {
		.type = type,
		.key_size = 4,
		.value_size = value_size,
		.max_entries = max_entries,
		.flags = flags,
		.name = "m",
	};

	return kmap_create(&spec);
}

TEST(sends_all_that_the_spec_says)
{
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_HASH,
		.key_size = 1,
		.value_size = 2,
		.max_entries = 3,
		.flags = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE,
		.name = "counts.of things",
		.inner_map_fd = 4,
		.numa_node = 5,
		.ifindex = 6,
		.btf_fd = 7,
		.btf_vmlinux_value_type_id = 10,
		.extra = 11,
	};
	_cleanup_close_ int fd = kmap_create(&spec);
	const struct abi_map_create *sent = &fake_sys_last(BPF_MAP_CREATE)->attr.map_create;

	CHECK(fd >= 3);
	CHECK_EQ(sent->map_type, BPF_MAP_TYPE_HASH);
	CHECK_EQ(sent->key_size, 1);
	CHECK_EQ(sent->value_size, 2);
	CHECK_EQ(sent->max_entries, 3);
	CHECK_EQ(sent->map_flags, BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE);
	CHECK_STR(sent->map_name, "counts.of_thing");
	CHECK_EQ(sent->inner_map_fd, 4);
	CHECK_EQ(sent->numa_node, 5);
	CHECK_EQ(sent->map_ifindex, 6);
	CHECK_EQ(sent->btf_fd, 7);
	CHECK_EQ(sent->btf_vmlinux_value_type_id, 10);
	CHECK_EQ(sent->map_extra, 11);
	fake_sys_reset();
}

TEST(hash_elements_come_and_go)
{
	_cleanup_close_ int fd = create(BPF_MAP_TYPE_HASH, 8, 2, 0);
	uint32_t a = 1, b = 2, c = 3, next;
	uint64_t v = 10, got = 0;

	CHECK_EQ(kmap_lookup(fd, &a, &got, 0), -ENOENT);
	CHECK_EQ(kmap_update(fd, &a, &v, BPF_EXIST), -ENOENT);
	CHECK_EQ(kmap_update(fd, &a, &v, BPF_NOEXIST), 0);
	CHECK_EQ(kmap_update(fd, &a, &v, BPF_NOEXIST), -EEXIST);
	v = 20;
	CHECK_EQ(kmap_update(fd, &b, &v, 0), 0);
	CHECK_EQ(kmap_update(fd, &c, &v, 0), -E2BIG);
	CHECK_EQ(kmap_lookup(fd, &b, &got, 0), 0);
	CHECK_EQ(got, 20);

	CHECK_EQ(kmap_next_key(fd, NULL, &next), 0);
	CHECK_EQ(next, 1);
	CHECK_EQ(kmap_next_key(fd, &next, &next), 0);
	CHECK_EQ(next, 2);
	CHECK_EQ(kmap_next_key(fd, &next, &next), -ENOENT);
	/* A key that is gone starts over. */
	CHECK_EQ(kmap_next_key(fd, &c, &next), 0);
	CHECK_EQ(next, 1);

	CHECK_EQ(kmap_lookup_and_delete(fd, &a, &got, 0), 0);
	CHECK_EQ(got, 10);
	CHECK_EQ(kmap_delete(fd, &a), -ENOENT);
	CHECK_EQ(kmap_delete(fd, &b), 0);
	CHECK_EQ(kmap_next_key(fd, NULL, &next), -ENOENT);
	fake_sys_reset();
}

TEST(records_keys_and_values)
{
	_cleanup_close_ int fd = create(BPF_MAP_TYPE_HASH, 2, 2, 0);
	uint32_t key = 0x01020304;
	const struct fake_call *call;

	CHECK_EQ(kmap_update(fd, &key, "ab", BPF_NOEXIST), 0);
	call = fake_sys_last(BPF_MAP_UPDATE_ELEM);
	CHECK_EQ(call->key_size, 4);
	CHECK(!memcmp(call->key, &key, 4));
	CHECK_EQ(call->value_size, 2);
	CHECK(!memcmp(call->value, "ab", 2));
	CHECK_EQ(call->attr.map_elem.flags, BPF_NOEXIST);
	fake_sys_reset();
}

TEST(array_elements_are_always_there)
{
	_cleanup_close_ int fd = create(BPF_MAP_TYPE_ARRAY, 4, 3, 0);
	uint32_t key = 2, past = 3, v = 7, next;

	CHECK_EQ(kmap_lookup(fd, &key, &v, 0), 0);
	CHECK_EQ(v, 0);
	v = 7;
	CHECK_EQ(kmap_update(fd, &key, &v, 0), 0);
	v = 0;
	CHECK_EQ(kmap_lookup(fd, &key, &v, 0), 0);
	CHECK_EQ(v, 7);
	CHECK_EQ(kmap_lookup(fd, &past, &v, 0), -ENOENT);
	CHECK_EQ(kmap_update(fd, &past, &v, 0), -E2BIG);
	CHECK_EQ(kmap_update(fd, &key, &v, BPF_NOEXIST), -EEXIST);
	CHECK_EQ(kmap_delete(fd, &key), -EINVAL);
	CHECK_EQ(kmap_lookup_and_delete(fd, &key, &v, 0), -EOPNOTSUPP);
	CHECK_EQ(kmap_next_key(fd, &key, &next), -ENOENT);
	CHECK_EQ(kmap_next_key(fd, NULL, &next), 0);
	CHECK_EQ(next, 0);
	fake_sys_reset();
}

TEST(percpu_values_have_a_part_for_each_cpu)
{
	_cleanup_close_ int fd = create(BPF_MAP_TYPE_PERCPU_ARRAY, 12, 1, 0);
	size_t size = kmap_value_bytes(BPF_MAP_TYPE_PERCPU_ARRAY, 12, possible_cpus());
	_cleanup_free_ char *in = malloc(size), *out = calloc(1, size);
	uint32_t key = 0;

	CHECK_EQ(size, 16 * possible_cpus());
	memset(in, 0xa5, size);
	CHECK_EQ(kmap_update(fd, &key, in, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, out, 0), 0);
	CHECK(!memcmp(in, out, size));
	fake_sys_reset();
}

TEST(only_percpu_types_multiply_the_value)
{
	CHECK_EQ(kmap_value_bytes(BPF_MAP_TYPE_HASH, 12, 4), 12);
	CHECK_EQ(kmap_value_bytes(BPF_MAP_TYPE_PERCPU_HASH, 12, 4), 64);
	CHECK_EQ(kmap_value_bytes(BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 3), 24);
	CHECK_EQ(kmap_value_bytes(BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 1, 2), 16);
	/* No overflow, whatever somebody's map claims. */
	CHECK_EQ(kmap_value_bytes(BPF_MAP_TYPE_PERCPU_ARRAY, UINT32_MAX, 4096), 4096ull << 32);
}

TEST(possible_cpus_is_at_least_the_configured_ones)
{
	CHECK(possible_cpus() >= sysconf(_SC_NPROCESSORS_ONLN));
	CHECK_EQ(possible_cpus(), possible_cpus());
}

TEST(frozen_maps_are_read_only)
{
	_cleanup_close_ int fd = create(BPF_MAP_TYPE_ARRAY, 4, 1, BPF_F_MMAPABLE);
	uint32_t key = 0, v = 1;
	void *p;

	CHECK_EQ(kmap_freeze(fd), 0);
	CHECK_EQ(kmap_freeze(fd), -EPERM);
	CHECK_EQ(kmap_update(fd, &key, &v, 0), -EPERM);
	CHECK_EQ(kmap_lookup(fd, &key, &v, 0), 0);
	CHECK_EQ(sys_map_mmap(fd, 4096, PROT_READ | PROT_WRITE, 0, &p), -EPERM);
	CHECK_EQ(sys_map_mmap(fd, 4096, PROT_READ, 0, &p), 0);
	munmap(p, 4096);
	fake_sys_reset();
}

TEST(mapped_memory_is_the_maps)
{
	_cleanup_close_ int fd = create(BPF_MAP_TYPE_ARRAY, 12, 2, BPF_F_MMAPABLE);
	_cleanup_close_ int plain = create(BPF_MAP_TYPE_ARRAY, 12, 2, 0);
	uint32_t key = 1, v[3] = {};
	char *p;

	CHECK_EQ(sys_map_mmap(plain, 4096, PROT_READ, 0, (void **)&p), -EINVAL);
	CHECK_EQ(sys_map_mmap(fd, 8192, PROT_READ, 0, (void **)&p), -EINVAL);
	CHECK_EQ(sys_map_mmap(fd, 4096, PROT_READ | PROT_WRITE, 0, (void **)&p), 0);
	memcpy(p + 16, "hello world!", 12);
	CHECK_EQ(kmap_lookup(fd, &key, v, 0), 0);
	CHECK(!memcmp(v, "hello world!", 12));
	munmap(p, 4096);
	fake_sys_reset();
}

/* The real kernel maps a ring's data twice; a reader of the fake must find the same. */
TEST(rings_show_their_data_twice)
{
	struct kmap_spec spec = { .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 8192 };
	_cleanup_close_ int fd = kmap_create(&spec);
	char *consumer, *producer, *data;
	size_t len;

	data = fake_sys_map_data(fd, &len);
	CHECK_EQ(len, 2 * 4096 + 8192);
	CHECK_EQ(sys_map_mmap(fd, 4096, PROT_READ | PROT_WRITE, 0, (void **)&consumer), 0);
	CHECK_EQ(sys_map_mmap(fd, 4096, PROT_READ | PROT_WRITE, 4096, (void **)&producer), -EPERM);
	CHECK_EQ(sys_map_mmap(fd, 4096 + 2 * 8192, PROT_READ, 4096, (void **)&producer), 0);
	data[4096] = 'p';
	data[8192 + 100] = 'd';
	consumer[0] = 'c';
	CHECK_EQ(data[0], 'c');
	CHECK_EQ(producer[0], 'p');
	CHECK_EQ(producer[4096 + 100], 'd');
	CHECK_EQ(producer[4096 + 8192 + 100], 'd');
	munmap(consumer, 4096);
	munmap(producer, 4096 + 2 * 8192);
	fake_sys_reset();
}

static void check_batches(uint32_t type)
{
	_cleanup_close_ int fd = create(type, 4, 10, 0);
	uint32_t keys[4], values[4], token, seen = 0, sum = 0, count;
	void *in = NULL;
	int r;

	for (uint32_t i = 0; i < 10; i++) {
		uint32_t v = i * i;

		CHECK_EQ(kmap_update(fd, &i, &v, 0), 0);
	}
	do {
		count = 4;
		r = kmap_lookup_batch(fd, in, &token, keys, values, &count);
		in = &token;
		CHECK(r == 0 || r == -ENOENT);
		for (uint32_t i = 0; i < count; i++) {
			CHECK_EQ(values[i], keys[i] * keys[i]);
			sum += keys[i];
		}
		seen += count;
	} while (r == 0);
	CHECK_EQ(seen, 10);
	CHECK_EQ(sum, 45);
}

TEST(batches_walk_the_whole_map)
{
	check_batches(BPF_MAP_TYPE_HASH);
	check_batches(BPF_MAP_TYPE_ARRAY);
	fake_sys_reset();
}

/* As the kernel does it: the count is zeroed before anything else happens. */
static int hook_bucket_too_large(int cmd, void *attr, size_t size, bool *handled)
{
	struct abi_map_batch *batch = attr;

	(void)size;
	*handled = cmd == BPF_MAP_LOOKUP_BATCH;
	if (*handled)
		batch->count = 0;
	return -ENOSPC;
}

TEST(a_failed_batch_leaves_the_count)
{
	_cleanup_close_ int fd = create(BPF_MAP_TYPE_HASH, 4, 10, 0);
	uint32_t keys[4], values[4], token, count = 4;

	fake_sys_hook = hook_bucket_too_large;
	CHECK_EQ(kmap_lookup_batch(fd, NULL, &token, keys, values, &count), -ENOSPC);
	CHECK_EQ(count, 4);
	fake_sys_hook = NULL;
	CHECK_EQ(kmap_lookup_batch(fd, NULL, &token, keys, values, &count), -ENOENT);
	CHECK_EQ(count, 0);
	fake_sys_reset();
}

TEST(maps_of_maps_take_descriptors_and_give_ids)
{
	_cleanup_close_ int inner = create(BPF_MAP_TYPE_ARRAY, 4, 1, 0);
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 2,
		.inner_map_fd = inner,
	};
	_cleanup_close_ int fd = kmap_create(&spec);
	struct bpf_map_info info;
	uint32_t key = 1, value;
	int bad = 0;

	CHECK_EQ(kmap_lookup(fd, &key, &value, 0), -ENOENT);
	CHECK_EQ(kmap_update(fd, &key, &bad, 0), -EBADF);
	CHECK_EQ(kmap_update(fd, &key, &inner, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, &value, 0), 0);
	CHECK_EQ(kmap_info(inner, &info), 0);
	CHECK_EQ(value, info.id);
	fake_sys_reset();
}

TEST(an_old_kernel_refuses_what_it_does_not_know)
{
	struct kmap_spec ring = { .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096 };
	struct kmap_spec unnamed = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};
	_cleanup_close_ int fd = -1;

	fake_kernel = (struct fake_kernel){
		.no_names = true,
		.no_mmapable = true,
		.max_map_type = BPF_MAP_TYPE_STACK,
	};
	CHECK_EQ(create(BPF_MAP_TYPE_ARRAY, 4, 1, 0), -E2BIG);
	CHECK_EQ(kmap_create(&ring), -EINVAL);
	fd = kmap_create(&unnamed);
	CHECK(fd >= 3);
	unnamed.flags = BPF_F_MMAPABLE;
	CHECK_EQ(kmap_create(&unnamed), -EINVAL);
	fake_sys_reset();
}
