/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/feature.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/bits.h"
#include "bpf/abi.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

/* CHECKs that exactly the features in @want (a bit each) are there, and that nothing stays open. */
static void check_features(uint64_t want)
{
	for (int id = 0; id < N_FEATURES; id++) {
		bool is = feature_probe_uncached(id), should = want >> id & 1;

		if (is != should)
			FAIL("%s is %d, not %d", feature_name(id), is, should);
	}
	CHECK_EQ(fake_sys_open_fds(), 0);
}

#define ALL	 ((1ull << N_FEATURES) - 1)
#define BIT(id_) (1ull << FEATURE_##id_)

TEST(a_new_kernel_has_everything)
{
	check_features(ALL);
	fake_sys_reset();
}

TEST(each_btf_kind_is_probed_by_itself)
{
	static const struct {
		uint32_t max_kind;
		uint64_t gone;
	} rows[] = {
		{ 18, BIT(BTF_ENUM64) },
		{ 17, BIT(BTF_ENUM64) | BIT(BTF_TYPE_TAG) },
		{ 16, BIT(BTF_ENUM64) | BIT(BTF_TYPE_TAG) | BIT(BTF_DECL_TAG) },
		{ 15, BIT(BTF_ENUM64) | BIT(BTF_TYPE_TAG) | BIT(BTF_DECL_TAG) | BIT(BTF_FLOAT) },
		{ 13, BIT(BTF_ENUM64) | BIT(BTF_TYPE_TAG) | BIT(BTF_DECL_TAG) | BIT(BTF_FLOAT) |
			      BIT(BTF_DATASEC) },
		{ 11, BIT(BTF_ENUM64) | BIT(BTF_TYPE_TAG) | BIT(BTF_DECL_TAG) | BIT(BTF_FLOAT) |
			      BIT(BTF_DATASEC) | BIT(BTF_FUNC) | BIT(BTF_GLOBAL_FUNC) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_kernel.max_btf_kind = rows[i].max_kind;
		check_features(ALL & ~rows[i].gone);
	}
	fake_kernel = (struct fake_kernel){ .no_global_func = true };
	check_features(ALL & ~BIT(BTF_GLOBAL_FUNC));
	fake_kernel = (struct fake_kernel){ .no_btf = true };
	check_features(ALL &
		       ~(BIT(BTF) | BIT(BTF_ENUM64) | BIT(BTF_TYPE_TAG) | BIT(BTF_DECL_TAG) |
			 BIT(BTF_FLOAT) | BIT(BTF_DATASEC) | BIT(BTF_FUNC) | BIT(BTF_GLOBAL_FUNC)));
	fake_sys_reset();
}

TEST(each_other_feature_is_probed_by_itself)
{
	static const struct {
		struct fake_kernel kernel;
		uint64_t gone;
	} rows[] = {
		{ { .no_names = true }, BIT(PROG_NAME) },
		{ { .no_global_data = true }, BIT(GLOBAL_DATA) },
		{ { .no_mmapable = true }, BIT(ARRAY_MMAP) },
		{ { .max_map_type = BPF_MAP_TYPE_RINGBUF - 1 }, BIT(RINGBUF) },
		{ { .max_cmd = BPF_PROG_BIND_MAP - 1 }, BIT(BIND_MAP) },
		{ { .max_helper = BPF_FUNC_get_attach_cookie - 1 }, BIT(COOKIE) },
		{ { .max_helper = BPF_FUNC_ktime_get_coarse_ns - 1 }, BIT(COOKIE) | BIT(MEMCG) },
		{ { .max_helper = BPF_FUNC_probe_read_kernel - 1 },
		  BIT(COOKIE) | BIT(MEMCG) | BIT(PROBE_READ_KERN) },
		{ { .max_attach_type = ABI_TRACE_UPROBE_SESSION - 1 }, BIT(UPROBE_SESSION) },
		{ { .max_attach_type = ABI_TRACE_UPROBE_MULTI - 1 },
		  BIT(UPROBE_SESSION) | BIT(UPROBE_MULTI) },
		{ { .max_attach_type = BPF_PERF_EVENT - 1 },
		  BIT(UPROBE_SESSION) | BIT(UPROBE_MULTI) | BIT(PERF_LINK) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_kernel = rows[i].kernel;
		check_features(ALL & ~rows[i].gone);
	}
	fake_sys_reset();
}

TEST(whoever_may_do_nothing_has_nothing)
{
	for (int cmd = 0; cmd <= BPF_PROG_BIND_MAP; cmd++)
		for (unsigned i = 1; i < 100; i++)
			fake_sys_fail(cmd, i, EPERM);
	check_features(0);
	fake_sys_reset();
}

TEST(an_answer_is_remembered)
{
	struct feature f = {}, other = {};
	size_t n;

	CHECK(feature_has(&f, FEATURE_RINGBUF));
	n = fake_sys_n_calls(-1);
	fake_kernel.max_map_type = BPF_MAP_TYPE_ARRAY;
	CHECK(feature_has(&f, FEATURE_RINGBUF));
	CHECK_EQ(fake_sys_n_calls(-1), n);
	/* A "no" is an answer, too. */
	CHECK(!feature_has(&other, FEATURE_RINGBUF));
	n = fake_sys_n_calls(-1);
	fake_kernel.max_map_type = 0;
	CHECK(!feature_has(&other, FEATURE_RINGBUF));
	CHECK_EQ(fake_sys_n_calls(-1), n);
	fake_sys_reset();
}

static unsigned n_maps;

/* Every second map works: a kernel that wavers. */
static int hook_waver(int cmd, void *attr, size_t size, bool *handled)
{
	(void)attr;
	(void)size;
	*handled = cmd == BPF_MAP_CREATE && n_maps++ % 2;
	return -ENOMEM;
}

static void *ask(void *f)
{
	return feature_has(f, FEATURE_RINGBUF) ? f : NULL;
}

TEST(threads_agree_on_the_answer)
{
	fake_sys_hook = hook_waver;
	for (int round = 0; round < 200; round++) {
		struct feature f = {};
		pthread_t threads[4];
		void *answers[4];

		for (int i = 0; i < 4; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, ask, &f), 0);
		for (int i = 0; i < 4; i++)
			CHECK_EQ(pthread_join(threads[i], &answers[i]), 0);
		for (int i = 1; i < 4; i++)
			CHECK(answers[i] == answers[0]);
		CHECK_EQ(answers[0] != NULL, feature_has(&f, FEATURE_RINGBUF));
	}
	fake_sys_reset();
}

TEST(names_are_words)
{
	for (int id = 0; id < N_FEATURES; id++) {
		CHECK(feature_name(id) && feature_name(id)[0]);
		for (int other = 0; other < id; other++)
			CHECK(strcmp(feature_name(id), feature_name(other)));
	}
	CHECK_STR(feature_name(FEATURE_BTF_ENUM64), "btf_enum64");
}

TEST(memlock_is_left_alone_where_it_does_not_count)
{
	struct feature f = {};
	struct rlimit before, after;

	CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	CHECK_EQ(feature_raise_memlock(&f), 0);
	CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &after), 0);
	CHECK(!memcmp(&before, &after, sizeof(before)));
	fake_sys_reset();
}

TEST(memlock_is_raised_or_refused_where_it_counts)
{
	struct feature f = {};
	struct rlimit after;
	int r;

	fake_kernel.max_helper = BPF_FUNC_ktime_get_coarse_ns - 1;
	r = feature_raise_memlock(&f);
	CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &after), 0);
	/* Without CAP_SYS_RESOURCE it stays as it was. */
	CHECK_EQ(r, after.rlim_cur == RLIM_INFINITY ? 0 : -EPERM);
	fake_sys_reset();
}
