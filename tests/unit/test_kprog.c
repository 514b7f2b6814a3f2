/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kprog.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/str.h"
#include "bpf/insn.h"
#include "bpf/kmap.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

static const struct bpf_insn insns[] = { INSN_MOV64_IMM(BPF_REG_0, 0), INSN_EXIT() };

static struct kprog_spec trivial(void)
{
	return (struct kprog_spec){
		.type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = insns,
		.n_insns = ARRAY_SIZE(insns),
		.license = "GPL",
	};
}

/* A log of @len bytes whose place in the whole can be told from any part of it. */
static char *long_log(size_t len)
{
	char *log = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		log[i] = i % 64 == 63 ? '\n' : 'a' + (i / 64 + i) % 26;
	log[len] = '\0';
	return log;
}

TEST(sends_all_that_the_spec_says)
{
	const uint32_t func_info[] = { 0, 7 }, line_info[] = { 0, 1, 2, 3 };
	const int fds[] = { 0, 9 };
	const struct bpf_insn calls[] = {
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 1, 42),
		INSN_EXIT(),
	};
	struct kprog_spec spec = {
		.type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = BPF_TRACE_FENTRY,
		.name = "a-name that is too long",
		.insns = calls,
		.n_insns = ARRAY_SIZE(calls),
		.license = "Dual BSD/GPL",
		.kern_version = 1,
		.flags = BPF_F_SLEEPABLE,
		.ifindex = 3,
		.btf_fd = 4,
		.func_info = func_info,
		.line_info = line_info,
		.n_func_info = 1,
		.func_info_size = 8,
		.n_line_info = 1,
		.line_info_size = 16,
		.attach_btf_id = 5,
		.attach_btf_obj_fd = 6,
		.fd_array = fds,
		.n_fd_array = 2,
	};
	_cleanup_close_ int fd = kprog_load(&spec, NULL);
	const struct fake_call *call = fake_sys_last(BPF_PROG_LOAD);

	CHECK(fd >= 3);
	CHECK_EQ(call->ret, fd);
	CHECK_EQ(call->attr.prog_load.prog_type, BPF_PROG_TYPE_TRACING);
	CHECK_EQ(call->attr.prog_load.expected_attach_type, BPF_TRACE_FENTRY);
	CHECK_STR(call->attr.prog_load.prog_name, "a_name_that_is_");
	CHECK(!memcmp(call->insns, calls, sizeof(calls)));
	CHECK_STR(call->license, "Dual BSD/GPL");
	CHECK_EQ(call->attr.prog_load.kern_version, 1);
	CHECK_EQ(call->attr.prog_load.prog_flags, BPF_F_SLEEPABLE);
	CHECK_EQ(call->attr.prog_load.prog_ifindex, 3);
	CHECK_EQ(call->attr.prog_load.prog_btf_fd, 4);
	CHECK(!memcmp(call->func_info, func_info, sizeof(func_info)));
	CHECK(!memcmp(call->line_info, line_info, sizeof(line_info)));
	CHECK_EQ(call->attr.prog_load.attach_btf_id, 5);
	CHECK_EQ(call->attr.prog_load.attach_prog_fd, 6);
	CHECK_EQ(call->n_fd_array, 2);
	CHECK_EQ(call->fd_array[1], 9);
	CHECK_EQ(call->attr.prog_load.fd_array_cnt, 0);
	fake_sys_reset();
}

TEST(asks_for_no_log_when_the_load_works)
{
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();
	_cleanup_close_ int fd = -1;

	str_add(&log, "of a load before");
	fd = kprog_load(&spec, &log);
	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 1);
	CHECK_EQ(fake_sys_last(BPF_PROG_LOAD)->attr.prog_load.log_level, 0);
	CHECK_STR(str_text(&log), "");
	fake_sys_reset();
}

