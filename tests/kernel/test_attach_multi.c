/* SPDX-License-Identifier: BSD-2-Clause */
/* One link on many functions; and for all uprobes, files of another mount namespace. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "bpf/klink.h"
#include "tests/kernel/attach_util.h"
#include "tests/kernel/kernel_has.h"
#include "tests/kernel/target.h"
#include "tests/unit/test.h"

static void check_multi(const struct attachment *a, uint32_t n)
{
	struct abi_link_info info;
	struct klink_names names;
	struct klink_multi multi;

	CHECK_EQ(klink_info(a->fds[0], &info, &names), 0);
	CHECK_EQ(info.type, ABI_LINK_UPROBE_MULTI);
	CHECK_STR(names.name, binary);
	CHECK_EQ(info.uprobe_multi.count, n);
	CHECK_EQ(klink_multi_info(a->fds[0], &multi), 0);
	CHECK_EQ(multi.n, n);
	CHECK_EQ(multi.addrs[0], file_offset("alpha"));
	klink_multi_deinit(&multi);
}

TEST(uprobe_multi_by_pattern)
{
	struct abi_link_info info;
	struct attachment *a;
	struct counter c;
	struct target t;
	uint32_t id;

	need_feature(FEATURE_UPROBE_MULTI);
	make_target();
	c = probe(ABI_TRACE_UPROBE_MULTI);
	t = target_start(binary);
	a = attach_same(&c, fmt("uprobe.multi %s:alpha*", binary),
			fmt("uprobe.multi/%s:alpha*", binary));
	check_multi(a, 2);
	target_do(&t, 'a');
	target_do(&t, '2');
	target_do(&t, 'b');
	CHECK_EQ(counter_read(&c).hits, 2);
	id = a->id;
	attachment_free(a);
	CHECK(!link_exists(id));
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 2);
	a = attach_same(&c, fmt("uretprobe.multi/%s:alpha", binary),
			fmt("uretprobe.multi/%s:alpha", binary));
	CHECK_EQ(klink_info(a->fds[0], &info, NULL), 0);
	CHECK_EQ(info.uprobe_multi.flags, ABI_F_UPROBE_MULTI_RETURN);
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 3);
	attachment_free(a);
	target_stop(&t);
	counter_close(&c);
}

TEST(uprobe_multi_by_lists)
{
	unsigned long long alpha, beta, sem;
	struct attachment *a;
	struct counter c;
	struct target t;

	need_feature(FEATURE_UPROBE_MULTI);
	make_target();
	alpha = file_offset("alpha");
	beta = file_offset("beta");
	sem = file_offset("semaphore");
	c = probe(ABI_TRACE_UPROBE_MULTI);
	t = target_start(binary);
	a = attach_same(&c, fmt("uprobe.multi/%s cookies=0x11,0x22 syms=alpha,'beta'", binary),
			fmt("uprobe.multi/%s syms=alpha,beta cookies=17,34", binary));
	check_multi(a, 2);
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).cookie, 17);
	target_do(&t, 'b');
	CHECK_EQ(counter_read(&c).cookie, 34);
	attachment_free(a);
	a = attach_same(&c,
			fmt("uprobe.multi/%s offsets=%llu,%llu ref_ctr_offsets=%llu,%llu", binary,
			    alpha, beta, sem, sem),
			fmt("uprobe.multi/%s offsets=0x%llx,0x%llx ref_ctr_offsets=0x%llx,0x%llx",
			    binary, alpha, beta, sem, sem));
	check_multi(a, 2);
	CHECK_EQ(target_do(&t, 's'), '2');
	attachment_free(a);
	CHECK_EQ(target_do(&t, 's'), '0');
	target_stop(&t);
	counter_close(&c);
}

TEST(uprobe_multi_of_one_process)
{
	struct target one, two;
	struct attachment *a;
	struct counter c;

	need_feature(FEATURE_UPROBE_MULTI);
	make_target();
	c = probe(ABI_TRACE_UPROBE_MULTI);
	one = target_start(binary);
	two = target_start(binary);
	a = attach_same(&c, fmt("uprobe.multi/%s:alpha pid=%d", binary, one.pid),
			fmt("uprobe.multi/%s:alpha pid=%d", binary, one.pid));
	target_do(&two, 'a');
	CHECK_EQ(counter_read(&c).hits, 0);
	target_do(&one, 'a');
	target_do(&one, 't');
	CHECK_EQ(counter_read(&c).hits, 2);
	attachment_free(a);
	target_stop(&one);
	target_stop(&two);
	counter_close(&c);
}

TEST(uprobe_session_runs_twice)
{
	struct attachment *a;
	struct counter c;
	struct target t;

	need_feature(FEATURE_UPROBE_SESSION);
	make_target();
	c = probe(ABI_TRACE_UPROBE_SESSION);
	t = target_start(binary);
	a = attach_same(&c, fmt("uprobe.session/%s:alpha", binary),
			fmt("uprobe.session/%s:alpha", binary));
	target_do(&t, 'a');
	CHECK_EQ(counter_read(&c).hits, 2);
	attachment_free(a);
	attach_refused(&c, fmt("uprobe.multi/%s:alpha", binary), -EINVAL, "SEC(\"uprobe.multi\")");
	/* As of a foreign program: nobody told us its attach type, the kernel decides. */
	c.prog.attach_type = 0;
	attach_refused(&c, fmt("uretprobe.multi/%s:alpha", binary), -EINVAL,
		       "SEC(\"uretprobe.multi\")");
	target_stop(&t);
	counter_close(&c);
}

