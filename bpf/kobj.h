/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* kobj - what every BPF object in the kernel has: an id, information, pins. */
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

enum kobj_kind { KOBJ_PROG, KOBJ_MAP, KOBJ_LINK, KOBJ_BTF };

/**
 * kobj_next_id() - the smallest id above @id of one kind
 *
 * Start with 0. Return: 0; -ENOENT after the last; -EPERM without CAP_SYS_ADMIN.
 */
int kobj_next_id(enum kobj_kind kind, uint32_t id, uint32_t *ret);

/* kobj_fd_by_id() - a descriptor that the caller closes; -ENOENT when the id is gone. */
int kobj_fd_by_id(enum kobj_kind kind, uint32_t id);
/* As kobj_fd_by_id() for a map, with BPF_F_RDONLY: for maps frozen towards user space. */
int kobj_map_fd_by_id_rdonly(uint32_t id);

/**
 * kobj_info() - BPF_OBJ_GET_INFO_BY_FD
 * @info: zeroed by the caller but for buffers that the kernel should fill; at
 *        most @len bytes are written, less by an older kernel
 */
int kobj_info(int fd, void *info, size_t len);

/* kobj_pin() - make @path (in a bpffs) a name of @fd. -EEXIST, -EPERM for a '.' in it, … */
int kobj_pin(int fd, const char *path);
/* kobj_get() - a descriptor of the pinned object at @path; the caller closes it. */
int kobj_get(const char *path);

/*
 * kobj_fdinfo() - one number of /proc/self/fdinfo/@fd ("memlock", "frozen", …)
 * Return: 0; -ENOENT if there is no such key; -EINVAL if its value is no number;
 * -EBADF if @fd is not open.
 */
int kobj_fdinfo(int fd, const char *key, uint64_t *ret);

/*
 * kobj_name() - the name that the kernel gets for @name
 *
 * Cut to 15 characters; what a name may not have becomes '_'; the rest is zero
 * (equal names are equal bytes). @name NULL: all zero, which is no name.
 */
void kobj_name(char ret[BPF_OBJ_NAME_LEN], const char *name);
