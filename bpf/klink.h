/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* klink - a link in the kernel: BPF_LINK_*, BPF_RAW_TRACEPOINT_OPEN and BPF_ITER_CREATE. */
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/**
 * klink_create() - BPF_LINK_CREATE
 * @attr: zeroed by the caller, then filled
 * @size: ABI_SIZE() up to the last field that is used
 *
 * Return: the link's descriptor, or -errno.
 */
int klink_create(const struct abi_link_create *attr, size_t size);

/* klink_raw_tracepoint_open() - @cookie 0: not sent, so that kernels before 6.10 take it. */
int klink_raw_tracepoint_open(int prog_fd, const char *name, uint64_t cookie);

int klink_update(int link_fd, int new_prog_fd);
/* klink_detach() - -EOPNOTSUPP for kinds that cannot be forced (perf_event, multi, iter). */
int klink_detach(int link_fd);
int klink_iter_create(int link_fd);

/* Room for the longest name that a link's information may hold. */
struct klink_names {
	char name[4096]; /* tracepoint, function, path or iterator target, NUL-terminated */
};

/**
 * klink_info() - information on a link with its one variable string
 * @ret:   pointer fields inside are addresses in @names or 0
 * @names: may be NULL
 *
 * Arrays of multi links are not fetched: see klink_multi_info().
 */
int klink_info(int fd, struct abi_link_info *ret, struct klink_names *names);

/* The offsets or addresses and cookies of a uprobe.multi or kprobe.multi link, @n each. */
struct klink_multi {
	uint64_t *addrs;   /* kernel addresses, or file offsets */
	uint64_t *cookies; /* NULL where the kernel does not tell (before 6.10) */
	uint64_t *ref_ctr_offsets; /* NULL for kprobe.multi */
	uint32_t n;
};
/* 0; -EINVAL if it is no such link; -EOPNOTSUPP if the kernel does not tell (before 6.6, 6.8). */
int klink_multi_info(int fd, struct klink_multi *ret);
void klink_multi_deinit(struct klink_multi *m);
