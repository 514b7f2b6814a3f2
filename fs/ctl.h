/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * ctl - the files that take verbs: a table of them runs what is written and lists
 * itself when it is read.
 *
 *	static const struct verb verbs[] = {
 *		{ "pin", "PATH", "give it a name in a bpffs", pin_run },
 *		{ "freeze", NULL, "no more changes from user space", freeze_run },
 *		{}
 *	};
 */
#include "fs/entry.h"

struct verb {
	const char *name; /* NULL ends a table */
	const char *args; /* NULL: takes none; "PATH": needs one; "[PATH]": may have one */
	const char *help; /* one phrase */
	/*
	 * @arg: what followed, without blanks around it and decoded as in specs ('…', \xNN); NULL if
	 * nothing did. On a worker. 0 or -errno with a sentence.
	 */
	int (*fn)(struct call *c, const char *arg);
};

/* ctl_run() - the store function of a ctl. An empty line does nothing; -EINVAL for an unknown verb. */
int ctl_run(struct call *c, const struct verb *verbs, const char *line);
/* ctl_show() - its show function: a line for each verb. */
int ctl_show(const struct verb *verbs, struct str *out);
