/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* attach_btf - what programs that hang on the kernel's functions and types must name when loaded.
 */
#include <stdint.h>

#include "base/report.h"

struct kernel_btf;

/**
 * attach_btf_find() - the BTF id of a function, tracepoint, hook or iterator
 * @prog:        the program's name, for the sentence
 * @attach_type: decides what @target names: BPF_TRACE_RAW_TP a tracepoint,
 *               BPF_LSM_MAC and _CGROUP a hook, BPF_TRACE_ITER an iterator, else a function
 * @target:      "vfs_read", or "module:function" to look in one module only
 * @ret_fd:      the module's BTF, which the caller closes; -1: it is vmlinux's
 *
 * Looks in vmlinux, then in modules.
 *
 * Return: 0; -ENOENT with a sentence; what kernel_btf_get() said; -ENOMEM.
 */
int attach_btf_find(struct kernel_btf *kb, const char *prog, uint32_t attach_type,
		    const char *target, struct report *rp, uint32_t *ret_id, int *ret_fd);
