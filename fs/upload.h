/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * upload - ELF images that are copied in: the files of load/ and run/, and elf.
 *
 * Nobody says "that was all" when a file is copied, and shells lose the errors of
 * close(2); so an image is taken as soon as the write that completes it arrives, and
 * that write fails if the object does. Whole means: the ELF header names a section header table, and
 * every byte up to the end of it and of all sections was written, in whatever order.
 *
 * Each writing open collects an image of its own. Until it is whole and has
 * loaded, the file's old image (and its object, which goes on running) is what
 * everybody else sees.
 */
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/report.h"

struct child;
struct fs;
struct image_file;
struct instance;
struct subject;

enum { UPLOAD_MAX = 64 << 20 };

/* A file of load/ or run/. */
struct upload {
	unsigned refs; /* atomic */
	uint64_t serial;
	bool run; /* attach what SEC() says, too */
	/* protected by fs->lock: */
	char *name;	       /* of the file */
	bool in_table;
	struct blob *image;    /* the last one that was taken; NULL: none yet */
	size_t growing;	       /* bytes of an image that is being written, for stat */
	struct instance *inst; /* counted; NULL: none yet */
};
struct upload *upload_ref(struct upload *u);
void upload_unref(struct upload *u);

/* image_size() - for stat(2): of a file of load/ or run/, or of objects/NAME/elf. */
size_t image_size(struct fs *fs, const struct subject *self);

/**
 * image_file_open() - an open of an image
 * @flags: of open(2); O_TRUNC starts an empty one
 */
int image_file_open(struct fs *fs, const struct subject *self, int flags, struct report *rp,
		    struct image_file **ret);
/* image_file_read() - at most @size bytes where they are; stable until the open is closed or written to. */
size_t image_file_read(struct image_file *f, size_t size, uint64_t off, const void **ret);

/**
 * image_file_write() - [worker] take bytes
 * @abandoned: the writer was interrupted
 *
 * Return: 0; -EFBIG over UPLOAD_MAX; -ENOEXEC as soon as it is clear that this
 * is no ELF file; if these bytes completed the image, what loading it said. A
 * failure sticks to the open until it is truncated.
 */
int image_file_write(struct image_file *f, const void *data, size_t len, uint64_t off, pid_t pid,
		     const bool *abandoned, struct report *rp);
/* Has something been written that no load has decided about? */
bool image_file_dirty(struct image_file *f);
/* The same, or opened for a new image of which nothing has come: image_file_release() has a last word. */
bool image_file_unsettled(struct image_file *f);
int image_file_truncate(struct image_file *f, uint64_t size, struct report *rp);
/*
 * [worker] A descriptor was closed: -ENOEXEC if something was written and it is
 * not whole, counting holes as zeros; what loading said, if this decided it.
 */
int image_file_flush(struct image_file *f, pid_t pid, const bool *abandoned, struct report *rp);
/* [worker] The last descriptor was closed: an image that is still not whole is a failed object now. */
void image_file_release(struct image_file *f, pid_t pid);
void image_file_free(struct image_file *f);

/* Take a file out of load/ or run/ because its object went. Takes fs->lock. */
void uploads_forget_instance(struct fs *fs, struct instance *inst);
