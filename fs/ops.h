/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* ops - the table that libfuse calls; userdata is the struct fs. */
#include <fuse_lowlevel.h>

struct fs;

extern const struct fuse_lowlevel_ops fs_ops;
/* open_dirs_free() - close the directories that were open when the mount went; no thread runs. */
void open_dirs_free(struct fs *fs);
