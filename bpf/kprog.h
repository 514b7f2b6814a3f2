/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* kprog - a program in the kernel: BPF_PROG_* commands: load with the verifier's log, information, binding. */
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct str;

struct kprog_spec {
	uint32_t type, expected_attach_type;
	const char *name; /* cut to 15 characters; NULL for none */
	const struct bpf_insn *insns;
	uint32_t n_insns;
	const char *license; /* never NULL */
	uint32_t kern_version, flags, ifindex;
	int btf_fd; /* 0: none */
	const void *func_info, *line_info;
	uint32_t n_func_info, func_info_size; /* records and bytes each */
	uint32_t n_line_info, line_info_size;
	uint32_t attach_btf_id;
	int attach_prog_fd, attach_btf_obj_fd; /* 0: none; at most one */
	const int *fd_array; /* may have gaps: only what the instructions name is looked at */
	uint32_t n_fd_array; /* 0: none */
	uint32_t log_level; /* 0: only when the load fails */
};

/**
 * kprog_load() - have the kernel verify and load a program
 * @log: gets the verifier's log, whole, replacing what was in it; may be NULL
 *
 * With log_level 0 the first try runs without a log; only a failure is run again
 * at level 1. The log's buffer grows until the log fits (the kernel's ENOSPC for
 * a short buffer is never returned and never hides the real errno: what is
 * returned is the errno of the first try). EAGAIN is tried five times. Records of
 * func_info and line_info that are longer than the kernel knows are cut for it.
 *
 * Return: the program's descriptor, or -errno.
 */
int kprog_load(const struct kprog_spec *spec, struct str *log);

int kprog_info(int fd, struct bpf_prog_info *ret);

/*
 * kprog_map_ids() - the ids of the maps that a program uses
 * @ret: malloc'ed, @ret_n of them. The caller frees.
 */
int kprog_map_ids(int fd, uint32_t **ret, uint32_t *ret_n);

/* kprog_xlated() - the instructions as the verifier left them (malloc'ed); -EPERM if hidden. */
int kprog_xlated(int fd, struct bpf_insn **ret, uint32_t *ret_n);
/* kprog_jited() - the machine code (malloc'ed); -ENOENT if there is none, -EPERM if hidden. */
int kprog_jited(int fd, void **ret, uint32_t *ret_len);

/* kprog_bind_map() - make the program hold the map (5.10). */
int kprog_bind_map(int prog_fd, int map_fd);
