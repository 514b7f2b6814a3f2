/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracing kinds on the real kernel: each attaches, fires, is what the kernel says
 * it is, and is gone afterwards. Multi links are in test_attach_multi.c.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "bpf/klink.h"
#include "loader/spec.h"
#include "tests/kernel/attach_util.h"
#include "tests/kernel/kernel_has.h"
#include "tests/kernel/target.h"
#include "tests/unit/test.h"

/* tracefs in a mount namespace of the test's own, whether or not it is mounted outside. */
static void mount_tracefs(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		SKIP("no mount namespace: %s", strerror(errno));
	if (access("/sys/kernel/tracing/events", F_OK) < 0 &&
	    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL) < 0)
		SKIP("no tracefs: %s", strerror(errno));
}

/* What the kernel tells of a link on a perf event came with Linux 6.6. */
static bool tells_perf_events(void)
{
	return kernel_has_member("bpf_link_info", "perf_event.type");
}

static void fork_some(int n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	}
}

TEST(tracepoint_attaches_with_a_cookie)
{
	struct counter c = counter_new(BPF_PROG_TYPE_TRACEPOINT, 0, 0, COUNTER_COOKIE, NULL, 0);
	struct abi_link_info info;
	struct klink_names names;
	struct attachment *a;
	uint64_t hits;
	uint32_t id;

	mount_tracefs();
	a = attach_same(&c, "tp sched/sched_process_fork cookie=0x10",
			"tracepoint/sched/sched_process_fork cookie=16");
	CHECK_EQ(a->means, ATTACH_LINK);
	fork_some(10);
	CHECK(counter_read(&c).hits >= 10);
	CHECK_EQ(counter_read(&c).cookie, 16);
	CHECK_EQ(klink_info(a->fds[0], &info, &names), 0);
	CHECK_EQ(info.type, BPF_LINK_TYPE_PERF_EVENT);
	CHECK_EQ(info.id, a->id);
	if (tells_perf_events()) {
		CHECK_EQ(info.perf_event.type, ABI_PERF_EVENT_TRACEPOINT);
		CHECK_STR(names.name, "sched_process_fork");
	}
	if (kernel_has_member("bpf_link_info", "perf_event.tracepoint.cookie"))
		CHECK_EQ(info.perf_event.tracepoint.cookie, 16);
	id = a->id;
	attachment_free(a);
	CHECK(!link_exists(id));
	hits = counter_read(&c).hits;
	fork_some(3);
	CHECK_EQ(counter_read(&c).hits, hits);
	counter_close(&c);
}

TEST(tracepoint_falls_back_to_ioctl)
{
	struct counter c = counter_new(BPF_PROG_TYPE_TRACEPOINT, 0, 0, 0, NULL, 0);
	struct feature old = {};
	struct attachment *a;
	uint64_t hits;

	mount_tracefs();
	old.state[FEATURE_PERF_LINK] = 1; /* as found out on a kernel before 5.15 */
	env.features = &old;
	attach_refused(&c, "tp/sched/sched_process_fork cookie=1", -EOPNOTSUPP, "5.15");
	a = attach_same(&c, "tp/sched/sched_process_fork", "tracepoint/sched/sched_process_fork");
	CHECK_EQ(a->means, ATTACH_PERF_IOCTL);
	CHECK_EQ(a->id, 0);
	fork_some(5);
	CHECK(counter_read(&c).hits >= 5);
	attachment_free(a);
	hits = counter_read(&c).hits;
	fork_some(3);
	CHECK_EQ(counter_read(&c).hits, hits);
	counter_close(&c);
}

