/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* dir - walk the tables of entry.h: find a name, list names, tell what stat(2) shows. */
#include <sys/stat.h>

#include "base/vec.h"
#include "fs/entry.h"

struct node;

/**
 * dir_find() - what @name is in a directory
 * @c: c->self and c->entry are the directory's
 *
 * Return: 0 and a subject that the caller must subject_deinit(); -ENOENT; -errno.
 */
int dir_find(struct call *c, const char *name, struct child *ret);

struct listed {
	char *name;
	mode_t type;
};

struct listing {
	VEC(struct listed) names;
	bool failed;
};

/* dir_list() - all names that are there now, without . and .. */
int dir_list(struct call *c, struct listing *l);
void listing_deinit(struct listing *l);

/* st_mode's file type of a row. */
mode_t entry_file_type(const struct entry *e);

/* entry_stat() - attributes of a place without asking the kernel for anything. */
void entry_stat(struct fs *fs, const struct entry *e, const struct subject *self, struct stat *st);
