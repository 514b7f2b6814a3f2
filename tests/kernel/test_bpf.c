/* SPDX-License-Identifier: BSD-2-Clause */
/* What bpf/ believes of the kernel, held against the one that runs. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "bpf/feature.h"
#include "bpf/insn.h"
#include "bpf/kbtf.h"
#include "bpf/klink.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "bpf/perf.h"
#include "bpf/sys.h"
#include "tests/unit/test.h"

static int create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
		  uint32_t flags)
{
	struct kmap_spec spec = {
		.type = type,
		.key_size = key_size,
		.value_size = value_size,
		.max_entries = max_entries,
		.flags = flags,
		.name = "test-bpf map",
	};

	return kmap_create(&spec);
}

static void need_bpf(void)
{
	int fd = create(BPF_MAP_TYPE_HASH, 4, 4, 1, 0);

	if (fd == -EPERM)
		SKIP("bpf(2) is not permitted");
	CHECK(fd >= 3);
	close(fd);
}

static int load(uint32_t type, uint32_t attach_type, const struct bpf_insn *insns, size_t n)
{
	struct kprog_spec spec = {
		.type = type,
		.expected_attach_type = attach_type,
		.name = "test_bpf",
		.insns = insns,
		.n_insns = n,
		.license = "GPL",
	};

	return kprog_load(&spec, NULL);
}

static int load_trivial(uint32_t type, uint32_t attach_type)
{
	const struct bpf_insn insns[] = { INSN_MOV64_IMM(BPF_REG_0, 0), INSN_EXIT() };

	return load(type, attach_type, insns, ARRAY_SIZE(insns));
}

/* A program that puts its attach cookie into element 0 of @map. */
static int load_cookie_keeper(uint32_t type, uint32_t attach_type, int map)
{
	const struct bpf_insn insns[] = {
		INSN_CALL(BPF_FUNC_get_attach_cookie),
		INSN_LD_IMM64(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map, 0),
		INSN_STX_MEM(BPF_DW, BPF_REG_1, BPF_REG_0, 0),
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};

	return load(type, attach_type, insns, ARRAY_SIZE(insns));
}

static uint64_t element_0(int map)
{
	uint32_t key = 0;
	uint64_t v = 0;

	CHECK_EQ(kmap_lookup(map, &key, &v, 0), 0);
	return v;
}

/* A mount namespace of this test alone, with @type mounted at @dir. */
static void mount_privately(const char *type, const char *dir)
{
	CHECK_EQ(unshare(CLONE_NEWNS), 0);
	CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	if (mount(type, dir, type, 0, NULL) < 0)
		FAIL("mount %s: %s", type, strerror(errno));
}

TEST(a_feature_implies_the_older_ones_of_its_kind)
{
	static const enum feature_id newer_older[][2] = {
		{ FEATURE_BTF_ENUM64, FEATURE_BTF_TYPE_TAG },
		{ FEATURE_BTF_TYPE_TAG, FEATURE_BTF_DECL_TAG },
		{ FEATURE_BTF_DECL_TAG, FEATURE_BTF_FLOAT },
		{ FEATURE_BTF_FLOAT, FEATURE_BTF_GLOBAL_FUNC },
		{ FEATURE_BTF_GLOBAL_FUNC, FEATURE_BTF_DATASEC },
		{ FEATURE_BTF_DATASEC, FEATURE_BTF_FUNC },
		{ FEATURE_BTF_FUNC, FEATURE_BTF },
		{ FEATURE_BTF, FEATURE_PROG_NAME },
		{ FEATURE_UPROBE_SESSION, FEATURE_UPROBE_MULTI },
		{ FEATURE_UPROBE_MULTI, FEATURE_COOKIE },
		{ FEATURE_COOKIE, FEATURE_PERF_LINK },
		{ FEATURE_PERF_LINK, FEATURE_MEMCG },
		{ FEATURE_MEMCG, FEATURE_BIND_MAP },
		{ FEATURE_BIND_MAP, FEATURE_RINGBUF },
		{ FEATURE_RINGBUF, FEATURE_PROBE_READ_KERN },
		{ FEATURE_PROBE_READ_KERN, FEATURE_ARRAY_MMAP },
		{ FEATURE_ARRAY_MMAP, FEATURE_GLOBAL_DATA },
		{ FEATURE_GLOBAL_DATA, FEATURE_PROG_NAME },
	};
	struct feature f = {};

	need_bpf();
	for (size_t i = 0; i < ARRAY_SIZE(newer_older); i++)
		if (feature_has(&f, newer_older[i][0]) && !feature_has(&f, newer_older[i][1]))
			FAIL("%s without %s", feature_name(newer_older[i][0]),
			     feature_name(newer_older[i][1]));
}

