/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* klog - for kprog and kbtf: repeat a load command until the log that it writes fits. */
#include <stdint.h>

struct str;

/* Where one try writes its log. */
struct klog {
	uint32_t level; /* 0: no log; @buf is NULL and @size 0 then */
	uint32_t size;
	char *buf;
	uint32_t true_size; /* out: how long the log wanted to be with its NUL; 0: not told */
};

/* One try of the command: a descriptor or -errno. */
typedef int klog_try_fn(void *arg, struct klog *log);

/**
 * klog_load() - run @try_load, with a log if asked for or if it fails
 * @level: 0: the first try is without log, a failed one is run again at level 1
 * @text:  gets the last log, replacing what was in it; NULL: never any log
 *
 * Return: a descriptor, or the errno of the first try. -ENOSPC of a log that is
 * too short is never returned: if no buffer is large enough, the answer is that
 * of a try without log and @text has the part of the log that the kernel gave.
 */
int klog_load(klog_try_fn *try_load, void *arg, uint32_t level, struct str *text);
