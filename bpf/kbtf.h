/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* kbtf - BTF in the kernel: BPF_BTF_LOAD, and the bytes of a BTF that the kernel holds. */
#include <stddef.h>
#include <stdint.h>

struct str;

/**
 * kbtf_load() - give the kernel a BTF blob
 * @log_level: 0: only when it fails; clamped to 1
 * @log: as in kprog_load(); may be NULL
 *
 * Return: its descriptor, or -errno of the first try.
 */
int kbtf_load(const void *data, size_t len, uint32_t log_level, struct str *log);

struct kbtf_raw {
	void *data; /* malloc'ed */
	uint32_t len, id;
	char name[64]; /* "vmlinux", a module's name, or "" for a program's BTF */
	int kernel;    /* does it describe the kernel or a module? */
};
/* kbtf_raw() - everything about a BTF descriptor; free with kbtf_raw_deinit(). */
int kbtf_raw(int fd, struct kbtf_raw *ret);
/* kbtf_info() - the same without the bytes (data NULL). */
int kbtf_info(int fd, struct kbtf_raw *ret);
void kbtf_raw_deinit(struct kbtf_raw *raw);