TEST(a_kernel_of_6_13_has_every_feature)
{
	struct utsname uts;
	int major, minor;

	need_bpf();
	uname(&uts);
	CHECK_EQ(sscanf(uts.release, "%d.%d", &major, &minor), 2);
	if (major < 6 || (major == 6 && minor < 13))
		SKIP("the kernel lacks some: Linux %s is older", uts.release);
	for (int id = 0; id < N_FEATURES; id++)
		if (!feature_probe_uncached(id))
			FAIL("%s is missing", feature_name(id));
}

TEST(hash_elements_come_and_go)
{
	uint32_t a = 1, b = 2, next;
	uint64_t v = 10;
	int fd;

	need_bpf();
	fd = create(BPF_MAP_TYPE_HASH, 4, 8, 1, BPF_F_NO_PREALLOC);
	CHECK_EQ(kmap_lookup(fd, &a, &v, 0), -ENOENT);
	CHECK_EQ(kmap_update(fd, &a, &v, BPF_EXIST), -ENOENT);
	CHECK_EQ(kmap_update(fd, &a, &v, BPF_NOEXIST), 0);
	CHECK_EQ(kmap_update(fd, &a, &v, BPF_NOEXIST), -EEXIST);
	CHECK_EQ(kmap_update(fd, &b, &v, 0), -E2BIG);
	CHECK_EQ(kmap_next_key(fd, NULL, &next), 0);
	CHECK_EQ(next, 1);
	CHECK_EQ(kmap_next_key(fd, &next, &next), -ENOENT);
	CHECK_EQ(kmap_next_key(fd, &b, &next), 0);
	v = 0;
	CHECK_EQ(kmap_lookup_and_delete(fd, &a, &v, 0), 0);
	CHECK_EQ(v, 10);
	CHECK_EQ(kmap_delete(fd, &a), -ENOENT);
	close(fd);
}

TEST(arrays_map_and_freeze)
{
	uint32_t key = 1, past = 2;
	uint64_t v = 7;
	size_t page = sysconf(_SC_PAGESIZE);
	uint64_t *p, frozen;
	int fd, r;

	need_bpf();
	fd = create(BPF_MAP_TYPE_ARRAY, 4, 8, 2, BPF_F_MMAPABLE);
	CHECK_EQ(kmap_update(fd, &key, &v, 0), 0);
	CHECK_EQ(kmap_update(fd, &past, &v, 0), -E2BIG);
	CHECK_EQ(kmap_update(fd, &key, &v, BPF_NOEXIST), -EEXIST);
	CHECK_EQ(kmap_delete(fd, &key), -EINVAL);
	CHECK_EQ(kmap_lookup_and_delete(fd, &key, &v, 0), -EOPNOTSUPP);
	CHECK_EQ(sys_map_mmap(fd, page, PROT_READ, 0, (void **)&p), 0);
	CHECK_EQ(p[1], 7);
	munmap(p, page);
	CHECK_EQ(kobj_fdinfo(fd, "frozen", &frozen), 0);
	CHECK_EQ(frozen, 0);
	CHECK_EQ(kmap_freeze(fd), 0);
	r = kmap_freeze(fd); /* a second time */
	CHECK(r == -EBUSY || r == -EPERM);
	CHECK_EQ(kmap_update(fd, &key, &v, 0), -EPERM);
	CHECK_EQ(sys_map_mmap(fd, page, PROT_READ | PROT_WRITE, 0, (void **)&p), -EPERM);
	CHECK_EQ(kobj_fdinfo(fd, "frozen", &frozen), 0);
	CHECK_EQ(frozen, 1);
	close(fd);
}