TEST(tracepoint_errors)
{
	struct counter c = counter_new(BPF_PROG_TYPE_TRACEPOINT, 0, 0, 0, NULL, 0);
	struct attachment *a;

	mount_tracefs();
	attach_refused(&c, "tp/sched/sched_swich", -ENOENT, "close: sched_switch");
	attach_refused(&c, "tp/shed/sched_switch", -ENOENT,
		       "no category of tracepoints 'shed'; close: sched");
	attach_refused(&c, "tp/../sched", -ENOENT, "'..'");
	attach_refused(&c, "tp", -EINVAL, "category/name");
	attach_refused(&c, "tp/sched", -EINVAL, "category/name");
	attach_refused(&c, "tp/sched/", -EINVAL, "category/name");
	attach_refused(&c, "tp/sched/sched_switch/id", -EINVAL, "category/name");
	attach_refused(&c, "tp/sched/sched_switch cookie=x", -EINVAL, "cookie=x is no number");
	attach_refused(&c, "xdp dev=lo", -EINVAL,
		       "xdp is for xdp programs, but 'counter' is a tracepoint program");
	a = attach_ok(&c, "tp/sched/sched_switch");
	attach_refused(&c, "tp/sched/sched_switch", -EEXIST, "already attached");
	attachment_free(a);
	counter_close(&c);
}

TEST(tracepoint_without_tracefs)
{
	struct counter c = counter_new(BPF_PROG_TYPE_TRACEPOINT, 0, 0, 0, NULL, 0);

	mount_tracefs();
	CHECK_EQ(mount("none", "/sys/kernel/tracing", "tmpfs", 0, NULL), 0);
	if (access("/sys/kernel/debug/tracing/events", F_OK) == 0)
		CHECK_EQ(mount("none", "/sys/kernel/debug", "tmpfs", 0, NULL), 0);
	attach_refused(&c, "tp/sched/sched_switch", -ENODEV, "mount -t tracefs");
	counter_close(&c);
}

TEST(raw_tp_attaches_with_a_cookie)
{
	struct abi_link_info info;
	struct attachment *a;
	struct counter c;

	if (!kernel_has_member("bpf_raw_tp_link", "cookie")) {
		c = counter_new(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, 0, NULL, 0);
		attach_refused(&c, "raw_tp/sched_process_fork cookie=7", -EOPNOTSUPP, "6.10");
		counter_close(&c);
		SKIP("the kernel lacks cookies for raw tracepoints");
	}
	c = counter_new(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, COUNTER_COOKIE, NULL, 0);
	a = attach_same(&c, "raw_tracepoint/sched_process_fork cookie=7",
			"raw_tp/sched_process_fork cookie=7");
	fork_some(5);
	CHECK(counter_read(&c).hits >= 5);
	CHECK_EQ(counter_read(&c).cookie, 7);
	CHECK_EQ(klink_info(a->fds[0], &info, NULL), 0);
	if (kernel_has_member("bpf_link_info", "raw_tracepoint.cookie"))
		CHECK_EQ(info.raw_tracepoint.cookie, 7);
	attachment_free(a);
	counter_close(&c);
}

TEST(raw_tp_attaches)
{
	struct counter c = counter_new(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, 0, NULL, 0);
	struct abi_link_info info;
	struct klink_names names;
	struct attachment *a;
	uint64_t hits;

	a = attach_same(&c, "raw_tracepoint/sched_process_fork", "raw_tp/sched_process_fork");
	fork_some(5);
	CHECK(counter_read(&c).hits >= 5);
	CHECK_EQ(klink_info(a->fds[0], &info, &names), 0);
	CHECK_EQ(info.type, BPF_LINK_TYPE_RAW_TRACEPOINT);
	CHECK_STR(names.name, "sched_process_fork");
	attachment_free(a);
	hits = counter_read(&c).hits;
	fork_some(3);
	CHECK_EQ(counter_read(&c).hits, hits);
	a = attach_same(&c, "raw_tp sched_process_fork", "raw_tp/sched_process_fork");
	attachment_free(a);
	mount_tracefs();
	attach_refused(&c, "raw_tp/sched_process_frk", -ENOENT, "close: sched_process_fork");
	attach_refused(&c, "raw_tp", -EINVAL, "name of a tracepoint");
	counter_close(&c);
}

TEST(writable_raw_tp_stays_one)
{
	struct counter c = counter_new(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, 0, 0, NULL, 0);
	struct attachment *a =
		attach_same(&c, "raw_tp.w/sched_process_fork", "raw_tp.w/sched_process_fork");

	attachment_free(a);
	attach_refused(&c, "raw_tp/sched_process_fork", -EINVAL, "raw_tracepoint_writable program");
	counter_close(&c);
}

