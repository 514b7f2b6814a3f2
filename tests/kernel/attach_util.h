/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* attach_util - what the tests of attaching share: a program that counts, and a way to attach it. */
#include <stdbool.h>
#include <stdint.h>

#include "bpf/feature.h"
#include "loader/attach.h"

/* Written by the program each time that it runs. */
struct counts {
	uint64_t hits;
	uint64_t cookie; /* bpf_get_attach_cookie() of the last run, where the type has it */
	uint64_t mark;	 /* the number of the program that ran last */
};

struct counter {
	int map_fd;
	struct attach_prog prog;
};

enum { COUNTER_COOKIE = 1 };

/*
 * A loaded program of @type that counts into a map of its own (or into @share's) and
 * returns @retval. Ends the test if that fails; skips it without the right to load.
 */
struct counter counter_new(uint32_t type, uint32_t attach_type, int retval, unsigned flags,
			   const struct counter *share, uint32_t mark);
void counter_close(struct counter *c);
struct counts counter_read(const struct counter *c);

/* What the attach functions get. Tests may change it. */
extern struct attach_env env;

/* Must work; the caller frees. */
struct attachment *attach_ok(const struct counter *c, const char *spec);
/* Must fail with @err and a sentence that says @part, and leave no descriptor behind. */
void attach_refused(const struct counter *c, const char *spec, int err, const char *part);
/* attach_ok() whose canonical spec is @canonical, and is the same again when it is attached. */
struct attachment *attach_same(const struct counter *c, const char *spec, const char *canonical);

/*
 * Skips the test on a kernel that lacks @id by our own probe; "the kernel lacks " starts the reason of
 * each skip that is the kernel's doing.
 */
void need_feature(enum feature_id id);

/* A line of text in one of a few static buffers. */
const char *fmt(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Is there a link of this id? */
bool link_exists(uint32_t id);