TEST(percpu_values_are_as_long_as_computed)
{
	uint32_t key = 0;
	unsigned char *in, *out;
	size_t size;
	int fd;

	need_bpf();
	CHECK(possible_cpus() > 0);
	size = kmap_value_bytes(BPF_MAP_TYPE_PERCPU_ARRAY, 12, possible_cpus());
	in = malloc(size);
	out = malloc(size + 8);
	for (size_t i = 0; i < size; i++)
		in[i] = i % 16 < 12 ? i + 1 : 0;
	memset(out, 0xee, size + 8);
	fd = create(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 1, 0);
	CHECK_EQ(kmap_update(fd, &key, in, 0), 0);
	CHECK_EQ(kmap_lookup(fd, &key, out, 0), 0);
	for (size_t i = 0; i < size; i++)
		if (i % 16 < 12)
			CHECK_EQ(out[i], in[i]);
	/* Not one byte more, and no less. */
	CHECK(out[size - 16] != 0xee);
	for (size_t i = size; i < size + 8; i++)
		CHECK_EQ(out[i], 0xee);
	close(fd);
	free(in);
	free(out);
}

static void check_batches(uint32_t type, uint32_t total)
{
	uint32_t keys[64], values[64], token, count, seen = 0;
	int r, fd = create(type, 4, 4, total, 0);
	uint64_t sum = 0;
	void *in = NULL;

	for (uint32_t i = 0; i < total; i++) {
		uint32_t v = i * 3;

		CHECK_EQ(kmap_update(fd, &i, &v, 0), 0);
	}
	do {
		count = ARRAY_SIZE(keys);
		r = kmap_lookup_batch(fd, in, &token, keys, values, &count);
		in = &token;
		if (r && r != -ENOENT)
			FAIL("batch: %s", strerror(-r));
		for (uint32_t i = 0; i < count; i++) {
			CHECK_EQ(values[i], keys[i] * 3);
			sum += keys[i];
		}
		seen += count;
	} while (!r);
	CHECK_EQ(seen, total);
	CHECK_EQ(sum, (uint64_t)total * (total - 1) / 2);
	close(fd);
}

TEST(batches_walk_the_whole_map)
{
	need_bpf();
	check_batches(BPF_MAP_TYPE_HASH, 1000);
	check_batches(BPF_MAP_TYPE_ARRAY, 1000);
}

TEST(errno_524_does_not_get_out)
{
	uint32_t key = 0;
	uint64_t v;
	int fd;

	need_bpf();
	fd = create(BPF_MAP_TYPE_RINGBUF, 0, 0, sysconf(_SC_PAGESIZE), 0);
	CHECK(fd >= 3);
	CHECK_EQ(kmap_lookup(fd, NULL, &v, 0), -EOPNOTSUPP);
	CHECK_EQ(kmap_update(fd, NULL, &v, 0), -EOPNOTSUPP);
	/* This map has no keys at all. */
	CHECK_EQ(kmap_lookup(fd, &key, &v, 0), -EINVAL);
	close(fd);
}

TEST(descriptors_are_never_those_of_stdio)
{
	int saved, fd, perf;
	struct perf_probe probe = { .path = "/proc/self/exe", .offset = 0, .pid = 0 };

	need_bpf();
	saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
	CHECK(saved >= 10);
	close(STDIN_FILENO);
	fd = create(BPF_MAP_TYPE_HASH, 4, 4, 1, 0);
	perf = perf_open_uprobe(&probe);
	dup2(saved, STDIN_FILENO);
	close(saved);
	CHECK(fd >= 3);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(perf >= 3 || perf == -EOPNOTSUPP);
	if (perf >= 0) {
		CHECK(fcntl(perf, F_GETFD) & FD_CLOEXEC);
		close(perf);
	}
	close(fd);
}