TEST(uprobe_fires_and_is_what_the_kernel_says)
{
	struct abi_link_info info;
	struct klink_names names;
	struct attachment *a;
	struct counter c;
	struct target t;
	uint32_t id;

	make_target();
	c = probe(0);
	t = target_start(binary);
	a = attach_same(&c, fmt("uprobe/%s:alpha cookie=9 as=x", binary),
			fmt("uprobe/%s:alpha cookie=9", binary));
	target_do(&t, 'a');
	target_do(&t, 'b');
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 2);
	CHECK_EQ(counter_read(&c).cookie, 9);
	CHECK_EQ(klink_info(a->fds[0], &info, &names), 0);
	CHECK_EQ(info.type, BPF_LINK_TYPE_PERF_EVENT);
	if (tells_perf_events()) {
		CHECK_EQ(info.perf_event.type, ABI_PERF_EVENT_UPROBE);
		CHECK_STR(names.name, binary);
		CHECK_EQ(info.perf_event.uprobe.offset, file_offset("alpha"));
	}
	if (kernel_has_member("bpf_link_info", "perf_event.uprobe.cookie"))
		CHECK_EQ(info.perf_event.uprobe.cookie, 9);
	CHECK_EQ(info.id, a->id);
	id = a->id;
	attachment_free(a);
	CHECK(!link_exists(id));
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 2);
	target_stop(&t);
	counter_close(&c);
}

TEST(uretprobe_fires)
{
	struct abi_link_info info;
	struct attachment *a;
	struct counter c;
	struct target t;

	make_target();
	c = probe(0);
	t = target_start(binary);
	a = attach_same(&c, fmt("uretprobe.s %s:alpha cookie=1", binary),
			fmt("uretprobe/%s:alpha cookie=1", binary));
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 1);
	CHECK_EQ(klink_info(a->fds[0], &info, NULL), 0);
	if (tells_perf_events())
		CHECK_EQ(info.perf_event.type, ABI_PERF_EVENT_URETPROBE);
	attachment_free(a);
	attach_refused(&c, fmt("uretprobe/%s:alpha+4", binary), -EINVAL, "takes no offset");
	target_stop(&t);
	counter_close(&c);
}

TEST(uprobe_places)
{
	unsigned long long at;
	struct attachment *a;
	struct counter c;
	struct target t;

	make_target();
	at = file_offset("beta");
	c = probe(0);
	t = target_start(binary);
	a = attach_same(&c, fmt("uprobe/%s:0x%llx", binary, at),
			fmt("uprobe/%s:0x%llx", binary, at));
	target_do(&t, 'b');
	CHECK_EQ(counter_read(&c).hits, 1);
	attachment_free(a);
	a = attach_same(&c, fmt("uprobe/%s:+%llu", binary, at),
			fmt("uprobe/%s:0x%llx", binary, at));
	target_do(&t, 'b');
	CHECK_EQ(counter_read(&c).hits, 2);
	attachment_free(a);
	a = attach_same(&c, fmt("uprobe/%s:beta+0", binary), fmt("uprobe/%s:beta", binary));
	attachment_free(a);
	/* Not the first instruction; whether it is one at all, the kernel decides when it is run.
	 */
	a = attach_same(&c, fmt("uprobe/%s:alpha+%llu", binary, at - file_offset("alpha")),
			fmt("uprobe/%s:alpha+0x%llx", binary, at - file_offset("alpha")));
	target_do(&t, 'b');
	CHECK_EQ(counter_read(&c).hits, 3);
	attachment_free(a);
	target_stop(&t);
	counter_close(&c);
}

TEST(uprobe_by_a_perf_event_alone)
{
	struct attachment *a;
	struct counter c;
	struct target t;

	make_target();
	/* Without a link there is no cookie. */
	c = counter_new(BPF_PROG_TYPE_KPROBE, 0, 0, 0, NULL, 0);
	t = target_start(binary);
	attach_refused(&c, fmt("uprobe/%s:alpha mode=perf cookie=1", binary), -EINVAL, "no cookie");
	a = attach_same(&c, fmt("uprobe/%s:alpha mode=perf", binary),
			fmt("uprobe/%s:alpha mode=perf", binary));
	CHECK_EQ(a->means, ATTACH_PERF_IOCTL);
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 1);
	attachment_free(a);
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 1);
	target_stop(&t);
	counter_close(&c);
}

