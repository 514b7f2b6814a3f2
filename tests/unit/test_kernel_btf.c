/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/kernel_btf.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/bits.h"
#include "base/str.h"
#include "loader/btf.h"
#include "tests/fake/sys.h"
#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

/* Of the file system that the tests see below. */
static const char *only_path; /* where vmlinux is; NULL: nowhere */
static int other_err = -ENOENT;
static unsigned n_parsed;
static char asked[1 << 14];

/* In place of the one in btf_file.c: the linker takes what it has already. */
int btf_parse_file(const char *path, struct btf *base, struct report *r, struct btf **ret)
{
	struct btf_gen g = {};
	int err;

	snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s\n", path);
	if (base || !only_path || strcmp(path, only_path) != 0)
		return report(r, other_err, "%s: no", path);
	__atomic_add_fetch(&n_parsed, 1, __ATOMIC_RELAXED);
	gen_struct(&g, "task_struct", 4, M("pid", gen_int(&g, "int", 4, BTF_INT_SIGNED), 0));
	gen_finish(&g);
	err = btf_parse(str_text(&g.blob), g.blob.len, path, NULL, r, ret);
	gen_deinit(&g);
	return err;
}

static struct kernel_btf *start(void)
{
	struct kernel_btf *kb = kernel_btf_new();

	CHECK(kb);
	only_path = "/sys/kernel/btf/vmlinux";
	return kb;
}

static struct btf *get(struct kernel_btf *kb)
{
	struct btf *btf = NULL;

	if (kernel_btf_get(kb, &rp, &btf) < 0)
		FAIL("%s", rp.text);
	CHECK(btf_find(btf, "task_struct", BTF_KIND_STRUCT));
	return btf;
}

TEST(everybody_gets_the_same_copy)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	struct btf *a, *b;

	CHECK_EQ(n_parsed, 0);
	a = get(kb);
	b = get(kb);
	CHECK(a == b);
	btf_unref(a);
	btf_unref(b);
	/* Also when nobody had it for a moment. */
	btf_unref(get(kb));
	CHECK_EQ(n_parsed, 1);
}

TEST(reference_outlives_its_source)
{
	struct kernel_btf *kb = start();
	struct btf *btf = get(kb);

	kernel_btf_free(kb);
	CHECK(!btf_is_shared(btf));
	CHECK(btf_find(btf, "task_struct", BTF_KIND_STRUCT));
	btf_unref(btf);
}

TEST(other_places_are_tried_in_turn)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	struct utsname uts;
	struct btf *btf = NULL;
	char path[300];

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/vmlinux-%s", uts.release, uts.release);
	only_path = path;
	btf_unref(get(kb));
	/* The sentences of the places before it are no failure. */
	CHECK_EQ(rp.err, 0);
	CHECK(str_has_prefix(asked, "/sys/kernel/btf/vmlinux\n/boot/vmlinux-"));
	kernel_btf_trim(kb, 0);
	only_path = NULL;
	*asked = '\0';
	CHECK_EQ(kernel_btf_get(kb, &rp, &btf), -ENOENT);
	CHECK_HAS(rp.text, "CONFIG_DEBUG_INFO_BTF");
	CHECK_HAS(asked, "/usr/lib/debug/lib/modules/");
	CHECK_HAS(asked, "/build/vmlinux\n");
	CHECK(!strchr(asked, '%'));
}

TEST(malformed_vmlinux_is_no_missing_one)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	struct btf *btf = NULL;

	only_path = NULL;
	other_err = -EBADMSG;
	CHECK_EQ(kernel_btf_get(kb, &rp, &btf), -EBADMSG);
	CHECK_STR(asked, "/sys/kernel/btf/vmlinux\n");
	/* The next one who asks looks again. */
	only_path = "/sys/kernel/btf/vmlinux";
	btf_unref(get(kb));
}

TEST(trim_lets_go_of_what_nobody_uses)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	struct btf *btf;

	kernel_btf_trim(kb, 0);
	btf = get(kb);
	/* In use. */
	kernel_btf_trim(kb, 0);
	btf_unref(get(kb));
	CHECK_EQ(n_parsed, 1);
	btf_unref(btf);
	/* Not in use, but not for so long. */
	kernel_btf_trim(kb, 1000000);
	btf_unref(get(kb));
	CHECK_EQ(n_parsed, 1);
	kernel_btf_trim(kb, 0);
	kernel_btf_trim(kb, 0);
	btf_unref(get(kb));
	CHECK_EQ(n_parsed, 2);
}

