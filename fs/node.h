/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * node - the places of the tree that the kernel knows of.
 *
 * Two numbers must not be mixed up. A *nodeid* is a place: the kernel takes it
 * for one directory entry and would move a directory under the feet of a shell
 * that stands in it, if one nodeid appeared under two parents. So each pair of
 * parent and name has its own, from a counter, never used again. *st_ino* says
 * what is the same thing: progs/42 and objects/x/progs/y have equal ones.
 *
 * A node lives as long as the kernel's lookup count is above zero or a file is
 * open on it. When the name comes to mean something else, the old node keeps its
 * subject until the kernel forgets it, and a new node takes the name.
 */
#include <stdint.h>
#include <sys/stat.h>

#include "fs/entry.h"

struct nodes;

struct node {
	uint64_t id;
	const struct entry *entry;
	struct subject subject;
	struct node *parent; /* NULL for the root; held */
	char *name;
	/* rest is node.c's */
};

struct nodes *nodes_new(const struct entry *root);
void nodes_free(struct nodes *n);

/* nodes_get() - the node of @id, held: node_put() it. NULL for a number that the kernel made up. */
struct node *nodes_get(struct nodes *n, uint64_t id);
void node_put(struct nodes *n, struct node *node);

/**
 * nodes_lookup() - the node of a name in a directory, its lookup count raised by one
 * @child: its subject is copied
 *
 * Return: held node, node_put() it; NULL when out of memory.
 */
struct node *nodes_lookup(struct nodes *n, struct node *parent, const char *name,
			  const struct child *child);
/* nodes_forget() - the kernel drops @count lookups. */
void nodes_forget(struct nodes *n, uint64_t id, uint64_t count);
/* nodes_renamed() - a name moved inside a directory: what was there under @to is another thing now. */
void nodes_renamed(struct nodes *n, struct node *parent, const char *from, const char *to);

/* "/objects/exec/ctl": for error_log. */
void node_path(struct nodes *n, const struct node *node, struct str *out);
/* How many directories are between the root and the one that the node is in. */
unsigned node_depth(const struct node *node);
/* How many nodes are in the table: for tests of leaks. */
size_t nodes_count(struct nodes *n);
