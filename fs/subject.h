/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * subject - what a directory or file is about.
 *
 * progs/42/ and objects/exec/progs/handle_exec/ are the same subject met in two
 * places, so the same code serves both and both show the same st_ino. A subject
 * says which program, map or link by kernel id, by our own instance, or both;
 * it holds references, never descriptors: what needs one opens it by id for as long as it
 * renders, so looking prolongs no life.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/report.h"

struct fs;
struct instance;
struct link;
struct upload;

enum subject_kind {
	SUBJECT_NONE, /* the root's own files */
	SUBJECT_OBJECT,
	SUBJECT_PROG,
	SUBJECT_MAP,
	SUBJECT_LINK,
	SUBJECT_UPLOAD,
};

struct subject {
	enum subject_kind kind;
	uint32_t id;	       /* in the kernel when it was found; 0: ours that was not loaded */
	uint32_t type;	       /* foreign ones: the kernel's number, by subject_find(); 0 unknown */
	struct instance *inst; /* ours: whose it is; counted; NULL for foreign ones */
	uint32_t index;	       /* ours: which program or map of the instance */
	struct link *link;     /* ours: counted */
	struct upload *upload; /* counted */
};

void subject_copy(struct subject *to, const struct subject *from);
void subject_deinit(struct subject *s);
bool subject_same(const struct subject *a, const struct subject *b);
/* A number that is the same for the same thing, whatever the place. */
uint64_t subject_hash(const struct subject *s);

/* subject_prog() - program @id, ours if it is one of ours. Takes fs->lock. Does not ask the kernel. */
void subject_prog(struct fs *fs, uint32_t id, struct subject *ret);
void subject_map(struct fs *fs, uint32_t id, struct subject *ret);
void subject_link(struct fs *fs, uint32_t id, struct subject *ret);
/* The same for a link of ours, counted. Under fs->lock. */
void subject_of_link(struct link *l, struct subject *ret);
/*
 * subject_find() - the same, if the kernel has it now: what a look-up of a name needs
 * @kind: SUBJECT_PROG, SUBJECT_MAP or SUBJECT_LINK
 *
 * Return: 0; -ENOENT; -EPERM without the right to look.
 */
int subject_find(struct fs *fs, enum subject_kind kind, uint32_t id, struct subject *ret);

/* Did this daemon make it? Everything else is foreign: read-only until `echo edit > ctl`. */
static inline bool subject_is_ours(const struct subject *s)
{
	return s->inst || s->link;
}
/* "program", "map", "link", …: for sentences. */
const char *subject_kind_name(enum subject_kind kind);
/* "map 'events'" or "map 7": for sentences. */
void subject_describe(struct fs *fs, const struct subject *s, char *ret, size_t size);

/*
 * The kernel id of a program, map or link as it is now; 0 if ours has none yet
 * or no more. Takes fs->lock for ours.
 */
uint32_t subject_id(struct fs *fs, const struct subject *s);

/**
 * subject_open() - a descriptor of the program, map or link; the caller closes it
 *
 * Return: -ENOENT with a sentence for ours that is not loaded; -EOPNOTSUPP for a
 * link of ours that is no bpf link; -ESTALE for one that vanished meanwhile; else
 * what bpf(2) said.
 */
int subject_open(struct fs *fs, const struct subject *s, struct report *rp);
