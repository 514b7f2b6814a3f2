/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * mark - what this daemon remembers of programs, maps and links by their kernel id.
 *
 * Foreign things are read-only until `echo edit > ctl`, and a foreign ring is not
 * consumed until `echo steal > ctl`: that is said once for an id and forgotten
 * with it (ids that have gone are swept out whenever a mark is made). Pins that were
 * made here are remembered, so that `unpin` needs no path. Each function takes fs->lock.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/report.h"
#include "bpf/kobj.h"

struct call;
struct fs;
struct subject;

enum mark { MARK_EDIT = 1 << 0, MARK_STEAL = 1 << 1 };

/* 0 or -ENOMEM. Asks the kernel which marked ids still live: for workers. */
int mark_set(struct fs *fs, enum kobj_kind kind, uint32_t id, enum mark mark);
bool mark_has(struct fs *fs, enum kobj_kind kind, uint32_t id, enum mark mark);

/* What was written to record_type of a foreign ring; @text is copied, NULL or "" forgets. 0 or -ENOMEM. */
int mark_set_record_type(struct fs *fs, uint32_t map_id, const char *text);
/* malloc'ed, NULL if nothing was written. */
char *mark_record_type(struct fs *fs, uint32_t map_id);

int mark_add_pin(struct fs *fs, enum kobj_kind kind, uint32_t id, const char *path);
/* Take the last pin (or @path) out of the memory: malloc'ed, NULL if there is none. */
char *mark_take_pin(struct fs *fs, enum kobj_kind kind, uint32_t id, const char *path);

/* For the end of the mount. */
void marks_free(struct fs *fs);

/* mark_check_edit() - 0 if c->self may be changed; -EPERM with a sentence that says how. */
int mark_check_edit(struct call *c, const char *what);
/* The verbs `edit` and `steal`. */
int mark_run(struct call *c, enum mark mark);
