/* SPDX-License-Identifier: BSD-2-Clause */
/* Every type of map that a user may make: it is made, is what it should be, and holds what is put
 * in. */
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/report.h"
#include "bpf/insn.h"
#include "bpf/kbtf.h"
#include "bpf/kmap.h"
#include "bpf/kprog.h"
#include "bpf/names.h"
#include "tests/kernel/kernel_has.h"
#include "tests/unit/test.h"

/* The new map; the test is skipped if this kernel's own types do not have its type. */
static int make(struct kmap_spec spec)
{
	struct bpf_map_info info;
	int fd;

	spec.name = "test_maps";
	fd = kmap_create(&spec);
	if (fd == -EPERM)
		SKIP("bpf(2) is not permitted");
	if (fd < 0 && !kernel_has_enumerator("bpf_map_type", spec.type))
		SKIP("the kernel lacks maps of type %s", map_type_name(spec.type));
	if (fd < 0)
		FAIL("cannot make a map of type %s: %s", map_type_name(spec.type), errno_name(fd));
	CHECK_EQ(kmap_info(fd, &info), 0);
	CHECK_EQ(info.type, spec.type);
	CHECK_EQ(info.max_entries, spec.max_entries);
	return fd;
}

static int make_sized(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
		      uint32_t flags)
{
	return make((struct kmap_spec){
		.type = type,
		.key_size = key_size,
		.value_size = value_size,
		.max_entries = max_entries,
		.flags = flags,
	});
}

/* One element goes in under a key of 4 bytes, and comes out. */
static void check_element(uint32_t type, uint32_t flags)
{
	size_t size = kmap_value_bytes(type, 8, possible_cpus());
	unsigned char *in = calloc(1, size), *out = calloc(1, size);
	int fd = make_sized(type, 4, 8, 2, flags);
	uint32_t key = 1;

	CHECK(in && out);
	for (size_t i = 0; i < size; i += 8)
		memset(in + i, 1 + i / 8, 8);
	CHECK_EQ(kmap_update(fd, &key, in, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, out, 0), 0);
	CHECK(!memcmp(in, out, size));
	close(fd);
	free(in);
	free(out);
}

TEST(hash)
{
	check_element(BPF_MAP_TYPE_HASH, 0);
}
TEST(array)
{
	check_element(BPF_MAP_TYPE_ARRAY, 0);
}
TEST(percpu_hash)
{
	check_element(BPF_MAP_TYPE_PERCPU_HASH, 0);
}
TEST(percpu_array)
{
	check_element(BPF_MAP_TYPE_PERCPU_ARRAY, 0);
}
TEST(lru_hash)
{
	check_element(BPF_MAP_TYPE_LRU_HASH, 0);
}
TEST(lru_percpu_hash)
{
	check_element(BPF_MAP_TYPE_LRU_PERCPU_HASH, 0);
}

TEST(lpm_trie)
{
	struct {
		uint32_t prefix_len;
		unsigned char bytes[4];
	} net = { 8, { 10 } }, host = { 32, { 10, 1, 2, 3 } }, other = { 32, { 11 } };
	int fd = make_sized(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 4, BPF_F_NO_PREALLOC);
	uint32_t value = 7, out = 0;

	CHECK_EQ(kmap_update(fd, &net, &value, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &host, &out, 0), 0);
	CHECK_EQ(out, 7);
	CHECK_EQ(kmap_lookup(fd, &other, &out, 0), -ENOENT);
	close(fd);
}

/* Two values, and the one that comes out first. */
static void check_pop(uint32_t type, uint32_t first)
{
	int fd = make_sized(type, 0, 4, 4, 0);
	uint32_t one = 1, two = 2, out;

	CHECK_EQ(kmap_update(fd, NULL, &one, 0), 0);
	CHECK_EQ(kmap_update(fd, NULL, &two, 0), 0);
	CHECK_EQ(kmap_lookup_and_delete(fd, NULL, &out, 0), 0);
	CHECK_EQ(out, first);
	close(fd);
}

TEST(queue)
{
	check_pop(BPF_MAP_TYPE_QUEUE, 1);
}
TEST(stack)
{
	check_pop(BPF_MAP_TYPE_STACK, 2);
}

TEST(bloom_filter)
{
	int fd = make_sized(BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 100, 0);
	uint32_t in = 42;

	CHECK_EQ(kmap_update(fd, NULL, &in, 0), 0);
	CHECK_EQ(kmap_lookup(fd, NULL, &in, 0), 0);
	close(fd);
}

static void check_of_maps(uint32_t type)
{
	int inner = make_sized(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0), fd;
	struct bpf_map_info info;
	uint32_t key = 1, id = 0;

	fd = make((struct kmap_spec){
		.type = type,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 2,
		.inner_map_fd = inner,
	});
	CHECK_EQ(kmap_info(inner, &info), 0);
	CHECK_EQ(kmap_update(fd, &key, &inner, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, &id, 0), 0);
	CHECK_EQ(id, info.id);
	close(inner);
	close(fd);
}

TEST(array_of_maps)
{
	check_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS);
}
TEST(hash_of_maps)
{
	check_of_maps(BPF_MAP_TYPE_HASH_OF_MAPS);
}

TEST(prog_array)
{
	const struct bpf_insn insns[] = { INSN_MOV64_IMM(BPF_REG_0, 0), INSN_EXIT() };
	struct kprog_spec spec = {
		.type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = insns,
		.n_insns = ARRAY_SIZE(insns),
		.license = "GPL",
	};
	int fd = make_sized(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0), prog = kprog_load(&spec, NULL);
	struct bpf_prog_info info;
	uint32_t key = 1, id = 0;

	CHECK(prog >= 0);
	CHECK_EQ(kprog_info(prog, &info), 0);
	CHECK_EQ(kmap_update(fd, &key, &prog, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, &id, 0), 0);
	CHECK_EQ(id, info.id);
	close(prog);
	close(fd);
}