TEST(uprobe_multi_errors)
{
	struct feature old = {};
	struct counter c;

	need_feature(FEATURE_UPROBE_MULTI);
	make_target();
	c = probe(ABI_TRACE_UPROBE_MULTI);
	attach_refused(&c, fmt("uprobe.multi/%s", binary), -EINVAL, "one of PATH:GLOB, syms=");
	attach_refused(&c, fmt("uprobe.multi/%s:a* syms=alpha", binary), -EINVAL,
		       "one of PATH:GLOB");
	attach_refused(&c, fmt("uprobe.multi/%s syms=alpha offsets=1", binary), -EINVAL, "one of");
	attach_refused(&c, fmt("uprobe.multi/%s:a* cookies=1", binary), -EINVAL, "has no order");
	attach_refused(&c, fmt("uprobe.multi/%s syms=alpha,beta cookies=1", binary), -EINVAL,
		       "2 places but 1 cookies");
	attach_refused(&c, fmt("uprobe.multi/%s offsets=1 ref_ctr_offsets=1,2", binary), -EINVAL,
		       "1 places but 2 ref_ctr_offsets");
	attach_refused(&c, fmt("uprobe.multi/%s:nothing*", binary), -ENOENT, "matches 'nothing*'");
	attach_refused(&c, fmt("uprobe.multi/%s syms=alpha,alpah", binary), -ENOENT,
		       "close: alpha");
	attach_refused(&c, fmt("uprobe.multi/%s offsets=0xffffff", binary), -EINVAL,
		       "beyond the end");
	attach_refused(&c, "uprobe.multi", -EINVAL, "wants uprobe.multi/PATH:GLOB");
	if (feature_has(env.features, FEATURE_UPROBE_SESSION))
		attach_refused(&c, fmt("uprobe.session/%s:alpha", binary), -EINVAL,
			       "SEC(\"uprobe.session\")");
	old.state[FEATURE_UPROBE_MULTI] = 1;
	env.features = &old;
	attach_refused(&c, fmt("uprobe.multi/%s:alpha", binary), -EOPNOTSUPP, "6.6");
	attach_refused(&c, fmt("uprobe.session/%s:alpha", binary), -EOPNOTSUPP, "6.13");
	old = (struct feature){};
	old.state[FEATURE_UPROBE_SESSION] = 1;
	attach_refused(&c, fmt("uprobe.session/%s:alpha", binary), -EOPNOTSUPP, "6.13");
	counter_close(&c);
	c = counter_new(BPF_PROG_TYPE_KPROBE, 0, 0, 0, NULL, 0);
	env = (struct attach_env){ .features = &(struct feature){} };
	attach_refused(&c, fmt("uprobe.multi/%s:alpha", binary), -EINVAL, "SEC(\"uprobe.multi\")");
	counter_close(&c);
}

/*
 * A process in a mount namespace of its own, where @inside holds a copy of the
 * program as "real" and a "link" to its whole path. With @root, @inside is its root.
 */
static pid_t start_foreign(const char *inside, bool root)
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK_EQ(mkdir(inside, 0755), 0);
	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", inside, "tmpfs", 0, NULL) ||
		    system(fmt("cp %s %s/real && ln -s %s/real %s/link", binary, inside,
			       root ? "" : inside, inside)) ||
		    (root && chroot(inside)) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		SKIP("no mount namespace");
	close(ready[0]);
	return pid;
}

/* @given is attached as @seen by the process, which is @shown under its root by the kernel. */
static void check_foreign(pid_t pid, const char *given, const char *seen)
{
	struct abi_link_info info;
	struct klink_names names;
	struct attachment *a;
	struct counter c;

	c = probe(0);
	attach_refused(&c, fmt("uprobe/%s:alpha", given), -ENOENT, "cannot open");
	a = attach_same(&c, fmt("uprobe/%s:alpha pid=%d", given, pid),
			fmt("uprobe/%s:alpha pid=%d", seen, pid));
	CHECK_EQ(klink_info(a->fds[0], &info, &names), 0);
	if (kernel_has_member("bpf_link_info", "perf_event.uprobe.file_name"))
		CHECK_STR(names.name, fmt("/proc/%d/root%s", pid, seen));
	attachment_free(a);
	counter_close(&c);

	if (!feature_has(env.features, FEATURE_UPROBE_MULTI))
		return;
	c = probe(ABI_TRACE_UPROBE_MULTI);
	a = attach_same(&c, fmt("uprobe.multi/%s:alpha* pid=%d", given, pid),
			fmt("uprobe.multi/%s:alpha* pid=%d", seen, pid));
	attachment_free(a);
	counter_close(&c);
}

TEST(pid_in_another_mount_namespace_names_its_own_files)
{
	char inside[80];
	pid_t pid;

	make_target();
	snprintf(inside, sizeof(inside), "%s/box", dir);
	pid = start_foreign(inside, false);
	check_foreign(pid, fmt("%s/link", inside), fmt("%s/real", inside));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Absolute links inside are relative to that root, not to ours. */
TEST(pid_with_another_root_names_files_under_it)
{
	char inside[80];
	pid_t pid;

	make_target();
	snprintf(inside, sizeof(inside), "%s/box", dir);
	pid = start_foreign(inside, true);
	check_foreign(pid, "/link", "/real");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
