/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * stream - a reader of a ring: one open of stream/text, json, raw or frames.
 *
 * A read returns as soon as one whole record is there, with as many whole records
 * as fit. Records are formatted, or copied once without their headers, into the
 * open's window (window.h), which is also the replay window and the rest of a
 * record that was larger than the read. The ring's room is released before the
 * reply. A read that finds nothing is parked: no thread, no buffer.
 */
#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "base/report.h"
#include "fs/entry.h"

struct fs;
struct stream;

/**
 * stream_open() - begin to read a map's records
 *
 * Every record from now on is seen; also what was waiting, if nobody else reads.
 *
 * Return: 0; -EBUSY for a ring that is not ours, until `echo steal > ctl`;
 * -EINVAL not a ring; -ESTALE it vanished; else what mapping it said.
 */
int stream_open(struct fs *fs, const struct subject *self, enum stream_format format, pid_t pid,
		struct report *rp, struct stream **ret);
/* stream_read() - answers @req now or when there is something. 0 bytes: the map was unloaded. */
void stream_read(struct stream *s, fuse_req_t req, size_t size, uint64_t off, bool nonblock);
/* stream_poll() - answers @req; takes @ph. */
void stream_poll(struct stream *s, fuse_req_t req, struct fuse_pollhandle *ph);
void stream_close(struct stream *s);
