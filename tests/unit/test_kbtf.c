/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kbtf.h"

#include <linux/btf.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/str.h"
#include "bpf/abi.h"
#include "bpf/kobj.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

struct blob {
	struct btf_header header;
	uint32_t types[4];
	char strings[4];
};

/* One type: an integer, or what @info makes of it. */
static struct blob make(uint32_t info)
{
	return (struct blob){
		.header = {
			.magic = BTF_MAGIC,
			.version = BTF_VERSION,
			.hdr_len = sizeof(struct btf_header),
			.type_len = sizeof(uint32_t[4]),
			.str_off = sizeof(uint32_t[4]),
			.str_len = 4,
		},
		.types = { 1, info, 4, 32 },
		.strings = "\0ab",
	};
}

TEST(loads_and_reads_back)
{
	struct blob blob = make(BTF_KIND_INT << 24);
	_cleanup_str_ struct str log = {};
	_cleanup_close_ int fd = kbtf_load(&blob, sizeof(blob), 0, &log);
	_cleanup_(kbtf_raw_deinit) struct kbtf_raw raw = {};

	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_n_calls(BPF_BTF_LOAD), 1);
	CHECK(!memcmp(fake_sys_last(BPF_BTF_LOAD)->btf, &blob, sizeof(blob)));
	CHECK_EQ(kbtf_info(fd, &raw), 0);
	CHECK_EQ(raw.len, sizeof(blob));
	CHECK(!raw.data);
	CHECK_EQ(kbtf_raw(fd, &raw), 0);
	CHECK_EQ(raw.len, sizeof(blob));
	CHECK(!memcmp(raw.data, &blob, sizeof(blob)));
	CHECK_STR(raw.name, "");
	CHECK_EQ(raw.kernel, 0);
	fake_sys_reset();
}

TEST(gives_the_log_of_a_refusal)
{
	struct blob blob = make(31u << 24);
	_cleanup_str_ struct str log = {};

	CHECK_EQ(kbtf_load(&blob, sizeof(blob), 0, &log), -EINVAL);
	CHECK_EQ(fake_sys_n_calls(BPF_BTF_LOAD), 2);
	CHECK_STR(str_text(&log), "[1] Invalid kind\n");
	fake_sys_reset();
}

TEST(knows_one_level_of_log)
{
	struct blob blob = make(BTF_KIND_INT << 24);
	_cleanup_str_ struct str log = {};
	_cleanup_close_ int fd = -1;

	fake_sys_verdict(BPF_BTF_LOAD, 0, "fine\n", 5);
	fd = kbtf_load(&blob, sizeof(blob), 6, &log);
	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_last(BPF_BTF_LOAD)->attr.btf_load.btf_log_level, 1);
	CHECK_STR(str_text(&log), "fine\n");
	fake_sys_reset();
}

TEST(grows_the_log)
{
	struct blob blob = make(BTF_KIND_INT << 24);
	_cleanup_str_ struct str log = {}, text = {};

	for (int i = 0; i < 50000; i++)
		str_printf(&text, "line %d\n", i);
	fake_sys_verdict(BPF_BTF_LOAD, EINVAL, text.data, text.len);
	CHECK_EQ(kbtf_load(&blob, sizeof(blob), 0, &log), -EINVAL);
	CHECK_STR(str_text(&log), text.data);
	fake_sys_reset();
}

TEST(names_the_kernels_btf)
{
	struct blob blob = make(BTF_KIND_INT << 24);
	uint32_t id = fake_sys_add_btf("vmlinux", &blob, sizeof(blob));
	_cleanup_close_ int fd = kobj_fd_by_id(KOBJ_BTF, id);
	_cleanup_(kbtf_raw_deinit) struct kbtf_raw raw = {};

	CHECK(fd >= 3);
	CHECK_EQ(kbtf_raw(fd, &raw), 0);
	CHECK_STR(raw.name, "vmlinux");
	CHECK_EQ(raw.kernel, 1);
	CHECK_EQ(raw.id, id);
	fake_sys_reset();
}

/* Before 5.11 the information ended in the id, and more than zeros behind it was an error. */
static int hook_short_info(int cmd, void *attr, size_t size, bool *handled)
{
	const struct abi_info *ask = attr;
	const struct bpf_btf_info *info = (const void *)(uintptr_t)ask->info;

	(void)size;
	*handled = cmd == BPF_OBJ_GET_INFO_BY_FD && (info->name || info->name_len);
	return -E2BIG;
}

TEST(reads_from_kernels_that_know_no_names)
{
	struct blob blob = make(BTF_KIND_INT << 24);
	_cleanup_close_ int fd = kbtf_load(&blob, sizeof(blob), 0, NULL);
	_cleanup_(kbtf_raw_deinit) struct kbtf_raw raw = {};

	fake_sys_hook = hook_short_info;
	CHECK_EQ(kbtf_raw(fd, &raw), 0);
	CHECK_EQ(raw.len, sizeof(blob));
	CHECK(!memcmp(raw.data, &blob, sizeof(blob)));
	CHECK_STR(raw.name, "");
	fake_sys_reset();
}
