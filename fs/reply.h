/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * reply - the one way an error leaves the filesystem.
 *
 * A FUSE reply whose errno is above 511 is thrown away by the kernel and its
 * caller hangs, unkillably, until the daemon dies; ENOSYS switches an operation
 * off for the life of the mount. So every error goes through here.
 */
#include <errno.h>
#include <fuse_lowlevel.h>

/* A number that may be sent: 1..511, never ENOSYS. @err of either sign, not 0. */
static inline int reply_errno(int err)
{
	if (err < 0)
		err = -err;
	if (err == 524 || err == ENOSYS) /* ENOTSUPP inside the kernel */
		return EOPNOTSUPP;
	return err > 0 && err < 512 ? err : EIO;
}

static inline void reply_err(fuse_req_t req, int err)
{
	fuse_reply_err(req, reply_errno(err));
}
