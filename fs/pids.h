/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * pids - which processes hold a program, map or link: what /proc says of open descriptors.
 *
 * Only descriptors whose link text says that they are BPF are looked into, so no
 * file is opened and no file system asked. What this daemon opens to look at
 * things is left out; what it holds because it loaded it is its own.
 * A pin, an attachment in the kernel or a netlink hook is no process.
 */
#include <sys/types.h>

#include "base/vec.h"
#include "bpf/kobj.h"

struct fs;

struct holder {
	enum kobj_kind kind;
	uint32_t id;
	pid_t pid;
	char comm[16];
};

/* By kind, id and pid, each once. */
struct holders {
	VEC(struct holder) list;
};

/* holders_scan() - everybody who holds @id; 0: everything. 0 or -ENOMEM; what cannot be read is left out. */
int holders_scan(struct fs *fs, enum kobj_kind kind, uint32_t id, struct holders *ret);
void holders_deinit(struct holders *h);
/* The first of *@ret_n holders of one thing; NULL if there are none. */
const struct holder *holders_find(const struct holders *h, enum kobj_kind kind, uint32_t id,
				  size_t *ret_n);
