/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* root_path - open a path as a process with another root directory would. */

/**
 * open_in_root() - open(2), with @root_fd as '/' also for symbolic links on the way
 * @root_fd: -1: our own root
 *
 * Return: a descriptor, or -errno; -EOPNOTSUPP with a @root_fd before Linux 5.6.
 */
int open_in_root(int root_fd, const char *path, int flags);
