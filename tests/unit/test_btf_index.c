/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/btf.h"

#include <pthread.h>
#include <unistd.h>

#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

/* Takes @g. */
static struct btf *parsed(struct btf_gen *g)
{
	struct btf *btf;

	gen_finish(g);
	CHECK_EQ(btf_parse(g->blob.data, g->blob.len, ".BTF", NULL, &rp, &btf), 0);
	gen_deinit(g);
	return btf;
}

TEST(finds_by_name_and_kind)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, 0), s = gen_struct(&g, "point", 4, M("x", i, 0));
	uint32_t f = gen_func(&g, "compute", gen_proto(&g, i, NULL, 0), BTF_FUNC_GLOBAL);
	uint32_t p = gen_ref(&g, BTF_KIND_PTR, NULL, s);
	uint32_t d = gen_datasec(&g, ".data", 0, NULL, 0);
	struct btf *btf = parsed(&g);

	CHECK_EQ(btf_find(btf, "point", BTF_KIND_STRUCT), s);
	CHECK_EQ(btf_find(btf, "point", BTF_KIND_UNION), 0);
	CHECK_EQ(btf_find(btf, "compute", BTF_KIND_FUNC), f);
	CHECK_EQ(btf_find(btf, ".data", BTF_KIND_DATASEC), d);
	CHECK_EQ(btf_find(btf, "poin", BTF_KIND_STRUCT), 0);
	CHECK_EQ(btf_find(btf, "", BTF_KIND_PTR), 0);
	CHECK_EQ(btf_kind(btf_type(btf, p)), BTF_KIND_PTR);
	btf_unref(btf);
}

TEST(finds_the_first_of_a_name)
{
	struct btf_gen g = {};
	uint32_t one = gen_struct(&g, "twice", 4), two = gen_struct(&g, "twice", 8);
	struct btf *btf;

	btf = parsed(&g);
	CHECK_EQ(btf_find(btf, "twice", BTF_KIND_STRUCT), one);
	CHECK_EQ(btf_find_essential(btf, "twice", 5, 0), one);
	CHECK_EQ(btf_find_essential(btf, "twice", 5, one), two);
	CHECK_EQ(btf_find_essential(btf, "twice", 5, two), 0);
	btf_unref(btf);
}

TEST(flavours_are_cut)
{
	CHECK_EQ(btf_essential_len("task_struct"), 11);
	CHECK_EQ(btf_essential_len("task_struct___old"), 11);
	CHECK_EQ(btf_essential_len("task_struct___old___older"), 17);
	CHECK_EQ(btf_essential_len("task____struct"), 14);
	CHECK_EQ(btf_essential_len("___old"), 6);
	CHECK_EQ(btf_essential_len("old___"), 6);
	CHECK_EQ(btf_essential_len("a___b"), 1);
	CHECK_EQ(btf_essential_len(""), 0);
	CHECK_EQ(btf_essential_len("___"), 3);
}

TEST(finds_all_flavours)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "sock", 4, 0), plain = gen_struct(&g, "sock", 4);
	uint32_t old = gen_struct(&g, "sock___old", 4), found[8] = {}, n = 0;
	struct btf *btf;

	gen_struct(&g, "socket", 4);
	gen_struct(&g, "soc", 4);
	btf = parsed(&g);
	/* The name need not end where the essential name does. */
	for (uint32_t id = 0; n < 8 && (id = btf_find_essential(btf, "sock___mine", 4, id));)
		found[n++] = id;
	CHECK_EQ(n, 3);
	CHECK_EQ(found[0] + found[1] + found[2], i + plain + old);
	CHECK_EQ(btf_find(btf, "sock___old", BTF_KIND_STRUCT), old);
	CHECK_EQ(btf_find(btf, "sock", BTF_KIND_STRUCT), plain);
	btf_unref(btf);
}

static void *find_point(void *btf)
{
	return (void *)(uintptr_t)btf_find(btf, "point", BTF_KIND_STRUCT);
}

TEST(many_threads_may_ask_first)
{
	struct btf_gen g = {};
	uint32_t s = gen_struct(&g, "point", 4, M("x", gen_int(&g, "int", 4, 0), 0));
	struct btf *btf = parsed(&g);
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, find_point, btf), 0);
	for (int i = 0; i < 8; i++) {
		void *id;

		CHECK_EQ(pthread_join(threads[i], &id), 0);
		CHECK_EQ((uintptr_t)id, s);
	}
	btf_unref(btf);
}

TEST(every_name_of_vmlinux_is_found)
{
	struct btf *btf;
	uint32_t id;

	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		SKIP("this kernel has no BTF");
	CHECK_EQ(btf_parse_file("/sys/kernel/btf/vmlinux", NULL, &rp, &btf), 0);
	CHECK(btf_n_types(btf) > 10000);
	id = btf_find(btf, "task_struct", BTF_KIND_STRUCT);
	CHECK(id);
	CHECK(btf_size(btf, id) > 1000);
	/* Every name is found, as itself or as an earlier one. */
	for (uint32_t i = 1; i < btf_n_types(btf); i++) {
		const char *name = btf_type_name(btf, i);
		uint32_t found = btf_find(btf, name, btf_kind(btf_type(btf, i)));

		CHECK(!*name ? !found
			     : found && found <= i && !strcmp(btf_type_name(btf, found), name));
	}
	btf_unref(btf);
}
