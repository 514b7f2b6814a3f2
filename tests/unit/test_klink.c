/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/klink.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/insn.h"
#include "bpf/kprog.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

static int load(uint32_t type, uint32_t attach_type)
{
	static const struct bpf_insn insns[] = { INSN_MOV64_IMM(BPF_REG_0, 0), INSN_EXIT() };
	struct kprog_spec spec = {
		.type = type,
		.expected_attach_type = attach_type,
		.insns = insns,
		.n_insns = ARRAY_SIZE(insns),
		.license = "GPL",
	};

	return kprog_load(&spec, NULL);
}

TEST(sends_a_cookie_only_if_there_is_one)
{
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	_cleanup_close_ int plain = klink_raw_tracepoint_open(prog, "sys_enter", 0);
	_cleanup_close_ int with = klink_raw_tracepoint_open(prog, "sys_enter", 5);
	const struct fake_call *call = fake_sys_call(BPF_RAW_TRACEPOINT_OPEN, 0);

	CHECK(plain >= 3 && with >= 3);
	CHECK_EQ(call->size, ABI_SIZE(struct abi_raw_tracepoint, prog_fd));
	CHECK_STR(call->text, "sys_enter");
	call = fake_sys_call(BPF_RAW_TRACEPOINT_OPEN, 1);
	CHECK_EQ(call->size, sizeof(struct abi_raw_tracepoint));
	CHECK_EQ(call->attr.raw_tracepoint.cookie, 5);
	fake_sys_reset();
}

TEST(sends_as_many_bytes_as_told)
{
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_XDP, BPF_XDP);
	struct abi_link_create attr = {
		.prog_fd = prog,
		.target_fd = 7,
		.attach_type = BPF_XDP,
		.target_btf_id = 4711,
	};
	_cleanup_close_ int fd = klink_create(&attr, ABI_SIZE(struct abi_link_create, flags));
	const struct fake_call *call = fake_sys_last(BPF_LINK_CREATE);

	CHECK(fd >= 3);
	CHECK_EQ(call->size, 16);
	CHECK_EQ(call->attr.link_create.target_fd, 7);
	CHECK_EQ(call->attr.link_create.target_btf_id, 0);
	fake_sys_reset();
}

TEST(updates_and_detaches_what_can_be)
{
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_XDP, BPF_XDP);
	_cleanup_close_ int other = load(BPF_PROG_TYPE_XDP, BPF_XDP);
	_cleanup_close_ int tracer = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	_cleanup_close_ int raw = klink_raw_tracepoint_open(tracer, "sys_enter", 0);
	struct abi_link_create attr = { .prog_fd = prog, .target_fd = 7, .attach_type = BPF_XDP };
	_cleanup_close_ int fd = klink_create(&attr, ABI_SIZE(struct abi_link_create, flags));
	struct bpf_prog_info prog_info;
	struct abi_link_info info;

	CHECK_EQ(klink_update(fd, other), 0);
	CHECK_EQ(klink_info(fd, &info, NULL), 0);
	CHECK_EQ(kprog_info(other, &prog_info), 0);
	CHECK_EQ(info.prog_id, prog_info.id);
	CHECK_EQ(info.xdp.ifindex, 7);
	CHECK_EQ(klink_detach(fd), 0);
	CHECK_EQ(klink_info(fd, &info, NULL), 0);
	CHECK_EQ(info.xdp.ifindex, 0);
	CHECK_EQ(klink_detach(raw), -EOPNOTSUPP);
	CHECK_EQ(klink_iter_create(raw), -EINVAL);
	fake_sys_reset();
}

TEST(fetches_names_only_into_a_buffer)
{
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	_cleanup_close_ int fd = klink_raw_tracepoint_open(prog, "sched_switch", 0);
	struct abi_link_info info;
	struct klink_names names;

	CHECK_EQ(klink_info(fd, &info, &names), 0);
	CHECK_STR(names.name, "sched_switch");
	CHECK_EQ(info.raw_tracepoint.tp_name, ptr_to_u64(names.name));
	CHECK_EQ(klink_info(fd, &info, NULL), 0);
	CHECK_EQ(info.raw_tracepoint.tp_name, 0);
	CHECK_EQ(klink_info(prog + 1000, &info, &names), -EBADF);
	fake_sys_reset();
}

