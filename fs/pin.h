/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* pin - the verbs `pin` and `unpin` of programs, maps and links. All on workers. */
#include "fs/entry.h"

/* pin_run() - give c->self the name @path, which is in a bpffs. A foreign thing needs `edit`. */
int pin_run(struct call *c, const char *path);
/*
 * unpin_run() - take the name @path away, if it is c->self's; NULL: the last one that was made here
 *
 * Return: -EINVAL if @path names something else; -ENOENT.
 */
int unpin_run(struct call *c, const char *path);
