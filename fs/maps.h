/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* maps - what other parts of the tree want to know of maps and their files. */
#include <stdbool.h>
#include <stdint.h>

#include "fs/entry.h"

/* Did an object of ours make or reuse the map? Takes fs->lock. */
bool map_is_ours(struct fs *fs, uint32_t id);
/* May a foreign ring be consumed: was 'steal' written to its ctl? Takes fs->lock. */
bool map_stolen(struct fs *fs, uint32_t id);
/* May streams of @self consume its ring: it is ours, or was stolen? */
bool map_may_consume(struct fs *fs, const struct subject *self);
/* The map's type as it is now, ours or not; 0 unknown. Takes fs->lock, asks nobody. */
uint32_t map_subject_type(struct fs *fs, const struct subject *self);
/* What was written to record_type; malloc'ed, NULL if nothing. Takes fs->lock. */
char *map_record_type(struct fs *fs, const struct subject *self);

enum map_dump_format { MAP_DUMP_TEXT, MAP_DUMP_JSON, MAP_DUMP_RAW };
/* dump, dump.json, dump.bin (row's arg: enum map_dump_format). */
extern const struct cursor_ops map_dump_cursor;

/* Has a map of this type elements that can be listed? */
bool map_dumpable(uint32_t type);

/* The verb `clear`: delete all elements; zero them where they cannot be deleted. */
int map_clear(struct call *c, const char *arg);
