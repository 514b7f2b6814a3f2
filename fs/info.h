/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * info - what the kernel tells of a program, map or link, as text and as JSON.
 *
 * One description makes both. The JSON has the fields of `bpftool -j … show` under the
 * same names, in the same order and left out in the same cases; what bpftool does not
 * show is in one object "x" at the end. The text has a line "name: value" for each
 * field of both.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bpf/klink.h"
#include "fs/entry.h"
#include "fs/pids.h"

/* Writer of one description. Names are literals. */
struct info {
	struct str *out;
	bool json;
	bool comma;   /* JSON: the next field needs one before it */
	bool in_item; /* text: fields of an array's element go on one line */
};

void info_u64(struct info *i, const char *name, uint64_t v);
void info_i64(struct info *i, const char *name, int64_t v);
/* In hex in text, a number in JSON. */
void info_hex(struct info *i, const char *name, uint64_t v);
void info_bool(struct info *i, const char *name, bool v);
void info_str(struct info *i, const char *name, const char *v);
/* A word from bpf/names.h, or the number if that is NULL. */
void info_name(struct info *i, const char *name, const char *word, uint32_t number);
void info_ids(struct info *i, const char *name, const uint32_t *ids, size_t n);
/* "name":{ … }: its fields go by their own names in text. */
void info_open(struct info *i, const char *name);
void info_close(struct info *i);
/* "name":[{ … },{ … }]: in text each element is a line "name: field=value …". */
void info_open_list(struct info *i, const char *name);
void info_open_item(struct info *i, const char *name, bool first);
void info_close_item(struct info *i);
void info_close_list(struct info *i);

/*
 * info_thing() - c->self, whatever of the three kinds it is
 * @holders: who holds what; NULL: not told
 *
 * JSON: one object without newline. Ours that is not loaded is described by what the
 * object says. 0 or -errno with a sentence.
 */
int info_thing(struct call *c, bool json, const struct holders *holders, struct str *out);

/* The show functions of `info` and `info.json` (row's arg 0 and 1). */
int info_show(struct call *c, struct str *out);

/* progs/list.json and its like (row's arg: enum subject_kind). */
extern const struct cursor_ops info_list_cursor;

/*
 * info_prog_name() - the name as the source has it: the kernel's, or the function's in the
 * program's BTF where the kernel's was cut. @ret has room for 256.
 */
struct bpf_prog_info;
void info_prog_name(int fd, const struct bpf_prog_info *info, char ret[256]);

/* link_info.c: the fields of a link after its header. */
void info_link_fields(struct info *i, int fd, const struct abi_link_info *info, const char *name);
/* Is it attached to something? False for a link whose device or cgroup went, or that was detached. */
bool info_link_attached(const struct abi_link_info *info);
/*
 * info_link_spec() - the attach spec of a link that is not ours, as far as the kernel tells
 *
 * Return: -EOPNOTSUPP with a sentence for a kind of which it tells too little.
 */
int info_link_spec(int fd, const struct abi_link_info *info, const char *name, struct report *rp,
		   struct str *out);
