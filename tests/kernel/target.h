/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* target - a program to put uprobes on, compiled and started by the test. */
#include <stdint.h>
#include <sys/types.h>

#include "tests/kernel/attach_util.h"

/* A directory of the test's own, and the program in it; both go with the test. */
extern char dir[], binary[64];

/* Compile it. The rest of the test runs in a child process, so that all is removed also on failure. */
void make_target(void);
/* Where a symbol of the program lies in its file. */
uint64_t file_offset(const char *symbol);

struct target {
	pid_t pid;
	int in, out;
};

struct target target_start(const char *path);
/*
 * Have it do something; the answer says that it is done. 'a', '2' and 'b' call alpha(),
 * alpha_two() and beta(), 't' calls alpha() in a thread, 's' answers with the semaphore's digit.
 */
char target_do(const struct target *t, char command);
void target_stop(struct target *t);

/* A program that counts, and keeps its cookie, for probes of @attach_type. */
struct counter probe(uint32_t attach_type);
