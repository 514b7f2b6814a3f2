/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live - .live/: files that block, or act when they are read.
 *
 * No directory here lists anything, so that find, grep -r and backups pass it by;
 * the tree has relative symlinks to what is in it, so that cat works.
 */
#include <errno.h>

#include "bpf/abi.h"
#include "fs/entry.h"
#include "fs/maps.h"
#include "fs/subject.h"

static bool is_ring(struct fs *fs, const struct subject *self)
{
	return map_subject_type(fs, self) == BPF_MAP_TYPE_RINGBUF;
}

static const struct entry live_map_entries[] = {
	{ "text", ENTRY_STREAM, 0400, .format = STREAM_TEXT, .present = is_ring },
	{ "json", ENTRY_STREAM, 0400, .format = STREAM_JSON, .present = is_ring },
	{ "raw", ENTRY_STREAM, 0400, .format = STREAM_RAW, .present = is_ring },
	{ "frames", ENTRY_STREAM, 0400, .format = STREAM_FRAMES, .present = is_ring },
	{}
};
static const struct dir live_map_dir = { .entries = live_map_entries, .hidden = true };
static const struct entry live_map_entry = { "", ENTRY_DIR, 0555, .dir = &live_map_dir };

static int find_map(struct call *c, const char *name, struct child *ret)
{
	uint32_t id = entry_id(name);

	if (!id)
		return -ENOENT;
	ret->entry = &live_map_entry;
	return subject_find(c->fs, SUBJECT_MAP, id, &ret->subject);
}

static const struct dir live_maps_dir = { .find = find_map, .hidden = true };
static const struct entry live_entries[] = { { "maps", ENTRY_DIR, 0555, .dir = &live_maps_dir },
					     {} };
const struct dir live_dir = { .entries = live_entries, .hidden = true };
