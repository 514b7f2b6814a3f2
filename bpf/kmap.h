/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* kmap - a map in the kernel: BPF_MAP_* commands on descriptors. Keys and values are the caller's bytes. */
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

struct kmap_spec {
	uint32_t type, key_size, value_size, max_entries, flags;
	const char *name; /* cut to 15 characters; NULL for none */
	int inner_map_fd; /* 0: none */
	uint32_t numa_node, ifindex;
	int btf_fd; /* 0: none */
	uint32_t btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
	uint64_t extra;
};

/* kmap_create() - the new map's descriptor, or -errno. Characters a name may not have become '_'. */
int kmap_create(const struct kmap_spec *spec);

/* @key may be NULL for maps without keys. @flags: BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK. */
int kmap_lookup(int fd, const void *key, void *value, uint64_t flags);
int kmap_update(int fd, const void *key, const void *value, uint64_t flags);
int kmap_delete(int fd, const void *key);
int kmap_lookup_and_delete(int fd, const void *key, void *value, uint64_t flags);
/* @key NULL: the first. -ENOENT after the last. A @key deleted meanwhile starts over. */
int kmap_next_key(int fd, const void *key, void *next);
int kmap_freeze(int fd);

/**
 * kmap_lookup_batch() - many elements in one call
 * @in:    NULL to start, else what a call before wrote to @out
 * @out:   at least the key's size, and 4 bytes
 * @count: room on entry, number of elements on return (also with -ENOENT)
 *
 * Return: 0; -ENOENT when these were the last; -ENOSPC if one bucket does not
 * fit (@count is too small); -EOPNOTSUPP or -EINVAL if the type has no batches.
 */
int kmap_lookup_batch(int fd, const void *in, void *out, void *keys, void *values,
			 uint32_t *count);

int kmap_info(int fd, struct bpf_map_info *ret);

/* Does the type keep one value a CPU, each rounded up to 8 bytes? */
bool kmap_is_percpu(uint32_t type);
/* Bytes of a value in the system call: for per-CPU types round_up(value_size, 8) * n_cpus. */
uint64_t kmap_value_bytes(uint32_t type, uint32_t value_size, unsigned n_cpus);
/* possible_cpus() - how many CPUs the kernel may ever have (read once), or -errno. */
int possible_cpus(void);