TEST(runs_again_with_a_log_when_the_load_fails)
{
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();

	fake_sys_verdict(BPF_PROG_LOAD, EACCES, "R1 !read_ok\n", 12);
	CHECK_EQ(kprog_load(&spec, &log), -EACCES);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 2);
	CHECK_EQ(fake_sys_last(BPF_PROG_LOAD)->attr.prog_load.log_level, 1);
	CHECK_STR(str_text(&log), "R1 !read_ok\n");
	CHECK_EQ(log.len, 12);
	fake_sys_reset();
}

TEST(tries_once_when_nobody_wants_the_log)
{
	struct kprog_spec spec = trivial();

	spec.log_level = 2;
	fake_sys_verdict(BPF_PROG_LOAD, EACCES, "x", 1);
	CHECK_EQ(kprog_load(&spec, NULL), -EACCES);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 1);
	fake_sys_reset();
}

TEST(gives_the_log_of_a_good_load_if_asked)
{
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();
	_cleanup_close_ int fd = -1;

	spec.log_level = 2;
	fd = kprog_load(&spec, &log);
	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 1);
	CHECK_EQ(fake_sys_last(BPF_PROG_LOAD)->attr.prog_load.log_level, 2);
	CHECK_HAS(str_text(&log), "processed 2 insns");
	fake_sys_reset();
}

static void check_grows(int err, uint32_t level, size_t len, size_t calls)
{
	_cleanup_free_ char *text = long_log(len);
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();
	_cleanup_close_ int fd = -1;

	spec.log_level = level;
	fake_sys_verdict(BPF_PROG_LOAD, err, text, len);
	fd = kprog_load(&spec, &log);
	if (err)
		CHECK_EQ(fd, -err);
	else
		CHECK(fd >= 3);
	CHECK_EQ(log.len, len);
	CHECK(!strcmp(str_text(&log), text));
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), calls);
}

TEST(grows_the_log_to_what_the_kernel_tells)
{
	/* Without log, with the first buffer, with one that fits. */
	check_grows(EINVAL, 0, 5000000, 3);
	fake_sys_reset();
	check_grows(0, 1, 5000000, 2);
	fake_sys_reset();
}

TEST(doubles_the_log_where_the_kernel_does_not_tell)
{
	fake_kernel.no_log_true_size = true;
	/* 64 kB doubled until 5 MB fit. */
	check_grows(EINVAL, 0, 5000000, 1 + 8);
	fake_sys_reset();
}

TEST(reads_logs_of_every_length_around_the_first_buffer)
{
	for (size_t len = 65536 - 3; len <= 65536 + 3; len++) {
		check_grows(EPERM, 0, len, len < 65536 ? 2 : 3);
		fake_sys_reset();
		fake_kernel.no_log_true_size = true;
		/* A full buffer cannot be told from one that was too short. */
		check_grows(EPERM, 0, len, len < 65536 ? 2 : 3);
		fake_sys_reset();
	}
}

static int n_hooked;

/* Fails differently each time. */
static int hook_errnos(int cmd, void *attr, size_t size, bool *handled)
{
	(void)attr;
	(void)size;
	*handled = cmd == BPF_PROG_LOAD;
	return n_hooked++ ? -ENOMEM : -EACCES;
}

TEST(keeps_the_errno_of_the_first_try)
{
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();

	fake_sys_hook = hook_errnos;
	CHECK_EQ(kprog_load(&spec, &log), -EACCES);
	CHECK_EQ(n_hooked, 2);
	fake_sys_reset();
}

TEST(takes_a_second_try_that_succeeds)
{
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();
	_cleanup_close_ int fd = -1;

	fake_sys_fail(BPF_PROG_LOAD, 1, ENOMEM);
	fd = kprog_load(&spec, &log);
	CHECK(fd >= 3);
	fake_sys_reset();
}

