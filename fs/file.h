/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * file - open files: what reading, writing and closing one means for its row.
 *
 * Reading: a text file is rendered once, at open (a file open for both, at the first
 * read and again after a write), and sliced by offset, so that a reader never sees
 * two moments mixed. A cursor is rendered as it is read. Streams are stream.h's.
 *
 * Writing: offsets mean nothing, lines do. A write ends its line, newline or not,
 * unless its length is a multiple of 4096 without a newline: then the rest
 * follows, or closing ends it. Lines run on a worker, in order. When a line fails
 * the lines before it count as written: the writer gets a short count, writes the
 * rest again, and has the errno of exactly the bad line.
 *
 * Each function answers its request, now or later. Closing (RELEASE) may come
 * while a line still runs whose writer was interrupted: opens are counted.
 */
#include <fuse_lowlevel.h>

#include "base/report.h"
#include "fs/node.h"

struct fs;
struct open_file;

/**
 * file_open() - 0 and a new open; else -errno with a sentence
 * @node: held; the open takes the hold on success
 */
int file_open(struct fs *fs, struct node *node, int flags, pid_t pid, struct report *rp,
	      struct open_file **ret);
void file_read(fuse_req_t req, struct open_file *f, size_t size, off_t off, bool nonblock);
void file_write(fuse_req_t req, struct open_file *f, const char *data, size_t size, off_t off);
void file_flush(fuse_req_t req, struct open_file *f);
void file_release(fuse_req_t req, struct open_file *f);
/* file_close_unused() - an open that the kernel never heard of. */
void file_close_unused(struct open_file *f);
/* files_free() - close what was open when the mount went: the kernel says nothing any more, and no thread runs. */
void files_free(struct fs *fs);
/* Does closing mean anything: could an error wait for close(2)? */
bool file_wants_flush(const struct open_file *f);
void file_poll(fuse_req_t req, struct open_file *f, struct fuse_pollhandle *ph);
/* file_truncate() - ftruncate(2): nothing for text (never a verb), bytes for images. 0 or -errno. */
int file_truncate(struct open_file *f, uint64_t size, struct report *rp);

/*
 * fs_fail() - a request failed: tell error_log, unless it is no failure (EINTR, EAGAIN, and ENOENT of a
 * look-up). @written may be NULL. Returns @err.
 */
int fs_fail(struct fs *fs, const struct node *node, const char *name, pid_t pid, int err,
	    const char *written, size_t len, const struct report *rp);