TEST(idle_time_starts_when_the_last_user_is_gone)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	const struct timespec pause = { .tv_nsec = 300 * 1000000 };
	struct btf *btf = get(kb);

	nanosleep(&pause, NULL);
	kernel_btf_trim(kb, 250);
	btf_unref(btf);
	/* The first use is longer ago than this, but the last trim() saw one. */
	kernel_btf_trim(kb, 250);
	btf_unref(get(kb));
	CHECK_EQ(n_parsed, 1);
	nanosleep(&pause, NULL);
	kernel_btf_trim(kb, 250);
	btf_unref(get(kb));
	CHECK_EQ(n_parsed, 2);
}

static void *get_and_look(void *arg)
{
	struct btf *btf = NULL;

	if (kernel_btf_get(arg, NULL, &btf) < 0 || !btf_find(btf, "task_struct", BTF_KIND_STRUCT))
		return NULL;
	return btf;
}

TEST(threads_wait_for_one_copy)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	pthread_t threads[4];
	void *got[4];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, get_and_look, kb), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], &got[i]);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		CHECK(got[i] && got[i] == got[0]);
		btf_unref(got[i]);
	}
	CHECK_EQ(n_parsed, 1);
}

static void *get_and_trim(void *arg)
{
	for (int i = 0; i < 20; i++) {
		void *btf = get_and_look(arg);

		if (!btf)
			return NULL;
		btf_unref(btf);
		kernel_btf_trim(arg, 0);
	}
	return arg;
}

TEST(threads_get_while_others_trim)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	pthread_t threads[2];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, get_and_trim, kb), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *ok;

		pthread_join(threads[i], &ok);
		CHECK(ok);
	}
}

/* A blob that continues @base: one int of 4 bytes, named @name. */
static void module_blob(struct btf_gen *g, const struct btf *base, const char *name)
{
	*g = (struct btf_gen){ .first_id = btf_n_types(base), .first_str = 1 };
	while (btf_has_str(base, g->first_str))
		g->first_str++;
	gen_int(g, name, 4, 0);
	gen_finish(g);
}

TEST(modules_are_split_over_vmlinux)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	struct btf *vmlinux = get(kb);
	struct module_btf *mods = NULL;
	uint32_t n = 77, id;
	struct btf_gen g;

	CHECK_EQ(kernel_btf_modules(kb, &rp, &mods, &n), 0);
	CHECK_EQ(n, 0);
	module_btfs_free(mods, n);
	module_blob(&g, vmlinux, "mod_int");
	fake_sys_add_btf("vmlinux", "x", 1);
	fake_sys_add_btf("broken", "x", 1);
	id = fake_sys_add_btf("good", str_text(&g.blob), g.blob.len);
	CHECK_EQ(kernel_btf_modules(kb, &rp, &mods, &n), 0);
	CHECK_EQ(rp.err, 0);
	/* One that cannot be read is left out. */
	CHECK_EQ(n, 1);
	CHECK_STR(mods[0].name, "good");
	CHECK_EQ(mods[0].id, id);
	CHECK(mods[0].fd > 2);
	CHECK(btf_base(mods[0].btf) == vmlinux);
	CHECK_EQ(btf_find(mods[0].btf, "mod_int", BTF_KIND_INT), btf_n_types(vmlinux));
	module_btfs_free(mods, n);
	btf_unref(vmlinux);
	gen_deinit(&g);
	fake_sys_reset();
}

TEST(modules_need_a_privilege_that_is_not_asked_for)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	struct module_btf *mods = NULL;
	uint32_t n = 77;

	btf_unref(get(kb));
	fake_sys_fail(BPF_BTF_GET_NEXT_ID, 1, EPERM);
	CHECK_EQ(kernel_btf_modules(kb, &rp, &mods, &n), 0);
	CHECK_EQ(n, 0);
	fake_sys_fail(BPF_BTF_GET_NEXT_ID, 1, EINVAL);
	CHECK_EQ(kernel_btf_modules(kb, &rp, &mods, &n), -EINVAL);
	fake_sys_reset();
}

TEST(modules_that_unload_meanwhile_are_left_out)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = start();
	struct module_btf *mods = NULL;
	uint32_t n = 77;

	btf_unref(get(kb));
	fake_sys_add_btf("mod", "x", 1);
	fake_sys_fail(BPF_BTF_GET_FD_BY_ID, 1, ENOENT);
	CHECK_EQ(kernel_btf_modules(kb, &rp, &mods, &n), 0);
	CHECK_EQ(n, 0);
	fake_sys_reset();
}
