/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/perf.h"

#include <linux/perf_event.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/insn.h"
#include "bpf/kprog.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

TEST(tracepoints_are_opened_for_all_processes)
{
	_cleanup_close_ int fd = perf_open_tracepoint(4711);
	const struct fake_perf_open *sent = &fake_sys_last(FAKE_PERF_EVENT_OPEN)->attr.perf_open;

	CHECK(fd >= 3);
	CHECK_EQ(sent->attr.type, PERF_TYPE_TRACEPOINT);
	CHECK_EQ(sent->attr.config, 4711);
	CHECK_EQ(sent->attr.size, sizeof(sent->attr));
	CHECK_EQ(sent->pid, -1);
	CHECK_EQ(sent->cpu, 0);
	CHECK_EQ(sent->group_fd, -1);
	fake_sys_reset();
}

/* The numbers of the uprobe PMU come from the machine's sysfs. */
static void need_pmu(void)
{
	if (access("/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset", R_OK) < 0)
		SKIP("no uprobe PMU");
}

TEST(a_uprobe_sends_its_place)
{
	struct perf_probe probe = {
		.path = "/bin/true",
		.offset = 0x1234,
		.ref_ctr_offset = 0x5678,
		.pid = 42,
		.ret = true,
	};
	_cleanup_close_ int fd = -1;
	const struct fake_call *call;

	need_pmu();
	fd = perf_open_uprobe(&probe);
	CHECK(fd >= 3);
	call = fake_sys_last(FAKE_PERF_EVENT_OPEN);
	CHECK_STR(call->text, "/bin/true");
	CHECK_EQ(call->attr.perf_open.attr.probe_offset, 0x1234);
	/* config:0 and config:32-63 on every kernel so far */
	CHECK_EQ(call->attr.perf_open.attr.config, 0x5678ull << 32 | 1);
	CHECK_EQ(call->attr.perf_open.pid, 42);
	CHECK_EQ(call->attr.perf_open.cpu, -1);
	fake_sys_reset();
}

TEST(a_uprobe_of_any_process_belongs_to_a_cpu)
{
	struct perf_probe probe = { .path = "/bin/true", .pid = -1 };
	_cleanup_close_ int fd = -1;

	need_pmu();
	fd = perf_open_uprobe(&probe);
	CHECK(fd >= 3);
	CHECK_EQ(fake_sys_last(FAKE_PERF_EVENT_OPEN)->attr.perf_open.pid, -1);
	CHECK_EQ(fake_sys_last(FAKE_PERF_EVENT_OPEN)->attr.perf_open.cpu, 0);
	CHECK_EQ(fake_sys_last(FAKE_PERF_EVENT_OPEN)->attr.perf_open.attr.config, 0);
	fake_sys_reset();
}

TEST(a_reference_counter_past_32_bits_is_refused)
{
	struct perf_probe probe = { .path = "/bin/true", .ref_ctr_offset = 1ull << 32, .pid = -1 };

	need_pmu();
	CHECK_EQ(perf_open_uprobe(&probe), -EINVAL);
	CHECK_EQ(fake_sys_n_calls(FAKE_PERF_EVENT_OPEN), 0);
	fake_sys_reset();
}

TEST(ioctls_reach_the_event)
{
	static const struct bpf_insn insns[] = { INSN_MOV64_IMM(BPF_REG_0, 0), INSN_EXIT() };
	struct kprog_spec spec = {
		.type = BPF_PROG_TYPE_TRACEPOINT,
		.insns = insns,
		.n_insns = ARRAY_SIZE(insns),
		.license = "GPL",
	};
	_cleanup_close_ int prog = kprog_load(&spec, NULL), fd = perf_open_tracepoint(1);
	uint32_t prog_id = 0;

	CHECK_EQ(perf_set_bpf(fd, prog), 0);
	CHECK_EQ(perf_set_bpf(fd, prog), -EEXIST);
	CHECK_EQ(perf_disable(fd), 0);
	CHECK(!fake_sys_perf_enabled(fd, &prog_id));
	CHECK_EQ(prog_id, 1);
	CHECK_EQ(perf_enable(fd), 0);
	CHECK(fake_sys_perf_enabled(fd, NULL));
	CHECK_EQ(perf_enable(prog), -EBADF);
	fake_sys_reset();
}