/* An interface by its number: lo is the first. */
static void check_devices(uint32_t type)
{
	int fd = make_sized(type, 4, 4, 2, 0);
	uint32_t key = 1, ifindex = 1, out = 0;

	CHECK_EQ(kmap_update(fd, &key, &ifindex, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, &out, 0), 0);
	CHECK_EQ(out, 1);
	close(fd);
}

TEST(devmap)
{
	check_devices(BPF_MAP_TYPE_DEVMAP);
}
TEST(devmap_hash)
{
	check_devices(BPF_MAP_TYPE_DEVMAP_HASH);
}

/* The size of a queue, on the first processor. */
TEST(cpumap)
{
	int fd = make_sized(BPF_MAP_TYPE_CPUMAP, 4, 4, 1, 0);
	uint32_t key = 0, size = 64, out = 0;

	CHECK_EQ(kmap_update(fd, &key, &size, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, &out, 0), 0);
	CHECK_EQ(out, 64);
	close(fd);
}

/* A socket with a peer, and its cookie. */
static void check_sockets(uint32_t type)
{
	int fd = make_sized(type, 4, 8, 2, 0), pair[2];
	uint64_t sock, out = 0, cookie = 0;
	socklen_t len = sizeof(cookie);
	uint32_t key = 1;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	sock = pair[0];
	CHECK_EQ(kmap_update(fd, &key, &sock, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, &out, 0), 0);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	CHECK_EQ(out, cookie);
	close(pair[0]);
	close(pair[1]);
	close(fd);
}

TEST(sockmap)
{
	check_sockets(BPF_MAP_TYPE_SOCKMAP);
}
TEST(sockhash)
{
	check_sockets(BPF_MAP_TYPE_SOCKHASH);
}

/* What only the kernel or a device fills. */
static void check_empty(uint32_t type, uint32_t value_size, uint32_t max_entries)
{
	int fd = make_sized(type, 4, value_size, max_entries, 0);
	unsigned char value[64];
	uint32_t key = 0;

	CHECK(kmap_lookup(fd, &key, value, 0) < 0);
	close(fd);
}

TEST(perf_event_array)
{
	check_empty(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 2);
}
TEST(stack_trace)
{
	check_empty(BPF_MAP_TYPE_STACK_TRACE, 64, 2);
}
TEST(cgroup_array)
{
	check_empty(BPF_MAP_TYPE_CGROUP_ARRAY, 4, 2);
}
TEST(xskmap)
{
	check_empty(BPF_MAP_TYPE_XSKMAP, 4, 2);
}
TEST(reuseport_sockarray)
{
	check_empty(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 8, 2);
}

TEST(ringbuf)
{
	close(make_sized(BPF_MAP_TYPE_RINGBUF, 0, 0, sysconf(_SC_PAGESIZE), 0));
}
TEST(user_ringbuf)
{
	close(make_sized(BPF_MAP_TYPE_USER_RINGBUF, 0, 0, sysconf(_SC_PAGESIZE), 0));
}
TEST(arena)
{
	close(make_sized(ABI_MAP_TYPE_ARENA, 0, 0, 4, BPF_F_MMAPABLE));
}

/* Keys of storages are descriptors, and their types must be known: int for both. */
static int make_storage(uint32_t type)
{
	static const char strings[] = "\0int";
	struct {
		struct btf_header header;
		uint32_t types[4];
		char strings[sizeof(strings)];
	} __attribute__((packed)) blob = {
		.header = {
			.magic = BTF_MAGIC,
			.version = BTF_VERSION,
			.hdr_len = sizeof(blob.header),
			.type_len = sizeof(blob.types),
			.str_off = sizeof(blob.types),
			.str_len = sizeof(strings),
		},
		.types = { 1, BTF_KIND_INT << 24, 4, BTF_INT_SIGNED << 24 | 32 },
	};
	int btf, fd;

	memcpy(blob.strings, strings, sizeof(strings));
	btf = kbtf_load(&blob, sizeof(blob), 0, NULL);
	if (btf == -EPERM)
		SKIP("bpf(2) is not permitted");
	CHECK(btf >= 0);
	fd = make((struct kmap_spec){
		.type = type,
		.key_size = 4,
		.value_size = 4,
		.flags = BPF_F_NO_PREALLOC,
		.btf_fd = btf,
		.btf_key_type_id = 1,
		.btf_value_type_id = 1,
	});
	close(btf);
	return fd;
}

/* A value of what the descriptor @key is of. */
static void check_storage(uint32_t type, int key)
{
	int fd = make_storage(type), value = 5, out = 0;

	CHECK(key >= 0);
	CHECK_EQ(kmap_update(fd, &key, &value, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, &out, 0), 0);
	CHECK_EQ(out, 5);
	CHECK_EQ(kmap_delete(fd, &key), 0);
	close(key);
	close(fd);
}

TEST(sk_storage)
{
	check_storage(BPF_MAP_TYPE_SK_STORAGE, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}
/* Whether there are any is also a matter of CONFIG_BPF_LSM and of the cgroups that are mounted. */
TEST(inode_storage)
{
	close(make_storage(BPF_MAP_TYPE_INODE_STORAGE));
}
TEST(task_storage)
{
	close(make_storage(BPF_MAP_TYPE_TASK_STORAGE));
}
TEST(cgrp_storage)
{
	close(make_storage(ABI_MAP_TYPE_CGRP_STORAGE));
}
