/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * sys - the only door into the kernel's BPF and perf.
 *
 * Everything else in bpf/ builds a request and calls one of these. They are a
 * library of their own (bpf-sys) that unit tests replace by tests/fake/sys.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct perf_event_attr;

/**
 * sys_bpf() - bpf(2)
 * @attr: in and out, @size bytes
 *
 * A descriptor that the kernel returns is never 0, 1 or 2 and is close-on-exec.
 *
 * Return: what the kernel returned, or -errno. 524 is turned into -EOPNOTSUPP
 * here, once: it is not a number that may leave the kernel.
 */
int sys_bpf(int cmd, void *attr, size_t size);

/* sys_perf_event_open() - a close-on-exec perf descriptor >= 3, or -errno. */
int sys_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
			unsigned long flags);

/* sys_perf_ioctl() - ioctl(2) on a perf descriptor; 0 or -errno. */
int sys_perf_ioctl(int fd, unsigned long request, unsigned long arg);

/*
 * sys_map_mmap() - mmap(2) of a BPF map (ring buffers, mmapable arrays), MAP_SHARED.
 * Return: 0 and *@ret, or -errno. Undo with munmap(2).
 */
int sys_map_mmap(int map_fd, size_t len, int prot, uint64_t offset, void **ret);
