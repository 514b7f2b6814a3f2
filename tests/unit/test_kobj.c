/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kobj.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/kmap.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

static int create(const char *name)
{
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_HASH,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 16,
		.name = name,
	};

	return kmap_create(&spec);
}

TEST(walks_ids_of_one_kind)
{
	_cleanup_close_ int a = create("a"), b = create("b"), again = -1;
	struct bpf_map_info info;
	uint32_t id = 0;

	CHECK_EQ(kobj_next_id(KOBJ_MAP, id, &id), 0);
	CHECK_EQ(kobj_next_id(KOBJ_MAP, id, &id), 0);
	again = kobj_fd_by_id(KOBJ_MAP, id);
	CHECK(again >= 3 && again != b);
	CHECK_EQ(kmap_info(again, &info), 0);
	CHECK_EQ(info.id, id);
	CHECK_STR(info.name, "b");
	CHECK_EQ(kobj_next_id(KOBJ_MAP, id, &id), -ENOENT);
	id = 0;
	CHECK_EQ(kobj_next_id(KOBJ_PROG, id, &id), -ENOENT);
	CHECK_EQ(id, 0);
	CHECK_EQ(kobj_fd_by_id(KOBJ_MAP, 4711), -ENOENT);
	close(b);
	b = -1;
	(void)a;
	fake_sys_reset();
}

TEST(each_kind_has_its_commands)
{
	static const int commands[][2] = {
		[KOBJ_PROG] = { BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID },
		[KOBJ_MAP] = { BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID },
		[KOBJ_LINK] = { BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID },
		[KOBJ_BTF] = { BPF_BTF_GET_NEXT_ID, BPF_BTF_GET_FD_BY_ID },
	};
	uint32_t id;

	for (enum kobj_kind kind = KOBJ_PROG; kind <= KOBJ_BTF; kind++) {
		CHECK_EQ(kobj_next_id(kind, 0, &id), -ENOENT);
		CHECK_EQ(fake_sys_last(-1)->cmd, commands[kind][0]);
		CHECK_EQ(kobj_fd_by_id(kind, 1), -ENOENT);
		CHECK_EQ(fake_sys_last(-1)->cmd, commands[kind][1]);
	}
	fake_sys_reset();
}

TEST(opens_maps_read_only_on_request)
{
	_cleanup_close_ int a = create("a"), fd = kobj_map_fd_by_id_rdonly(1);

	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_last(BPF_MAP_GET_FD_BY_ID)->attr.get_id.open_flags, BPF_F_RDONLY);
	close(a);
	a = -1;
	fake_sys_reset();
}

TEST(info_writes_no_more_than_asked)
{
	_cleanup_close_ int fd = create("a");
	struct {
		uint32_t type, id;
		unsigned char guard[8];
	} part = { .guard = "guarded" };

	CHECK_EQ(kobj_info(fd, &part, 8), 0);
	CHECK_EQ(part.type, BPF_MAP_TYPE_HASH);
	CHECK_EQ(part.id, 1);
	CHECK(!memcmp(part.guard, "guarded", 8));
	CHECK_EQ(kobj_info(-1, &part, 8), -EBADF);
	CHECK_EQ(kobj_info(STDIN_FILENO, &part, 8), -EINVAL);
	fake_sys_reset();
}

TEST(a_pin_is_a_second_way_to_the_object)
{
	char dir[] = "/tmp/test_kobj_XXXXXX", path[64], dotted[64];
	_cleanup_close_ int fd = create("pinned"), got = -1;
	struct bpf_map_info info;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/map", dir);
	snprintf(dotted, sizeof(dotted), "%s/map.1", dir);
	CHECK_EQ(kobj_get(path), -ENOENT);
	CHECK_EQ(kobj_pin(fd, path), 0);
	CHECK_EQ(kobj_pin(fd, path), -EEXIST);
	CHECK_EQ(kobj_pin(fd, dotted), -EPERM);
	got = kobj_get(path);
	CHECK(got >= 3);
	CHECK_EQ(kmap_info(got, &info), 0);
	CHECK_STR(info.name, "pinned");
	CHECK_STR(fake_sys_last(BPF_OBJ_GET)->text, path);
	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(rmdir(dir), 0);
	fake_sys_reset();
}

TEST(reads_numbers_of_fdinfo)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t v = 4711;

	CHECK_EQ(kobj_fdinfo(fd, "pos", &v), 0);
	CHECK_EQ(v, 0);
	/* The kernel writes flags in octal. */
	CHECK_EQ(kobj_fdinfo(fd, "flags", &v), 0);
	CHECK(v & O_CLOEXEC);
	CHECK_EQ(kobj_fdinfo(fd, "flag", &v), -ENOENT);
	CHECK_EQ(kobj_fdinfo(fd, "frozen", &v), -ENOENT);
	CHECK_EQ(kobj_fdinfo(1000000, "pos", &v), -EBADF);
}

static void check_name(const char *in, const char *want)
{
	char name[BPF_OBJ_NAME_LEN], zeros[BPF_OBJ_NAME_LEN] = {};

	memset(name, 0xff, sizeof(name));
	kobj_name(name, in);
	CHECK_STR(name, want);
	/* Nothing behind the name, or the kernel refuses it. */
	CHECK(!memcmp(name + strlen(want), zeros, sizeof(name) - strlen(want)));
}

TEST(makes_names_that_the_kernel_takes)
{
	check_name(NULL, "");
	check_name("", "");
	check_name("handle_exec", "handle_exec");
	check_name("a.rodata", "a.rodata");
	check_name("x-y z/ü", "x_y_z___");
	check_name("fifteen_letters", "fifteen_letters");
	check_name("sixteen_letters_", "sixteen_letters");
	check_name("[:alnum:]`@{\x7f", "__alnum______");
}

TEST(counts_open_descriptors)
{
	int a = create("a"), b;

	CHECK_EQ(fake_sys_open_fds(), 1);
	b = dup(a);
	CHECK_EQ(fake_sys_open_fds(), 2);
	close(a);
	close(b);
	CHECK_EQ(fake_sys_open_fds(), 0);
	fake_sys_reset();
}
