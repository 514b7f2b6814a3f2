/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* rows - what the rows of programs, maps and links share: functions for tables, and settings. */
#include "fs/entry.h"

struct object;

/* present: only for what this daemon loaded. */
bool row_is_ours(struct fs *fs, const struct subject *self);

int row_show_id(struct call *c, struct str *out);   /* 0 for ours that is not loaded */
int row_show_pids(struct call *c, struct str *out); /* "PID COMM" a line */
/* Symlinks. */
int row_show_object(struct call *c, struct str *out); /* to objects/NAME */
int row_show_thing(struct call *c, struct str *out);  /* to progs/ID, maps/ID, links/ID: c->self itself */
/* @target is relative to the root. */
void row_add_target(const struct call *c, const char *target, struct str *out);

/* What an object of ours says of itself; NULL before it was opened. Immutable. Takes fs->lock. */
const struct object *row_object(struct fs *fs, const struct instance *inst);
/* Can @name be a file's? Names of objects come from ELF files. */
bool row_name_fits(const char *name);
/* List the ids of all programs, maps or links as directories. */
int row_list_ids(struct call *c, struct listing *l, enum subject_kind kind);
/* The directory of a name that is an id. -ENOENT if it is none, or nothing has it. */
int row_find_id(struct call *c, const char *name, enum subject_kind kind, const struct entry *entry,
		struct child *ret);

/*
 * A setting is a value of the load configuration: written while the object is
 * open, read at any time.
 *
 *	r = setting_begin(c);		-EPERM not ours, -EBUSY loaded (or not open), -ESTALE
 *	if (r < 0)
 *		return r;
 *	cfg(c)->log_level = value;	fs->lock is held
 *	setting_end(c);
 */
int setting_begin(struct call *c);
void setting_end(struct call *c);
/* Numbers as people write them. -EINVAL, -ERANGE with a sentence that names c->entry. */
int setting_u32(struct call *c, const char *line, uint32_t *ret);
int setting_u64(struct call *c, const char *line, uint64_t *ret);
int setting_bool(struct call *c, const char *line, bool *ret);