/* The verifier's own ENOSPC with a log that is far from full. */
TEST(does_not_mistake_a_real_enospc_for_a_short_log)
{
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();

	spec.log_level = 1;
	fake_sys_verdict(BPF_PROG_LOAD, ENOSPC, "too much\n", 9);
	CHECK_EQ(kprog_load(&spec, &log), -ENOSPC);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 1);
	fake_kernel.no_log_true_size = true;
	CHECK_EQ(kprog_load(&spec, &log), -ENOSPC);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 2);
	CHECK_STR(str_text(&log), "too much\n");
	fake_sys_reset();
}

static uint32_t largest;

/* A kernel before 5.2: no buffer of 16 MiB or more, and each is too short. */
static int hook_old_and_endless(int cmd, void *attr, size_t size, bool *handled)
{
	struct abi_prog_load *load = attr;
	char *buf = (char *)(uintptr_t)load->log_buf;

	(void)size;
	if (cmd != BPF_PROG_LOAD)
		return 0;
	*handled = true;
	if (load->log_size > largest)
		largest = load->log_size;
	if (!load->log_level)
		return -EACCES;
	if (load->log_size > UINT32_MAX >> 8)
		return -EINVAL;
	memset(buf, 'x', load->log_size - 1);
	buf[load->log_size - 1] = '\0';
	return -ENOSPC;
}

TEST(keeps_the_part_of_a_log_that_no_buffer_can_hold)
{
	_cleanup_str_ struct str log = {};
	struct kprog_spec spec = trivial();

	fake_sys_hook = hook_old_and_endless;
	CHECK_EQ(kprog_load(&spec, &log), -EACCES);
	CHECK_EQ(log.len, (UINT32_MAX >> 8) - 1);
	CHECK(largest > UINT32_MAX >> 8);
	/* Asked for a log: the answer still is that of a try without. */
	spec.log_level = 1;
	CHECK_EQ(kprog_load(&spec, &log), -EACCES);
	CHECK_EQ(log.len, (UINT32_MAX >> 8) - 1);
	fake_sys_reset();
}

TEST(repeats_after_eagain)
{
	struct kprog_spec spec = trivial();
	_cleanup_close_ int fd = -1;

	for (unsigned i = 1; i <= 4; i++)
		fake_sys_fail(BPF_PROG_LOAD, i, EAGAIN);
	fd = kprog_load(&spec, NULL);
	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 5);
	fake_sys_reset();
}

TEST(gives_up_after_five_times_eagain)
{
	struct kprog_spec spec = trivial();

	for (unsigned i = 1; i <= 5; i++)
		fake_sys_fail(BPF_PROG_LOAD, i, EAGAIN);
	CHECK_EQ(kprog_load(&spec, NULL), -EAGAIN);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 5);
	fake_sys_reset();
}

/* A kernel whose func_info has 8 bytes and line_info 16, and that refuses what it does not know. */
static int hook_short_records(int cmd, void *attr, size_t size, bool *handled)
{
	struct abi_prog_load *load = attr;
	const uint32_t *func = (const uint32_t *)(uintptr_t)load->func_info;
	const uint32_t *line = (const uint32_t *)(uintptr_t)load->line_info;

	(void)size;
	if (cmd != BPF_PROG_LOAD)
		return 0;
	for (uint32_t i = 0; i < load->func_info_cnt; i++) {
		if (func[i * 3 + 2]) {
			load->func_info_rec_size = 8;
			*handled = true;
		}
	}
	if (!*handled && line[4]) {
		load->line_info_rec_size = 16;
		*handled = true;
	}
	return -E2BIG;
}