TEST(a_map_can_be_found_and_described)
{
	struct bpf_map_info info, again;
	uint32_t id = 0, found = 0;
	uint64_t type;
	int fd, by_id;

	need_bpf();
	fd = create(BPF_MAP_TYPE_HASH, 4, 8, 16, BPF_F_NO_PREALLOC);
	CHECK_EQ(kmap_info(fd, &info), 0);
	CHECK_STR(info.name, "test_bpf_map");
	CHECK_EQ(info.type, BPF_MAP_TYPE_HASH);
	CHECK_EQ(info.key_size, 4);
	CHECK_EQ(info.value_size, 8);
	CHECK_EQ(info.max_entries, 16);
	CHECK_EQ(info.map_flags, BPF_F_NO_PREALLOC);
	while (!found && kobj_next_id(KOBJ_MAP, id, &id) == 0)
		found = id == info.id;
	CHECK(found);
	by_id = kobj_fd_by_id(KOBJ_MAP, info.id);
	CHECK(by_id >= 3);
	CHECK_EQ(kmap_info(by_id, &again), 0);
	CHECK_EQ(again.id, info.id);
	close(by_id);
	by_id = kobj_map_fd_by_id_rdonly(info.id);
	CHECK(by_id >= 3);
	CHECK_EQ(kmap_update(by_id, &id, &type, 0), -EPERM);
	close(by_id);
	CHECK_EQ(kobj_fdinfo(fd, "map_type", &type), 0);
	CHECK_EQ(type, BPF_MAP_TYPE_HASH);
	CHECK_EQ(kobj_next_id(KOBJ_MAP, INT32_MAX - 1, &id), -ENOENT);
	close(fd);
}

