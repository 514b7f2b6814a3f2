/* SPDX-License-Identifier: BSD-2-Clause */
#include <fuse_lowlevel.h>

#include "fs/node.h"
#include "tests/unit/test.h"

static const struct entry root = { "", ENTRY_DIR, 0755 };
static const struct entry dir_row = { "", ENTRY_DIR, 0755 };
static const struct entry file_row = { "type", ENTRY_TEXT, 0644 };

static struct child prog(uint32_t id)
{
	return (struct child){ .entry = &dir_row, .subject = { .kind = SUBJECT_PROG, .id = id } };
}

/* Look up and let go of the hold: only the kernel's count keeps the node. */
static uint64_t look(struct nodes *n, struct node *parent, const char *name, struct child child)
{
	struct node *node = nodes_lookup(n, parent, name, &child);
	uint64_t id = node->id;

	node_put(n, node);
	return id;
}

TEST(root_is_there_and_stays)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID);

	CHECK(r && r->entry == &root);
	nodes_forget(n, FUSE_ROOT_ID, 1000);
	node_put(n, r);
	r = nodes_get(n, FUSE_ROOT_ID);
	CHECK(r);
	node_put(n, r);
	nodes_free(n);
}

TEST(one_thing_in_two_places_has_two_nodeids)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID);
	uint64_t a = look(n, r, "a", prog(42)), b = look(n, r, "b", prog(42));

	CHECK(a != b);
	CHECK_EQ(look(n, r, "a", prog(42)), a);
	CHECK_EQ(nodes_count(n), 3);
	node_put(n, r);
	nodes_free(n);
}

TEST(a_name_that_means_something_else_gets_a_new_nodeid)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID), *old;
	uint64_t a = look(n, r, "x", prog(1)), b = look(n, r, "x", prog(2));

	CHECK(a != b);
	/* The kernel still has the old one, about what it always was. */
	old = nodes_get(n, a);
	CHECK(old);
	CHECK_EQ(old->subject.id, 1);
	node_put(n, old);
	nodes_forget(n, a, 1);
	CHECK(!nodes_get(n, a));
	CHECK_EQ(look(n, r, "x", prog(2)), b);
	node_put(n, r);
	nodes_free(n);
}

TEST(forgetting_frees_children_and_then_parents)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID);
	struct child d = prog(7), f = { .entry = &file_row, .subject = d.subject };
	struct node *dir = nodes_lookup(n, r, "7", &d);
	uint64_t dir_id = dir->id, file_id = look(n, dir, "type", f);

	node_put(n, dir);
	nodes_forget(n, dir_id, 1);
	/* The file needs its directory for its path. */
	CHECK_EQ(nodes_count(n), 3);
	nodes_forget(n, file_id, 1);
	CHECK_EQ(nodes_count(n), 1);
	node_put(n, r);
	nodes_free(n);
}

TEST(lookups_are_counted)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID);
	uint64_t id = look(n, r, "x", prog(1));

	look(n, r, "x", prog(1));
	nodes_forget(n, id, 1);
	CHECK_EQ(nodes_count(n), 2);
	/* More than there were: the kernel would not, a bug of ours must not wrap. */
	nodes_forget(n, id, 5);
	CHECK_EQ(nodes_count(n), 1);
	CHECK(!nodes_get(n, id));
	node_put(n, r);
	nodes_free(n);
}

TEST(a_held_node_survives_the_kernel)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID);
	struct child c = prog(1);
	struct node *held = nodes_lookup(n, r, "x", &c);

	nodes_forget(n, held->id, 1);
	CHECK_EQ(nodes_count(n), 2);
	node_put(n, held);
	CHECK_EQ(nodes_count(n), 1);
	node_put(n, r);
	nodes_free(n);
}

TEST(a_renamed_node_keeps_its_nodeid)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID), *node;
	struct str path = {};
	uint64_t a = look(n, r, "tmp", prog(1)), b = look(n, r, "final", prog(2));

	nodes_renamed(n, r, "tmp", "final");
	CHECK_EQ(look(n, r, "final", prog(1)), a);
	CHECK(look(n, r, "tmp", prog(1)) != a);
	node = nodes_get(n, a);
	node_path(n, node, &path);
	CHECK_STR(path.data, "/final");
	str_deinit(&path);
	node_put(n, node);
	node = nodes_get(n, b);
	CHECK(node);
	node_put(n, node);
	node_put(n, r);
	nodes_free(n);
}

TEST(paths_and_depths)
{
	struct nodes *n = nodes_new(&root);
	struct node *r = nodes_get(n, FUSE_ROOT_ID), *a, *b;
	struct child c = prog(1);
	struct str path = {};

	a = nodes_lookup(n, r, "progs", &c);
	b = nodes_lookup(n, a, "42", &c);
	node_path(n, b, &path);
	CHECK_STR(path.data, "/progs/42");
	CHECK_EQ(node_depth(r), 0);
	CHECK_EQ(node_depth(a), 0);
	CHECK_EQ(node_depth(b), 1);
	str_deinit(&path);
	node_put(n, b);
	node_put(n, a);
	node_put(n, r);
	nodes_free(n);
}