TEST(cuts_records_that_are_longer_than_the_kernel_knows)
{
	const uint32_t func_info[] = { 0, 1, 99, 5, 2, 99 }, line_info[] = { 0, 1, 2, 3, 99 };
	const uint32_t func_cut[] = { 0, 1, 0, 5, 2, 0 }, line_cut[] = { 0, 1, 2, 3, 0 };
	struct kprog_spec spec = trivial();
	_cleanup_close_ int fd = -1;
	const struct fake_call *call;

	spec.func_info = func_info;
	spec.n_func_info = 2;
	spec.func_info_size = 12;
	spec.line_info = line_info;
	spec.n_line_info = 1;
	spec.line_info_size = 20;
	fake_sys_hook = hook_short_records;
	fd = kprog_load(&spec, NULL);
	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 3);
	call = fake_sys_last(BPF_PROG_LOAD);
	CHECK_EQ(call->attr.prog_load.func_info_rec_size, 12);
	CHECK(!memcmp(call->func_info, func_cut, sizeof(func_cut)));
	CHECK(!memcmp(call->line_info, line_cut, sizeof(line_cut)));
	fake_sys_reset();
}

TEST(passes_on_an_e2big_that_is_not_about_records)
{
	struct kprog_spec spec = trivial();

	fake_sys_fail(BPF_PROG_LOAD, 1, E2BIG);
	CHECK_EQ(kprog_load(&spec, NULL), -E2BIG);
	CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 1);
	fake_sys_reset();
}

TEST(tells_which_maps_a_program_uses)
{
	struct kmap_spec map_spec = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};
	_cleanup_close_ int a = kmap_create(&map_spec), b = kmap_create(&map_spec);
	const struct bpf_insn uses[] = {
		INSN_LD_IMM64(BPF_REG_1, BPF_PSEUDO_MAP_FD, a, 0),
		INSN_LD_IMM64(BPF_REG_1, BPF_PSEUDO_MAP_FD, a, 0),
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};
	struct kprog_spec spec = trivial();
	_cleanup_free_ uint32_t *ids = NULL;
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info;
	uint32_t n;

	spec.insns = uses;
	spec.n_insns = ARRAY_SIZE(uses);
	fd = kprog_load(&spec, NULL);
	CHECK_EQ(kprog_bind_map(fd, b), 0);
	CHECK_EQ(kprog_map_ids(fd, &ids, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(kmap_info(a, &info), 0);
	CHECK_EQ(ids[0], info.id);
	CHECK_EQ(kmap_info(b, &info), 0);
	CHECK_EQ(ids[1], info.id);
	close(b);
	b = -1;
	fake_sys_reset();
}

static int bound_prog, bound_map;

/* Somebody binds a map just before the program's maps are fetched. */
static int hook_bind(int cmd, void *attr, size_t size, bool *handled)
{
	(void)attr;
	(void)size;
	(void)handled;
	if (cmd == BPF_OBJ_GET_INFO_BY_FD && fake_sys_n_calls(cmd) == 2)
		kprog_bind_map(bound_prog, bound_map);
	return 0;
}

TEST(asks_again_when_maps_are_added_meanwhile)
{
	struct kmap_spec map_spec = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};
	struct kprog_spec spec = trivial();
	_cleanup_close_ int map = kmap_create(&map_spec), prog = kprog_load(&spec, NULL);
	_cleanup_free_ uint32_t *ids = NULL;
	uint32_t n;

	bound_prog = prog;
	bound_map = map;
	fake_sys_hook = hook_bind;
	CHECK_EQ(kprog_map_ids(prog, &ids, &n), 0);
	CHECK_EQ(n, 1);
	CHECK_EQ(ids[0], 1);
	fake_sys_reset();
}

TEST(gives_instructions_and_says_so_where_there_is_no_machine_code)
{
	struct kprog_spec spec = trivial();
	_cleanup_close_ int fd = kprog_load(&spec, NULL);
	_cleanup_free_ struct bpf_insn *got = NULL;
	void *code = NULL;
	uint32_t n;

	CHECK_EQ(kprog_xlated(fd, &got, &n), 0);
	CHECK_EQ(n, 2);
	CHECK(!memcmp(got, insns, sizeof(insns)));
	CHECK_EQ(kprog_jited(fd, &code, &n), -ENOENT);
	CHECK(!code);
	fake_sys_reset();
}
