/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/dir.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fs.h"
#include "fs/upload.h"

static bool is_present(struct fs *fs, const struct entry *e, const struct subject *self)
{
	return !e->present || e->present(fs, self);
}

int dir_find(struct call *c, const char *name, struct child *ret)
{
	const struct dir *dir = c->entry->dir;

	if (!dir)
		return -ENOTDIR;
	for (const struct entry *e = dir->entries; e && e->name; e++) {
		if (strcmp(e->name, name))
			continue;
		if (!is_present(c->fs, e, c->self))
			return -ENOENT;
		ret->entry = e;
		subject_copy(&ret->subject, c->self);
		return 0;
	}
	return dir->find ? dir->find(c, name, ret) : -ENOENT;
}

void listing_add(struct listing *l, const char *name, mode_t type)
{
	struct listed item = { strdup(name), type };

	if (!item.name || vec_push(&l->names, item) < 0) {
		free(item.name);
		l->failed = true;
	}
}

mode_t entry_file_type(const struct entry *e)
{
	return e->type == ENTRY_DIR ? S_IFDIR : e->type == ENTRY_SYMLINK ? S_IFLNK : S_IFREG;
}

int dir_list(struct call *c, struct listing *l)
{
	const struct dir *dir = c->entry->dir;
	int r = 0;

	if (dir->hidden)
		return 0;
	for (const struct entry *e = dir->entries; e && e->name; e++)
		if (is_present(c->fs, e, c->self) && !(e->dir && e->dir->hidden))
			listing_add(l, e->name, entry_file_type(e));
	if (dir->list)
		r = dir->list(c, l);
	return r < 0 ? r : l->failed ? -ENOMEM : 0;
}

void listing_deinit(struct listing *l)
{
	vec_for_each (item, &l->names)
		free(item->name);
	vec_deinit(&l->names);
}

/*
 * The same thing has the same number wherever it is met and in every mount, so
 * this is a fixed function (FNV-1a) of what the file is about and its row.
 */
static uint64_t entry_ino(const struct entry *e, const struct subject *self)
{
	uint64_t h = 0xcbf29ce484222325u ^ subject_hash(self);

	for (const char *p = e->name; p && *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	/* 0 is no inode number, 1 is the root's. */
	return h < 2 ? h + 2 : h;
}

void entry_stat(struct fs *fs, const struct entry *e, const struct subject *self, struct stat *st)
{
	mode_t mode = fs->opt.mode & 0777;

	memset(st, 0, sizeof(*st));
	st->st_ino = e->dir == &root_dir ? 1 : entry_ino(e, self);
	st->st_nlink = e->type == ENTRY_DIR ? 2 : 1;
	st->st_uid = fs->opt.uid;
	st->st_gid = fs->opt.gid;
	st->st_atim = st->st_mtim = st->st_ctim = fs->start;
	st->st_blksize = 4096;
	if (e->type == ENTRY_SYMLINK)
		st->st_mode = S_IFLNK | 0777;
	else if (e->type == ENTRY_DIR)
		st->st_mode = S_IFDIR | mode;
	else
		/* The row says what can be done at all, the mount's mode says by whom. */
		st->st_mode =
			S_IFREG |
			(mode & 0666 & ((e->mode & 0400 ? 0444 : 0) | (e->mode & 0200 ? 0222 : 0)));
	if (e->type == ENTRY_IMAGE) {
		st->st_size = image_size(fs, self);
		st->st_blocks = (st->st_size + 511) / 512;
	}
}

uint32_t entry_id(const char *name)
{
	uint64_t id = 0;

	if (*name < '1' || *name > '9')
		return 0;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return 0;
		id = id * 10 + (*name - '0');
		if (id > UINT32_MAX)
			return 0;
	}
	return id;
}

void show_line(struct str *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(out, fmt, ap);
	va_end(ap);
	str_add_char(out, '\n');
}
