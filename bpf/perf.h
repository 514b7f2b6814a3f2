/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* perf - perf events that BPF programs hang on. Descriptors are the caller's to close. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* perf_open_tracepoint() - @id from tracefs. Opened on CPU 0: BPF runs on every CPU anyway. */
int perf_open_tracepoint(uint64_t id);

struct perf_probe {
	const char *path; /* binary */
	uint64_t offset;  /* in the file */
	uint64_t ref_ctr_offset;
	pid_t pid; /* -1: any process */
	bool ret;  /* on return of the function */
};
/*
 * perf_open_uprobe() - an event of the uprobe PMU (4.17).
 * Return: descriptor; -EOPNOTSUPP if the kernel has no such PMU; -EINVAL for a
 * reference counter it cannot have; else perf_event_open(2)'s.
 */
int perf_open_uprobe(const struct perf_probe *probe);

int perf_enable(int fd);
int perf_disable(int fd);
/* perf_set_bpf() - hang a program on the event by ioctl: for kernels before bpf links (5.15). */
int perf_set_bpf(int fd, int prog_fd);

/**
 * tracepoint_id() - the id of @category/@name from tracefs
 *
 * Looks in /sys/kernel/tracing, then /sys/kernel/debug/tracing.
 * Return: 0; -ENOENT no such tracepoint; -ENODEV no tracefs is mounted.
 */
int tracepoint_id(const char *category, const char *name, uint64_t *ret);
