/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * state - what BPF is in the kernel: programs, maps, links, dynamic events of tracefs, and a
 * process's descriptors; and what of it a test left behind.
 *
 * Things are lines of text ("prog 12 counter"), so two states are compared line by line. A kernel may be
 * shared with others: what a process holds that is none of ours, and what hangs on that (the program
 * of its link, the maps of its program), is that process's business.
 */
#include <stdio.h>
#include <sys/types.h>

#include "base/vec.h"

struct state {
	VEC(char *) lines; /* sorted */
};

/* state_read() - @pid: also count this process's descriptors by kind; 0: nobody's. 0, -EPERM, -ENOMEM. */
int state_read(pid_t pid, struct state *ret);
void state_deinit(struct state *s);

/* One line each; state_load() takes what state_save() wrote. */
void state_save(const struct state *s, FILE *f);
int state_load(FILE *f, struct state *ret);

/**
 * state_left() - lines of now that are not in @before, and stay
 * @wait_ms: how long they may take to go: the kernel lets go of some things late
 * @build:   programs under this directory are ours
 */
int state_left(const struct state *before, pid_t pid, unsigned wait_ms, const char *build,
	       struct state *ret);