TEST(uprobe_raises_its_reference_counter)
{
	unsigned long long at;
	struct abi_link_info info;
	struct attachment *a;
	struct counter c;
	struct target t;

	make_target();
	at = file_offset("semaphore");
	c = probe(0);
	t = target_start(binary);
	CHECK_EQ(target_do(&t, 's'), '0');
	a = attach_same(&c, fmt("uprobe/%s:alpha ref_ctr_offset=%llu", binary, at),
			fmt("uprobe/%s:alpha ref_ctr_offset=0x%llx", binary, at));
	CHECK_EQ(target_do(&t, 's'), '1');
	CHECK_EQ(klink_info(a->fds[0], &info, NULL), 0);
	if (kernel_has_member("bpf_link_info", "perf_event.uprobe.ref_ctr_offset"))
		CHECK_EQ(info.perf_event.uprobe.ref_ctr_offset, at);
	attachment_free(a);
	CHECK_EQ(target_do(&t, 's'), '0');
	attach_refused(&c, fmt("uprobe/%s:alpha ref_ctr_offset=0x100000000", binary), -EINVAL,
		       "32 bits");
	target_stop(&t);
	counter_close(&c);
}

TEST(uprobe_of_one_process)
{
	struct target one, two;
	struct attachment *a;
	struct counter c;

	make_target();
	c = probe(0);
	one = target_start(binary);
	two = target_start(binary);
	target_do(&one, 'b');
	a = attach_same(&c, fmt("uprobe/%s:alpha pid=%d", binary, one.pid),
			fmt("uprobe/%s:alpha pid=%d", binary, one.pid));
	target_do(&two, 'a');
	CHECK_EQ(counter_read(&c).hits, 0);
	target_do(&one, 'a');
	CHECK_EQ(counter_read(&c).hits, 1);
	target_do(&one, 't');
	CHECK_EQ(counter_read(&c).hits, 2);
	attachment_free(a);
	env.writer = two.pid;
	a = attach_ok(&c, fmt("uprobe/%s:alpha pid=self", binary));
	CHECK_STR(a->spec, fmt("uprobe/%s:alpha pid=%d", binary, two.pid));
	target_do(&one, 'a');
	CHECK_EQ(counter_read(&c).hits, 2);
	target_do(&two, 'a');
	CHECK_EQ(counter_read(&c).hits, 3);
	attachment_free(a);
	a = attach_same(&c, fmt("uprobe/%s:alpha pid=any", binary), fmt("uprobe/%s:alpha", binary));
	target_do(&one, 'a');
	target_do(&two, 'a');
	CHECK_EQ(counter_read(&c).hits, 5);
	attachment_free(a);
	target_stop(&one);
	target_stop(&two);
	attach_refused(&c, fmt("uprobe/%s:alpha pid=%d", binary, one.pid), -ESRCH, "no process");
	counter_close(&c);
}

TEST(pids_are_checked)
{
	static const struct {
		const char *text;
		int err;
		const char *part;
	} rows[] = {
		{ "0", -EINVAL, "pid=0 would be the daemon" },
		{ "-1", -EINVAL, "neither a number" },
		{ "me", -EINVAL, "neither a number nor any nor self" },
		{ "99999999999999999999", -ESRCH, "no process" },
		{ "4294967297", -ESRCH, "no process 4294967297" },
		{ "2147483647", -ESRCH, "no process" },
		{ "self", -ESRCH, "another pid namespace" },
	};
	struct counter c = probe(0);

	env.writer = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		attach_refused(&c, fmt("uprobe//bin/sh:0 pid=%s", rows[i].text), rows[i].err,
			       rows[i].part);
	counter_close(&c);
}

