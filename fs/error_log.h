/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* error_log - the last 64 failures, for whoever got only "Invalid argument" from a shell. Thread-safe. */
#include <sys/types.h>

#include "base/str.h"

struct error_log;

struct error_log *error_log_new(void);
void error_log_free(struct error_log *log);

/**
 * error_log_add() - remember one
 * @pid:     who; its command is read from /proc now
 * @path:    in the tree, "/objects/x/attach"
 * @err:     errno, of either sign
 * @written: what was written, @len bytes (cut, one line, quoted); NULL if nothing
 * @text:    the sentence
 */
void error_log_add(struct error_log *log, pid_t pid, const char *path, int err, const char *written,
		   size_t len, const char *text);
/* One block a failure, oldest first. */
void error_log_show(struct error_log *log, struct str *out);
