/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * kernel_btf - the types of the running kernel, read once and shared.
 *
 * The first user waits while it is parsed and indexed; later ones get another
 * reference. When the last user has given its reference back the copy stays for
 * a while, because objects come in groups; kernel_btf_trim() lets go of it.
 * Thread-safe.
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"

struct btf;
struct kernel_btf;

struct kernel_btf *kernel_btf_new(void);
void kernel_btf_free(struct kernel_btf *kb);
DEFINE_CLEANUP(struct kernel_btf, kernel_btf_free)

/**
 * kernel_btf_get() - a reference to vmlinux's types; give it back with btf_unref()
 *
 * Looks at /sys/kernel/btf/vmlinux, then for an ELF vmlinux of this release in
 * /boot, /lib/modules, /usr/lib/modules and /usr/lib/debug.
 *
 * Return: 0; -ENOENT with a sentence when the kernel has no BTF anywhere;
 * what btf_parse_file() said.
 */
int kernel_btf_get(struct kernel_btf *kb, struct report *rp, struct btf **ret);

/* kernel_btf_trim() - drop the shared copy if nobody has used it for @idle_ms. */
void kernel_btf_trim(struct kernel_btf *kb, uint64_t idle_ms);

/* A module's types, split over vmlinux's. */
struct module_btf {
	char name[64];
	uint32_t id; /* BTF object id */
	int fd;	     /* open as long as this is */
	struct btf *btf;
};
/* kernel_btf_modules() - all modules' types; none without CAP_SYS_ADMIN. Free with module_btfs_free(). */
int kernel_btf_modules(struct kernel_btf *kb, struct report *rp, struct module_btf **ret,
		       uint32_t *ret_n);
void module_btfs_free(struct module_btf *mods, uint32_t n);
