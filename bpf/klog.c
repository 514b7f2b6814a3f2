/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/klog.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

/*
 * Most logs are short, and a buffer that is too small costs one more run of the
 * verifier, so this is the size above which few logs of level 1 go.
 */
enum { SIZE_FIRST = 64 * 1024 };

static const uint32_t size_max = UINT32_MAX >> 2;
/* Kernels before 5.2 refuse a larger buffer with EINVAL. */
static const uint32_t size_max_old = UINT32_MAX >> 8;

/* Is -ENOSPC about the log? A program may be refused with it, too. */
static bool is_truncated(const struct klog *log)
{
	if (log->true_size)
		return log->true_size > log->size;
	return strnlen(log->buf, log->size) + 1 >= log->size;
}

/* The next size to try; more than told, for the log of another run may differ a little. */
static uint32_t grown_size(const struct klog *log)
{
	uint64_t want = (uint64_t)log->size * 2;

	if (log->true_size > log->size)
		want = (uint64_t)log->true_size + log->true_size / 16;
	return want < size_max ? want : size_max;
}

/* One try with a buffer of @size. False: no memory, and @text keeps what it had. */
static bool try_size(klog_try_fn *try_load, void *arg, struct klog *log, uint32_t size,
		     struct str *text, int *ret)
{
	size_t len = text->len;

	text->len = 0;
	log->buf = str_reserve(text, size);
	if (!log->buf) {
		text->failed = false;
		text->len = len;
		return false;
	}
	log->buf[0] = '\0';
	log->size = size;
	log->true_size = 0;
	*ret = try_load(arg, log);
	text->len = strnlen(log->buf, size - 1);
	log->buf[text->len] = '\0';
	return true;
}

/* Returns whether the result is the kernel's word on the load, and that in *@ret. */
static bool load_with_log(klog_try_fn *try_load, void *arg, uint32_t level, struct str *text,
			  int *ret)
{
	struct klog log = { .level = level };
	uint32_t size = SIZE_FIRST;

	while (try_size(try_load, arg, &log, size, text, ret)) {
		if (*ret == -EINVAL && size > size_max_old && !text->len) {
			try_size(try_load, arg, &log, size_max_old, text, ret);
			return false;
		}
		if (*ret != -ENOSPC || !is_truncated(&log))
			return true;
		if (size == size_max)
			return false;
		size = grown_size(&log);
	}
	return false;
}

int klog_load(klog_try_fn *try_load, void *arg, uint32_t level, struct str *text)
{
	struct klog none = {};
	int first = 0, r;

	if (text) {
		if (text->failed)
			str_deinit(text);
		str_truncate(text, 0);
	}
	if (!level || !text) {
		first = try_load(arg, &none);
		if (first >= 0 || !text)
			return first;
		level = 1;
	}
	if (!load_with_log(try_load, arg, level, text, &r))
		return first ? first : try_load(arg, &none);
	/* A second try may succeed: the first ran out of something for a moment. */
	return r >= 0 || !first ? r : first;
}