TEST(a_program_can_be_loaded_and_described)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	_cleanup_free_ uint32_t *maps = NULL;
	_cleanup_free_ void *code = NULL;
	struct bpf_prog_info info;
	struct bpf_map_info map_info;
	uint32_t n, len;
	int prog, map, r;

	need_bpf();
	map = create(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	prog = load_trivial(BPF_PROG_TYPE_SOCKET_FILTER, 0);
	CHECK(prog >= 3);
	CHECK_EQ(kprog_map_ids(prog, &maps, &n), 0);
	CHECK_EQ(n, 0);
	free(take_ptr(maps));
	CHECK_EQ(kprog_bind_map(prog, map), 0);
	CHECK_EQ(kprog_map_ids(prog, &maps, &n), 0);
	CHECK_EQ(n, 1);
	CHECK_EQ(kmap_info(map, &map_info), 0);
	CHECK_EQ(maps[0], map_info.id);
	CHECK_EQ(kprog_info(prog, &info), 0);
	CHECK_EQ(info.type, BPF_PROG_TYPE_SOCKET_FILTER);
	CHECK_STR(info.name, "test_bpf");
	CHECK_EQ(kprog_xlated(prog, &insns, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(insns[1].code, BPF_JMP | BPF_EXIT);
	r = kprog_jited(prog, &code, &len);
	/* Where the JIT is off, there is no code. */
	CHECK(r == 0 ? len > 0 && len == info.jited_prog_len : r == -ENOENT);
	close(prog);
	close(map);
}

TEST(a_rejected_program_tells_why)
{
	const struct bpf_insn insns[] = {
		INSN_LDX_MEM(BPF_DW, BPF_REG_0, BPF_REG_2, 0),
		INSN_EXIT(),
	};
	struct kprog_spec spec = {
		.type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = insns,
		.n_insns = ARRAY_SIZE(insns),
		.license = "GPL",
	};
	_cleanup_str_ struct str log = {};

	need_bpf();
	CHECK_EQ(kprog_load(&spec, &log), -EACCES);
	CHECK_HAS(str_text(&log), "R2 !read_ok");
	CHECK_EQ(log.len, strlen(str_text(&log)));
	/* A number of no program type: the verifier is never reached. */
	spec.type = 4711;
	CHECK_EQ(kprog_load(&spec, &log), -EINVAL);
	CHECK_STR(str_text(&log), "");
}

/* Counts to @n in a loop, which level 2 logs turn by turn, then maybe does what it may not. */
static int load_counter(int n, bool bad, struct str *log)
{
	const struct bpf_insn insns[] = {
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_ALU64_IMM(BPF_ADD, BPF_REG_0, 1),
		INSN(BPF_JMP | BPF_JLT | BPF_K, BPF_REG_0, 0, -2, n),
		/* To read where a number points. */
		bad ? INSN_LDX_MEM(BPF_DW, BPF_REG_0, BPF_REG_0, 0) : INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};
	struct kprog_spec spec = {
		.type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = insns,
		.n_insns = ARRAY_SIZE(insns),
		.license = "GPL",
		.log_level = 2,
	};

	return kprog_load(&spec, log);
}

TEST(a_very_long_log_is_whole)
{
	_cleanup_str_ struct str log = {};

	need_bpf();
	CHECK_EQ(load_counter(40000, true, &log), -EACCES);
	CHECK(log.len > 1 << 20);
	CHECK_EQ(log.len, strlen(log.data));
	/* The kernel keeps the end of a log that does not fit: its beginning is what may miss. */
	CHECK(memmem(log.data, 1000, "0: (b7) r0 = 0", 14));
	CHECK_HAS(log.data + log.len - 300, "invalid mem access");
	CHECK_HAS(log.data + log.len - 300, "processed ");
}

TEST(a_very_long_log_does_not_fail_a_good_program)
{
	_cleanup_str_ struct str log = {};
	int fd;

	need_bpf();
	fd = load_counter(40000, false, &log);
	CHECK(fd >= 3);
	CHECK(log.len > 1 << 20);
	CHECK_HAS(log.data + log.len - 300, "processed ");
	close(fd);
}

TEST(pins_lead_to_the_same_object)
{
	char dir[] = "/tmp/test_bpf_XXXXXX", path[64], dotted[64], outside[64];
	struct bpf_map_info info, again;
	int fd, got, prog;

	need_bpf();
	CHECK(mkdtemp(dir));
	mount_privately("bpf", dir);
	snprintf(path, sizeof(path), "%s/map", dir);
	snprintf(dotted, sizeof(dotted), "%s/map.1", dir);
	snprintf(outside, sizeof(outside), "/tmp/test_bpf_%d", getpid());
	fd = create(BPF_MAP_TYPE_HASH, 4, 4, 1, 0);
	CHECK_EQ(kobj_get(path), -ENOENT);
	CHECK_EQ(kobj_pin(fd, path), 0);
	CHECK_EQ(kobj_pin(fd, path), -EEXIST);
	CHECK_EQ(kobj_pin(fd, dotted), -EPERM);
	CHECK_EQ(kobj_pin(fd, outside), -EPERM);
	CHECK_EQ(kmap_info(fd, &info), 0);
	close(fd);
	got = kobj_get(path);
	CHECK(got >= 3);
	CHECK_EQ(kmap_info(got, &again), 0);
	CHECK_EQ(again.id, info.id);
	close(got);
	prog = load_trivial(BPF_PROG_TYPE_SOCKET_FILTER, 0);
	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(kobj_pin(prog, path), 0);
	got = kobj_get(path);
	CHECK(got >= 3);
	close(got);
	close(prog);
	CHECK_EQ(umount(dir), 0);
	CHECK_EQ(rmdir(dir), 0);
}

TEST(a_raw_tracepoint_link_tells_its_tracepoint)
{
	struct bpf_prog_info prog_info;
	struct abi_link_info info;
	struct klink_names names;
	uint32_t id = 0;
	int prog, link, by_id;

	need_bpf();
	prog = load_trivial(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	CHECK(prog >= 3);
	CHECK_EQ(klink_raw_tracepoint_open(prog, "no_such_tracepoint", 0), -ENOENT);
	link = klink_raw_tracepoint_open(prog, "task_rename", 0);
	CHECK(link >= 3);
	CHECK_EQ(klink_info(link, &info, &names), 0);
	CHECK_EQ(kprog_info(prog, &prog_info), 0);
	CHECK_EQ(info.type, BPF_LINK_TYPE_RAW_TRACEPOINT);
	CHECK_EQ(info.prog_id, prog_info.id);
	CHECK_STR(names.name, "task_rename");
	CHECK_EQ(info.raw_tracepoint.tp_name, ptr_to_u64(names.name));
	CHECK_EQ(klink_info(link, &info, NULL), 0);
	CHECK_EQ(info.raw_tracepoint.tp_name, 0);
	CHECK_EQ(klink_detach(link), -EOPNOTSUPP);
	CHECK_EQ(klink_update(link, prog), -EINVAL);
	CHECK_EQ(klink_multi_info(link, NULL), -EINVAL);
	while (kobj_next_id(KOBJ_LINK, id, &id) == 0 && id != info.id)
		;
	CHECK_EQ(id, info.id);
	by_id = kobj_fd_by_id(KOBJ_LINK, id);
	CHECK(by_id >= 3);
	close(by_id);
	close(link);
	close(prog);
}

/* tracefs where the machine has it, else mounted for this test. */
static uint64_t find_tracepoint(const char *category, const char *name)
{
	uint64_t id = 0;
	int r = tracepoint_id(category, name, &id);

	if (r == -ENODEV) {
		mount_privately("tracefs", "/sys/kernel/tracing");
		r = tracepoint_id(category, name, &id);
	}
	CHECK_EQ(r, 0);
	CHECK(id > 0);
	return id;
}

TEST(a_tracepoint_link_runs_the_program_with_its_cookie)
{
	static const uint64_t cookie = 0x1122334455667788;
	struct abi_link_create attr = {
		.attach_type = BPF_PERF_EVENT,
		.perf_event = { .bpf_cookie = cookie },
	};
	struct abi_link_info info;
	struct klink_names names;
	int map, prog, perf, link;

	need_bpf();
	map = create(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	prog = load_cookie_keeper(BPF_PROG_TYPE_TRACEPOINT, 0, map);
	CHECK(prog >= 3);
	perf = perf_open_tracepoint(find_tracepoint("syscalls", "sys_enter_getpriority"));
	CHECK(perf >= 3);
	attr.prog_fd = prog;
	attr.target_fd = perf;
	link = klink_create(&attr, ABI_SIZE(struct abi_link_create, perf_event.bpf_cookie));
	CHECK(link >= 3);
	CHECK_EQ(perf_enable(perf), 0);
	nice(0);
	CHECK_EQ(element_0(map), cookie);
	CHECK_EQ(klink_info(link, &info, &names), 0);
	CHECK_EQ(info.type, BPF_LINK_TYPE_PERF_EVENT);
	/* The kernel tells these since 6.6; the cookie later. */
	if (info.perf_event.type != ABI_PERF_EVENT_UNSPEC) {
		CHECK_EQ(info.perf_event.type, ABI_PERF_EVENT_TRACEPOINT);
		CHECK_STR(names.name, "sys_enter_getpriority");
		CHECK(info.perf_event.tracepoint.cookie == cookie ||
		      !info.perf_event.tracepoint.cookie);
	}
	CHECK_EQ(perf_disable(perf), 0);
	close(link);
	close(perf);
	close(prog);
	close(map);
}

TEST(a_program_hangs_on_a_perf_event_without_a_link)
{
	int map, prog, perf;

	need_bpf();
	map = create(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	const struct bpf_insn insns[] = {
		INSN_LD_IMM64(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map, 0),
		INSN_ST_MEM(BPF_DW, BPF_REG_1, 0, 4711),
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};
	prog = load(BPF_PROG_TYPE_TRACEPOINT, 0, insns, ARRAY_SIZE(insns));
	perf = perf_open_tracepoint(find_tracepoint("syscalls", "sys_enter_getpriority"));
	CHECK_EQ(perf_set_bpf(perf, prog), 0);
	CHECK_EQ(perf_enable(perf), 0);
	nice(0);
	CHECK_EQ(element_0(map), 4711);
	close(perf);
	close(prog);
	close(map);
}

TEST(tracepoints_that_are_none_are_not_found)
{
	uint64_t id;

	need_bpf();
	find_tracepoint("syscalls", "sys_enter_getpriority");
	CHECK_EQ(tracepoint_id("syscalls", "no_such", &id), -ENOENT);
	CHECK_EQ(tracepoint_id("no_such", "sys_enter_getpriority", &id), -ENOENT);
	/* Ways around to one that is there. */
	CHECK_EQ(tracepoint_id("./syscalls", "sys_enter_getpriority", &id), -ENOENT);
	CHECK_EQ(tracepoint_id(".", "syscalls/sys_enter_getpriority", &id), -ENOENT);
	CHECK_EQ(tracepoint_id("..", "events", &id), -ENOENT);
	CHECK_EQ(tracepoint_id("", "", &id), -ENOENT);
}

/* What the probes of the next tests sit on. */
__attribute__((noinline)) static void probed(volatile int *p)
{
	(*p)++;
}

/* Where in the executable @function lies. */
static uint64_t file_offset(void *function)
{
	uint64_t address = (uintptr_t)function, start, end, offset;
	char line[PATH_MAX + 256];
	FILE *maps = fopen("/proc/self/maps", "re");

	CHECK(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 &&
		    address >= start && address < end) {
			fclose(maps);
			return address - start + offset;
		}
	}
	FAIL("no mapping of the function");
}

static void own_path(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	CHECK(n > 0);
	path[n] = '\0';
}

static void check_uprobe(bool ret)
{
	char path[PATH_MAX];
	struct perf_probe probe = {
		.path = path,
		.offset = file_offset(probed),
		.pid = getpid(),
		.ret = ret,
	};
	struct abi_link_create attr = { .attach_type = BPF_PERF_EVENT };
	struct abi_link_info info;
	struct klink_names names;
	int map, prog, perf, link;
	volatile int n = 0;

	own_path(path);
	map = create(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	prog = load_cookie_keeper(BPF_PROG_TYPE_KPROBE, 0, map);
	perf = perf_open_uprobe(&probe);
	if (perf == -EOPNOTSUPP)
		SKIP("no uprobe PMU");
	CHECK(perf >= 3);
	attr.prog_fd = prog;
	attr.target_fd = perf;
	attr.perf_event.bpf_cookie = 99;
	link = klink_create(&attr, ABI_SIZE(struct abi_link_create, perf_event.bpf_cookie));
	CHECK(link >= 3);
	CHECK_EQ(perf_enable(perf), 0);
	probed(&n);
	CHECK_EQ(element_0(map), 99);
	CHECK_EQ(klink_info(link, &info, &names), 0);
	if (info.perf_event.type != ABI_PERF_EVENT_UNSPEC) {
		CHECK_EQ(info.perf_event.type,
			 ret ? ABI_PERF_EVENT_URETPROBE : ABI_PERF_EVENT_UPROBE);
		CHECK_STR(names.name, path);
		CHECK_EQ(info.perf_event.uprobe.offset, probe.offset);
	}
	close(link);
	close(perf);
	close(prog);
	close(map);
}

TEST(a_uprobe_link_tells_its_place)
{
	need_bpf();
	check_uprobe(false);
}

TEST(a_uretprobe_link_tells_its_place)
{
	need_bpf();
	check_uprobe(true);
}

TEST(a_reference_counter_must_be_possible)
{
	struct perf_probe probe = {
		.path = "/proc/self/exe",
		.ref_ctr_offset = 1ull << 32,
		.pid = -1,
	};
	int r;

	need_bpf();
	r = perf_open_uprobe(&probe);
	CHECK(r == -EINVAL || r == -EOPNOTSUPP);
}

TEST(a_uprobe_multi_link_tells_its_places_and_cookies)
{
	char path[PATH_MAX];
	uint64_t offsets[2] = { file_offset(probed), file_offset(own_path) };
	uint64_t cookies[2] = { UINT64_MAX, 6 };
	struct abi_link_create attr = {
		.attach_type = ABI_TRACE_UPROBE_MULTI,
		.uprobe_multi = {
			.path = ptr_to_u64(path),
			.offsets = ptr_to_u64(offsets),
			.cookies = ptr_to_u64(cookies),
			.cnt = 2,
			.pid = getpid(),
		},
	};
	struct klink_multi multi = {};
	struct abi_link_info info;
	struct klink_names names;
	int map, prog, link, r;
	volatile int n = 0;

	need_bpf();
	if (!feature_probe_uncached(FEATURE_UPROBE_MULTI))
		SKIP("the kernel lacks uprobe_multi");
	own_path(path);
	map = create(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	prog = load_cookie_keeper(BPF_PROG_TYPE_KPROBE, ABI_TRACE_UPROBE_MULTI, map);
	attr.prog_fd = prog;
	link = klink_create(&attr, ABI_SIZE(struct abi_link_create, uprobe_multi.pid));
	CHECK(link >= 3);
	probed(&n);
	CHECK_EQ(element_0(map), UINT64_MAX);
	CHECK_EQ(klink_info(link, &info, &names), 0);
	CHECK_EQ(info.type, ABI_LINK_UPROBE_MULTI);
	r = klink_multi_info(link, &multi);
	/* 6.6 and 6.7 do not tell. */
	if (r != -EOPNOTSUPP) {
		CHECK_EQ(r, 0);
		CHECK_STR(names.name, path);
		CHECK_EQ(info.uprobe_multi.count, 2);
		CHECK_EQ(multi.n, 2);
		CHECK(!memcmp(multi.addrs, offsets, sizeof(offsets)));
		CHECK(multi.cookies && !memcmp(multi.cookies, cookies, sizeof(cookies)));
		CHECK_EQ(multi.ref_ctr_offsets[0], 0);
	}
	klink_multi_deinit(&multi);
	close(link);
	close(prog);
	close(map);
}

TEST(an_iterator_needs_an_iterator_link)
{
	int prog, link;

	need_bpf();
	prog = load_trivial(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	link = klink_raw_tracepoint_open(prog, "task_rename", 0);
	CHECK_EQ(klink_iter_create(link), -EINVAL);
	close(link);
	close(prog);
}

TEST(btf_comes_back_as_it_went)
{
	struct {
		struct btf_header header;
		uint32_t types[4];
		char strings[8];
	} blob = {
		.header = {
			.magic = BTF_MAGIC,
			.version = BTF_VERSION,
			.hdr_len = sizeof(blob.header),
			.type_len = sizeof(blob.types),
			.str_off = sizeof(blob.types),
			.str_len = sizeof(blob.strings),
		},
		.types = { 1, BTF_KIND_INT << 24, 4, BTF_INT_SIGNED << 24 | 32 },
		.strings = "\0number",
	};
	_cleanup_str_ struct str log = {};
	struct kbtf_raw raw;
	int fd;

	need_bpf();
	fd = kbtf_load(&blob, sizeof(blob), 0, &log);
	CHECK(fd >= 3);
	CHECK_EQ(log.len, 0);
	CHECK_EQ(kbtf_raw(fd, &raw), 0);
	CHECK_EQ(raw.len, sizeof(blob));
	CHECK(!memcmp(raw.data, &blob, sizeof(blob)));
	CHECK_STR(raw.name, "");
	CHECK_EQ(raw.kernel, 0);
	CHECK(raw.id > 0);
	kbtf_raw_deinit(&raw);
	close(fd);
	blob.types[1] = 31u << 24;
	CHECK_EQ(kbtf_load(&blob, sizeof(blob), 0, &log), -EINVAL);
	CHECK_HAS(str_text(&log), "nvalid kind");
	/* Programs' levels are more than BTF takes. */
	CHECK_EQ(kbtf_load(&blob, sizeof(blob), 7, &log), -EINVAL);
	CHECK_HAS(str_text(&log), "nvalid kind");
}

TEST(the_kernels_btf_is_found_by_name)
{
	uint32_t id = 0;
	bool found = false;

	need_bpf();
	if (access("/sys/kernel/btf/vmlinux", F_OK) < 0)
		SKIP("a kernel without BTF");
	while (!found && kobj_next_id(KOBJ_BTF, id, &id) == 0) {
		int fd = kobj_fd_by_id(KOBJ_BTF, id);
		struct kbtf_raw raw;

		if (fd == -ENOENT)
			continue;
		CHECK(fd >= 3);
		CHECK_EQ(kbtf_info(fd, &raw), 0);
		CHECK_EQ(raw.id, id);
		CHECK(!raw.data);
		found = !strcmp(raw.name, "vmlinux");
		if (found) {
			CHECK_EQ(raw.kernel, 1);
			CHECK_EQ(kbtf_raw(fd, &raw), 0);
			CHECK(raw.len > 100000);
			CHECK_EQ(*(uint16_t *)raw.data, BTF_MAGIC);
			kbtf_raw_deinit(&raw);
		}
		close(fd);
	}
	CHECK(found);
}
