/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* ops - the table that libfuse calls; userdata is the struct fs. */
#include <fuse_lowlevel.h>

extern const struct fuse_lowlevel_ops fs_ops;