static int thread_says_tid(void *arg)
{
	int fd = *(int *)arg;
	pid_t tid = syscall(SYS_gettid);

	if (write(fd, &tid, sizeof(tid)) != sizeof(tid))
		return 1;
	for (;;)
		pause();
}

TEST(a_thread_stands_for_its_process)
{
	_cleanup_(spec_freep) struct spec *s = NULL;
	static char stack[65536] __attribute__((aligned(16)));
	pid_t tid, pid;
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	CHECK(clone(thread_says_tid, stack + sizeof(stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, &fds[1]) > 0);
	CHECK_EQ(read(fds[0], &tid, sizeof(tid)), sizeof(tid));
	CHECK(tid != getpid());
	env.writer = tid;
	CHECK_EQ(spec_parse("uprobe//bin/sh:0 pid=self", NULL, &s), 0);
	CHECK_EQ(attach_pid(&env, s, NULL, &pid), 0);
	CHECK_EQ(pid, getpid());
	close(fds[0]);
	close(fds[1]);
}

static int refuse_file(void *arg, int fd, const char *path, struct report *rp)
{
	struct stat st, named;

	(*(int *)arg)++;
	CHECK(fstat(fd, &st) == 0 && stat(path, &named) == 0);
	CHECK(st.st_ino == named.st_ino);
	return report(rp, -ELOOP, "%s lies on the mount itself", path);
}

TEST(files_are_shown_to_the_caller_first)
{
	struct counter c;
	int asked = 0;

	make_target();
	c = probe(0);
	env.check_file = refuse_file;
	env.arg = &asked;
	attach_refused(&c, fmt("uprobe/%s:alpha", binary), -ELOOP, "on the mount itself");
	CHECK_EQ(asked, 1);
	counter_close(&c);
}

static int replace_file(void *arg, int fd, const char *path, struct report *rp)
{
	(void)fd;
	(void)path;
	(void)rp;
	CHECK_EQ(rename(arg, binary), 0);
	return 0;
}

/* Another file takes the name between the check and the attach: neither is attached to. */
TEST(files_that_are_replaced_meanwhile_are_refused)
{
	struct counter c;
	char other[80];

	make_target();
	snprintf(other, sizeof(other), "%s/other", dir);
	env.check_file = replace_file;
	env.arg = other;
	CHECK_EQ(system(fmt("cp %s %s", binary, other)), 0);
	c = probe(0);
	attach_refused(&c, fmt("uprobe/%s:alpha", binary), -ESTALE, "was replaced");
	counter_close(&c);
	if (!feature_has(env.features, FEATURE_UPROBE_MULTI))
		return;
	CHECK_EQ(system(fmt("cp %s %s", binary, other)), 0);
	c = probe(ABI_TRACE_UPROBE_MULTI);
	attach_refused(&c, fmt("uprobe.multi/%s:alpha", binary), -ESTALE, "was replaced");
	counter_close(&c);
}

/* The kernel says EIO, which is ours alone. */
TEST(files_that_cannot_be_probed_are_no_fault_of_ours)
{
	static const char file[] = "/proc/config.gz";
	struct counter c;

	if (access(file, R_OK) < 0)
		SKIP("no %s", file);
	c = probe(0);
	attach_refused(&c, fmt("uprobe/%s:0", file), -EOPNOTSUPP, "cannot probe");
	counter_close(&c);
	if (!feature_has(env.features, FEATURE_UPROBE_MULTI))
		return;
	c = probe(ABI_TRACE_UPROBE_MULTI);
	attach_refused(&c, fmt("uprobe.multi/%s offsets=0", file), -EOPNOTSUPP, "cannot probe");
	counter_close(&c);
}

TEST(uprobe_errors)
{
	struct counter c;
	char fifo[80];

	make_target();
	c = probe(0);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	CHECK_EQ(mkfifo(fifo, 0600), 0);
	attach_refused(&c, fmt("uprobe/%s:alpah", binary), -ENOENT, "close: alpha");
	attach_refused(&c, fmt("uprobe/%s:alpha@V1", binary), -ENOENT, "no symbol 'alpha@V1'");
	attach_refused(&c, fmt("uprobe/%s:semaphore", binary), -ENOENT, "no symbol");
	attach_refused(&c, fmt("uprobe/%s:alpha+x", binary), -EINVAL, "'x' is no number");
	attach_refused(&c, fmt("uprobe/%s:'alpha+x'", binary), -ENOENT, "no symbol 'alpha+x'");
	attach_refused(&c, fmt("uprobe/%s:1x", binary), -EINVAL,
		       "neither a function nor an offset");
	attach_refused(&c, fmt("uprobe/%s:0xffffff", binary), -EINVAL, "beyond the end");
	attach_refused(&c, fmt("uprobe/%s:alpha+0xffffffffffffffff", binary), -EINVAL,
		       "beyond the end");
	attach_refused(&c, fmt("uprobe/%s", binary), -EINVAL, "uprobe/PATH:FUNC");
	attach_refused(&c, fmt("uprobe/%s:", binary), -EINVAL, "uprobe/PATH:FUNC");
	attach_refused(&c, "uprobe", -EINVAL, "uprobe/PATH:FUNC");
	attach_refused(&c, "uprobe/:alpha", -EINVAL, "path of the binary is missing");
	attach_refused(&c, "uprobe/./target:alpha", -EINVAL, "relative path");
	attach_refused(&c, "uprobe/no-such-program:alpha", -ENOENT, "no program 'no-such-program'");
	attach_refused(&c, fmt("uprobe/%s/nothing:alpha", dir), -ENOENT, "No such file");
	attach_refused(&c, fmt("uprobe/%s:alpha", dir), -EINVAL, "no regular file");
	attach_refused(&c, fmt("uprobe/%s:alpha", fifo), -EINVAL, "no regular file");
	attach_refused(&c, "uprobe//dev/null:alpha", -EINVAL, "no regular file");
	attach_refused(&c, fmt("uprobe/%s.c:alpha", binary), -ENOEXEC, "no ELF");
	attach_refused(&c, "uprobe//proc/self/status:alpha", -ENOEXEC, "no ELF");
	attach_refused(&c, fmt("uprobe/%s:alpha mode=legacy", binary), -EOPNOTSUPP, "mode=legacy");
	attach_refused(&c, fmt("uprobe/%s:alpha mode=fast", binary), -EINVAL, "none of link, perf");
	attach_refused(&c, fmt("uprobe/%s:alpha cookies=1", binary), -EINVAL, "it has cookie= ");
	counter_close(&c);
	/* Older kernels do not look at what a program was loaded for. */
	if (!feature_has(env.features, FEATURE_UPROBE_MULTI))
		return;
	c = probe(ABI_TRACE_UPROBE_MULTI);
	attach_refused(&c, fmt("uprobe/%s:alpha", binary), -EINVAL, "loaded as trace_uprobe_multi");
	counter_close(&c);
}

TEST(uprobe_on_bare_names_and_odd_paths)
{
	struct attachment *a;
	struct counter c;
	struct target t;
	char odd[128];

	make_target();
	c = probe(0);
	snprintf(odd, sizeof(odd), "%s/a b:c,'=d", dir);
	CHECK_EQ(link(binary, odd), 0);
	t = target_start(odd);
	a = attach_same(&c, fmt("uprobe/'%s/a b:c,\\x27=d':alpha", dir),
			fmt("uprobe/'%s/a b:c,\\x27=d':alpha", dir));
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 1);
	attachment_free(a);
	/* Another name of the same file, by a link. */
	CHECK_EQ(symlink(binary, fmt("%s/link", dir)), 0);
	a = attach_same(&c, fmt("uprobe/%s/link:alpha", dir), fmt("uprobe/%s:alpha", binary));
	attachment_free(a);
	setenv("PATH", dir, 1);
	a = attach_same(&c, "uprobe/target:alpha", fmt("uprobe/%s:alpha", binary));
	attachment_free(a);
	a = attach_ok(&c, "uprobe/libc.so.6:malloc");
	CHECK_HAS(a->spec, "/libc.so.6:malloc");
	CHECK(str_has_prefix(a->spec, "uprobe//"));
	attachment_free(a);
	target_stop(&t);
	counter_close(&c);
}
