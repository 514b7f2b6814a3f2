/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * spec_file - a file that a spec names: found, opened once and checked.
 *
 * Everything after works on the descriptor, so that what was checked is what is
 * read and attached. Where the kernel wants a path, there are two: one that leads
 * to the descriptor and therefore cannot lie, for what the kernel resolves and
 * then forgets; and a real one, for what it keeps and shows.
 */
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/report.h"

struct attach_env;

struct spec_file {
	int fd; /* O_RDONLY */
	/* Without symbolic links, as the spec's process sees it: what the canonical spec says. */
	char *path;
	/* The same file for the daemon: /proc/PID/root in front if the process lives elsewhere. */
	char *real_path;
	char fd_path[32]; /* "/proc/self/fd/N" */
};

/**
 * spec_file_open_binary() - a regular file, "/usr/bin/bash" or just "bash"
 * @pid: names are those of this process's mount namespace; -1: ours
 *
 * Return: 0; -ENOENT, with where it looked for a bare name; -EINVAL no regular
 * file; -ESRCH no such process; -ESTALE it vanished meanwhile; what
 * env->check_file said; what open(2) said.
 * Always with a sentence.
 */
int spec_file_open_binary(const struct attach_env *env, const char *name, pid_t pid,
			  struct report *rp, struct spec_file **ret);
/* spec_file_open_dir() - a directory, in our namespace. -ENOTDIR. */
int spec_file_open_dir(const struct attach_env *env, const char *path, struct report *rp,
		       struct spec_file **ret);
/*
 * spec_file_verify() - does real_path still lead to the file that was opened?
 * For what the kernel resolved by real_path: asked afterwards. Return: 0; -ESTALE.
 */
int spec_file_verify(const struct spec_file *f, struct report *rp);
void spec_file_free(struct spec_file *f);
DEFINE_CLEANUP(struct spec_file, spec_file_free)
