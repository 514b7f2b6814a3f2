/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * entry - the tables that the tree is made of.
 *
 * A directory is a struct dir: a table of fixed entries, and functions for names
 * that come and go. lookup, readdir, getattr, open, read and write all walk the
 * same rows, and README lists them. To add a virtual file: one row, and its function.
 *
 *	static const struct entry prog_entries[] = {
 *		{ "type", ENTRY_TEXT, 0644, .show = show_type, .store = store_type,
 *		  .help = "program type; may be written before load" },
 *		…
 *		{}
 *	};
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/report.h"
#include "base/str.h"
#include "fs/subject.h"

struct dir;
struct entry;
struct fs;

/* Everything that a function of a row gets to know. Valid during the call. */
struct call {
	struct fs *fs;
	const struct subject *self; /* what the file is about */
	const struct entry *entry;
	struct report *rp; /* where the sentence of a failure goes */
	pid_t pid;	   /* of the caller; 0 if unknown */
	unsigned depth;	   /* directories between the root and the one this file is in: for symlinks */
	/*
	 * Set when the caller was interrupted while the call runs on a worker: what
	 * was made should be undone, for nobody will hear of it. May be NULL.
	 */
	const bool *abandoned;
};

/* Rendered piece by piece: memory stays bounded however large the whole. */
struct cursor_ops {
	/* 0 and *@ret_state, or -errno with a sentence. */
	int (*open)(struct call *c, void **ret_state);
	/* Add at least one more piece, stop at about @want bytes. 1: there is more; 0: that was all; -errno. */
	int (*fill)(void *state, struct str *out, size_t want, struct report *rp);
	void (*close)(void *state);
};

enum stream_format { STREAM_TEXT, STREAM_JSON, STREAM_RAW, STREAM_FRAMES };

enum entry_type {
	ENTRY_DIR,
	ENTRY_SYMLINK, /* .show gives the target */
	ENTRY_TEXT,    /* snapshot: rendered at open, sliced by offset; .store takes lines */
	ENTRY_CURSOR,
	ENTRY_STREAM,
	ENTRY_IMAGE, /* an ELF image: upload.h */
};

struct entry {
	const char *name; /* NULL ends a table; "" in rows that stand for changing names */
	enum entry_type type;
	mode_t mode; /* permission bits; a row that can be written has 0200 */
	const struct dir *dir;
	/*
	 * Add the contents. 0 or -errno (with a sentence). Runs on a FUSE loop thread:
	 * may call bpf(2), must not wait for anybody.
	 */
	int (*show)(struct call *c, struct str *out);
	/*
	 * Take one line, without its newline, NUL-terminated. 0 or -errno with a
	 * sentence. Runs on a worker, one at a time for each instance; may block.
	 */
	int (*store)(struct call *c, const char *line);
	const struct cursor_ops *cursor;
	enum stream_format format; /* ENTRY_STREAM */
	/* Is the file there for this subject? NULL: always. Must be cheap: memory only, may take fs->lock. */
	bool (*present)(struct fs *fs, const struct subject *self);
	uint32_t arg; /* for rows that share a function */
	const char *help; /* for README: one phrase */
};

/* What a name in a directory turned out to be. */
struct child {
	const struct entry *entry;
	struct subject subject; /* the receiver owns its references */
};

/* Names for readdir. @type: S_IFDIR, S_IFREG or S_IFLNK. */
struct listing;
void listing_add(struct listing *l, const char *name, mode_t type);

struct dir {
	const struct entry *entries; /* may be NULL */
	/* A name that is not in the table. 0 and *@ret, -ENOENT, -errno. */
	int (*find)(struct call *c, const char *name, struct child *ret);
	int (*list)(struct call *c, struct listing *l);
	/* On a worker; each 0 or -errno with a sentence. NULL: -EPERM. */
	int (*mkdir)(struct call *c, const char *name);
	int (*rmdir)(struct call *c, const char *name);
	/* On a loop thread: short. */
	int (*create)(struct call *c, const char *name, struct child *ret);
	int (*rename)(struct call *c, const char *from, const char *to);
	int (*unlink)(struct call *c, const char *name); /* on a worker */
	bool hidden; /* readdir shows nothing, names are found all the same */
};

/* The tree's tables, one file each: root.c, objects.c, progs.c, … */
extern const struct dir root_dir, upload_dir_load, upload_dir_run, objects_dir, object_dir, object_options_dir,
	object_options_dir, progs_dir,
	prog_dir, maps_dir, map_dir, links_dir, link_dir, live_dir, instance_progs_dir,
	instance_maps_dir, instance_links_dir, prog_maps_dir, prog_links_dir, map_stream_dir;
/* Rows that stand for one program, map, link, object, image, whatever its name. */
extern const struct entry prog_entry, map_entry, link_entry, object_entry, upload_entry;

/* decimal id without sign, blanks or leading zero; 0 if @name is none. */
uint32_t entry_id(const char *name);
/*
 * Text helpers for rows that show one value: add it with its newline.
 */
void show_line(struct str *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
