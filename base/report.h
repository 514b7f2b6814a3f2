/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * report - how a failure's sentence travels to whoever can show it.
 *
 * Nothing below main() prints. A function that can fail takes a struct report
 * and returns -errno; the frame that knows most writes one sentence and returns
 * in the same statement, outer frames pass the number on:
 *
 *	if (info.type != BPF_MAP_TYPE_RINGBUF)
 *		return report(rp, -EINVAL, "map '%s' is no ring buffer", info.name);
 *
 * The owner of the report decides where lines go: the filesystem keeps them in
 * the object's log, a test in a buffer. A report belongs to one thread at a time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum report_level {
	REPORT_ERROR, /* the sentence of a failure */
	REPORT_WARN,  /* something was dropped or worked around */
	REPORT_INFO,
	REPORT_DEBUG,
	REPORT_LOG, /* text of the kernel, many lines */
};

enum { REPORT_TEXT_MAX = 768 };

/* Called for each line (no newline at its end) and each kernel log. @text dies on return. */
typedef void report_sink_fn(void *arg, enum report_level level, const char *text, size_t len);

struct report {
	report_sink_fn *sink; /* may be NULL: only the last error is kept */
	void *arg;

	/* The last failure; err is 0 when there was none. */
	int err;
	char text[REPORT_TEXT_MAX];

	/* Where it happened, as far as the frame knew: empty or -1 otherwise. */
	char prog[128];	  /* program that failed */
	int32_t insn;	  /* instruction in it */
	char source[256]; /* source line of that instruction */
};

#define REPORT_INIT(sink_, arg_) { .sink = (sink_), .arg = (arg_), .insn = -1 }

/**
 * report() - write the one sentence of a failure
 * @rp:  may be NULL
 * @err: negative errno
 *
 * The sentence names the thing and says what would help; it has no newline and
 * no final period. A later call replaces an earlier one.
 *
 * Return: @err, so that the caller can return it in the same statement.
 */
int report(struct report *rp, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* report_note() - tell the sink about something that is no failure. @rp may be NULL. */
void report_note(struct report *rp, enum report_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* report_log() - hand a kernel log of @len bytes to the sink. @rp may be NULL. */
void report_log(struct report *rp, const char *text, size_t len);

/* report_clear() - forget the failure: the caller found another way. @rp may be NULL. */
void report_clear(struct report *rp);

/* errno_name() - "ENOENT" for ENOENT or -ENOENT; "E524" style for numbers without a name. Static. */
const char *errno_name(int err);