static int create_multi(int prog, uint64_t *offsets, uint64_t *cookies, uint32_t n)
{
	struct abi_link_create attr = {
		.prog_fd = prog,
		.attach_type = ABI_TRACE_UPROBE_MULTI,
		.uprobe_multi = {
			.path = ptr_to_u64("/proc/self/exe"),
			.offsets = ptr_to_u64(offsets),
			.cookies = ptr_to_u64(cookies),
			.cnt = n,
			.pid = 1,
		},
	};

	return klink_create(&attr, ABI_SIZE(struct abi_link_create, uprobe_multi.pid));
}

TEST(fetches_all_places_of_a_multi_link)
{
	uint64_t offsets[] = { 16, 32, 48 }, cookies[] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_KPROBE, ABI_TRACE_UPROBE_MULTI);
	_cleanup_close_ int fd = create_multi(prog, offsets, cookies, 3);
	_cleanup_(klink_multi_deinit) struct klink_multi multi = {};
	struct abi_link_info info;
	struct klink_names names;

	CHECK_EQ(klink_info(fd, &info, &names), 0);
	CHECK_STR(names.name, "/proc/self/exe");
	CHECK_EQ(info.uprobe_multi.count, 3);
	CHECK_EQ(info.uprobe_multi.pid, 1);
	CHECK_EQ(klink_multi_info(fd, &multi), 0);
	CHECK_EQ(multi.n, 3);
	CHECK(!memcmp(multi.addrs, offsets, sizeof(offsets)));
	/* The cookies look like a buffer that nobody has written. */
	CHECK(multi.cookies && !memcmp(multi.cookies, cookies, sizeof(cookies)));
	CHECK_EQ(multi.ref_ctr_offsets[2], 0);
	fake_sys_reset();
}

/* A kernel that tells of a multi link, but has no cookies to tell. */
static int hook_no_cookies(int cmd, void *attr, size_t size, bool *handled)
{
	const struct abi_info *ask = attr;
	struct abi_link_info *info = (struct abi_link_info *)(uintptr_t)ask->info;

	(void)handled;
	(void)size;
	if (cmd == BPF_OBJ_GET_INFO_BY_FD)
		info->uprobe_multi.cookies = 0;
	return 0;
}

TEST(says_so_when_cookies_are_not_told)
{
	uint64_t offsets[] = { 16 }, cookies[] = { 1 };
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_KPROBE, ABI_TRACE_UPROBE_MULTI);
	_cleanup_close_ int fd = create_multi(prog, offsets, cookies, 1);
	_cleanup_(klink_multi_deinit) struct klink_multi multi = {};

	fake_sys_hook = hook_no_cookies;
	CHECK_EQ(klink_multi_info(fd, &multi), 0);
	CHECK_EQ(multi.addrs[0], 16);
	CHECK(!multi.cookies);
	fake_sys_reset();
}

/* A kernel that knows the link, but tells nothing of it. */
static int hook_type_only(int cmd, void *attr, size_t size, bool *handled)
{
	const struct abi_info *ask = attr;
	struct abi_link_info *info = (struct abi_link_info *)(uintptr_t)ask->info;

	(void)size;
	*handled = cmd == BPF_OBJ_GET_INFO_BY_FD;
	if (*handled)
		*info = (struct abi_link_info){ .type = ABI_LINK_UPROBE_MULTI };
	return 0;
}

TEST(an_older_kernel_tells_nothing_of_multi_links)
{
	struct klink_multi multi;

	fake_sys_hook = hook_type_only;
	CHECK_EQ(klink_multi_info(0, &multi), -EOPNOTSUPP);
	fake_sys_reset();
}

TEST(other_links_have_no_places)
{
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	_cleanup_close_ int fd = klink_raw_tracepoint_open(prog, "sched_switch", 0);
	struct klink_multi multi;

	CHECK_EQ(klink_multi_info(fd, &multi), -EINVAL);
	fake_sys_reset();
}
