/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/node.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/hash.h"

/* What node.h does not show. All of it is protected by nodes->lock. */
struct node_full {
	struct node node;
	struct hash_node by_id, by_name;
	uint64_t n_lookups; /* the kernel's */
	uint64_t n_held;    /* nodes_get(), children, open files */
	bool named;	    /* in by_name: this is what the name means now */
};

struct nodes {
	pthread_mutex_t lock;
	struct hash by_id, by_name;
	uint64_t next_id;
	struct node_full root;
};

static struct node_full *full(struct node *node)
{
	return container_of(node, struct node_full, node);
}

static uint64_t name_hash(const struct node *parent, const char *name)
{
	return hash_bytes(name, strlen(name), parent->id);
}

struct nodes *nodes_new(const struct entry *root)
{
	struct nodes *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	pthread_mutex_init(&n->lock, NULL);
	n->next_id = FUSE_ROOT_ID + 1;
	n->root.node.id = FUSE_ROOT_ID;
	n->root.node.entry = root;
	n->root.n_lookups = 1;
	if (hash_insert(&n->by_id, &n->root.by_id, hash_u64(FUSE_ROOT_ID)) < 0) {
		free(n);
		return NULL;
	}
	return n;
}

static void unname(struct nodes *n, struct node_full *f)
{
	if (f->named)
		hash_remove(&n->by_name, &f->by_name);
	f->named = false;
}

/*
 * Under the lock: free what nobody counts any more, parents too. The subjects'
 * references are dropped after the lock: their owners take locks of their own.
 */
static struct node_full *reap(struct nodes *n, struct node_full *f)
{
	struct node_full *dead = NULL;

	while (f && f != &n->root && !f->n_lookups && !f->n_held) {
		struct node_full *parent = full(f->node.parent);

		unname(n, f);
		hash_remove(&n->by_id, &f->by_id);
		f->node.parent = dead ? &dead->node : NULL; /* the list of the dead */
		dead = f;
		parent->n_held--;
		f = parent;
	}
	return dead;
}

static void bury(struct node_full *dead)
{
	while (dead) {
		struct node_full *next = dead->node.parent ? full(dead->node.parent) : NULL;

		subject_deinit(&dead->node.subject);
		free(dead->node.name);
		free(dead);
		dead = next;
	}
}

/* Every node goes, whatever the counts say: the mount is gone. */
void nodes_free(struct nodes *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->by_id.n_slots; i++) {
		struct hash_node *h = n->by_id.slots[i], *next;

		for (; h; h = next) {
			struct node_full *f = container_of(h, struct node_full, by_id);

			next = h->next;
			if (f == &n->root)
				continue;
			subject_deinit(&f->node.subject);
			free(f->node.name);
			free(f);
		}
	}
	hash_deinit(&n->by_id);
	hash_deinit(&n->by_name);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static struct node_full *by_id(struct nodes *n, uint64_t id)
{
	hash_for_each_match (h, &n->by_id, hash_u64(id)) {
		struct node_full *f = container_of(h, struct node_full, by_id);

		if (f->node.id == id)
			return f;
	}
	return NULL;
}

struct node *nodes_get(struct nodes *n, uint64_t id)
{
	struct node_full *f;

	pthread_mutex_lock(&n->lock);
	f = by_id(n, id);
	if (f)
		f->n_held++;
	pthread_mutex_unlock(&n->lock);
	return f ? &f->node : NULL;
}

void node_put(struct nodes *n, struct node *node)
{
	struct node_full *dead;

	if (!node)
		return;
	pthread_mutex_lock(&n->lock);
	full(node)->n_held--;
	dead = reap(n, full(node));
	pthread_mutex_unlock(&n->lock);
	bury(dead);
}

static struct node_full *by_name(struct nodes *n, const struct node *parent, const char *name)
{
	hash_for_each_match (h, &n->by_name, name_hash(parent, name)) {
		struct node_full *f = container_of(h, struct node_full, by_name);

		if (f->node.parent == parent && !strcmp(f->node.name, name))
			return f;
	}
	return NULL;
}

static struct node_full *node_new(struct nodes *n, struct node *parent, const char *name,
				  const struct child *child)
{
	struct node_full *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->node.name = strdup(name);
	if (!f->node.name || hash_insert(&n->by_id, &f->by_id, hash_u64(n->next_id)) < 0)
		goto fail;
	if (hash_insert(&n->by_name, &f->by_name, name_hash(parent, name)) < 0) {
		hash_remove(&n->by_id, &f->by_id);
		goto fail;
	}
	f->named = true;
	f->node.id = n->next_id++;
	f->node.entry = child->entry;
	f->node.parent = parent;
	full(parent)->n_held++;
	subject_copy(&f->node.subject, &child->subject);
	return f;
fail:
	free(f->node.name);
	free(f);
	return NULL;
}

struct node *nodes_lookup(struct nodes *n, struct node *parent, const char *name,
			  const struct child *child)
{
	struct node_full *f;

	pthread_mutex_lock(&n->lock);
	f = by_name(n, parent, name);
	if (f &&
	    (f->node.entry != child->entry || !subject_same(&f->node.subject, &child->subject))) {
		unname(n, f);
		f = NULL;
	}
	if (!f)
		f = node_new(n, parent, name, child);
	if (f) {
		f->n_lookups++;
		f->n_held++;
	}
	pthread_mutex_unlock(&n->lock);
	return f ? &f->node : NULL;
}

void nodes_forget(struct nodes *n, uint64_t id, uint64_t count)
{
	struct node_full *f, *dead = NULL;

	pthread_mutex_lock(&n->lock);
	f = by_id(n, id);
	if (f && f != &n->root) {
		f->n_lookups -= MIN(count, f->n_lookups);
		dead = reap(n, f);
	}
	pthread_mutex_unlock(&n->lock);
	bury(dead);
}

void nodes_renamed(struct nodes *n, struct node *parent, const char *from, const char *to)
{
	struct node_full *old, *moved;
	char *name = strdup(to);

	pthread_mutex_lock(&n->lock);
	old = by_name(n, parent, to);
	if (old)
		unname(n, old);
	moved = by_name(n, parent, from);
	if (moved) {
		/* The kernel keeps this nodeid for the new name: so must we. */
		unname(n, moved);
		if (name &&
		    hash_insert(&n->by_name, &moved->by_name, name_hash(parent, name)) == 0) {
			free(moved->node.name);
			moved->node.name = name;
			moved->named = true;
			name = NULL;
		}
	}
	pthread_mutex_unlock(&n->lock);
	free(name);
}

static void add_path(const struct node *node, struct str *out)
{
	if (!node->parent)
		return;
	add_path(node->parent, out);
	str_add_char(out, '/');
	str_add(out, node->name);
}

void node_path(struct nodes *n, const struct node *node, struct str *out)
{
	pthread_mutex_lock(&n->lock); /* names change */
	if (node->parent)
		add_path(node, out);
	else
		str_add_char(out, '/');
	pthread_mutex_unlock(&n->lock);
}

unsigned node_depth(const struct node *node)
{
	unsigned depth = 0;

	for (node = node->parent; node && node->parent; node = node->parent)
		depth++;
	return depth;
}

size_t nodes_count(struct nodes *n)
{
	size_t count;

	pthread_mutex_lock(&n->lock);
	count = n->by_id.len;
	pthread_mutex_unlock(&n->lock);
	return count;
}
