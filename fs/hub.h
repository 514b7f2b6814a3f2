/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * hub - one ring buffer, many readers.
 *
 * A ring has one consumer position, so this daemon owns it and every reader has a
 * position of its own between that and the producer's. Nothing is queued: readers
 * look at the ring's own memory, each at its own pace, and the consumer position
 * is the smallest of theirs. That gives, without a copy,
 *   - with one reader: back-pressure. What it has not read stays, the BPF side
 *     sees the ring full, nothing that the kernel took is lost;
 *   - with several: a reader that lags more than half the ring behind while
 *     another one wants room is moved forward, and told how many records it lost.
 *
 * Who sees what: a reader starts at the producer's position; at the consumer's,
 * if it is the only one. What was handed to a reader that closes is gone.
 *
 * Waiting: readers that wait are parked requests and poll handles; one poller
 * thread for all hubs watches the rings of those that have any (EPOLLONESHOT). The kernel
 * wakes only when the consumer position has caught up and the producer did not
 * say NO_WAKEUP, so rings with a lagging reader or an unfinished record are also
 * looked at every HUB_FAST_MS, others with waiting readers every HUB_SLOW_MS.
 * Nobody waits: no wake-ups at all.
 */
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/report.h"
#include "base/str.h"
#include "loader/ring.h"

struct fs;
struct hub;
struct hubs;
struct parked;
struct stream;
struct subject;

enum { HUB_FAST_MS = 2, HUB_SLOW_MS = 100 };

/* A read that waits. Owned by whoever holds it: the reader's list, or who took it out. */
struct waiting_read {
	struct waiting_read *next;
	struct stream *stream; /* counted */
	struct parked *parked;
	size_t size;
	uint64_t off;
	uint64_t since_ms; /* monotonic */
	bool interrupted;  /* before it was queued; protected by the hub's lock */
};

/* A reader; part of a stream. */
struct hub_reader {
	struct stream *stream; /* not counted: it leaves before it goes */
	pid_t pid;
	const char *format;
	/* protected by the hub's lock: */
	struct hub_reader *next;
	uint64_t pos;	    /* next record to see */
	uint64_t lost;	    /* records skipped that it has not been told of */
	uint64_t lost_all, delivered;
	bool busy;	    /* looks at the ring from pos on: must not be moved */
	struct waiting_read *waiting;
	struct fuse_pollhandle *ph;
};

struct hubs *hubs_new(struct fs *fs);
/* End all streams: parked reads get 0 bytes, later ones too. */
void hubs_stop(struct hubs *hubs);
void hubs_free(struct hubs *hubs);

/* hubs_map_gone() - the map is unloaded: its streams end when they have read what is there. */
void hubs_map_gone(struct hubs *hubs, uint32_t map_id);

/**
 * hub_join() - a new reader of map @map_id
 * @map_fd: taken on success if this is the first reader, else closed
 * @size:   the ring's
 */
int hub_join(struct hubs *hubs, uint32_t map_id, int map_fd, uint64_t size, struct hub_reader *r,
	     struct report *rp, struct hub **ret);
void hub_leave(struct hub *hub, struct hub_reader *r);
const struct ring *hub_ring(const struct hub *hub);

/* hub_begin() - look at the ring from the returned position on; *@lost records were skipped before it. */
uint64_t hub_begin(struct hub *hub, struct hub_reader *r, uint64_t *lost);
/* hub_end() - @n records were taken, the next is at @pos. Releases what nobody needs. */
void hub_end(struct hub *hub, struct hub_reader *r, uint64_t pos, uint64_t n);

/* Is there something to read for @r (or the end)? */
bool hub_readable(struct hub *hub, struct hub_reader *r);
/* Has the stream ended: the map is gone, or the mount? */
bool hub_ended(struct hub *hub);

enum hub_wait {
	HUB_QUEUED,	 /* @w is the hub's: stream_serve(), or the interrupt, will have it */
	HUB_READABLE,	 /* there is something now; @w is still the caller's */
	HUB_INTERRUPTED, /* the interrupt came first and answers; @w is still the caller's */
};
/* hub_wait() - queue a read until hub_readable(). Its parked request is armed. */
enum hub_wait hub_wait(struct hub *hub, struct hub_reader *r, struct waiting_read *w);
/*
 * The interrupt's side. True: @w was in the list and is the caller's now; false:
 * it was not queued yet, and hub_wait() will say HUB_INTERRUPTED.
 */
bool hub_unwait(struct hub *hub, struct hub_reader *r, struct waiting_read *w);
/* hub_watch() - notify @ph when there is something. Replaces (and destroys) an earlier one. */
void hub_watch(struct hub *hub, struct hub_reader *r, struct fuse_pollhandle *ph);

/* hub_show() - the `ring` file of a ring buffer map. 0 or -errno. */
int hub_show(struct fs *fs, const struct subject *self, struct str *out, struct report *rp);

/* stream.c's side: serve a read that hub_wait() queued and whose claim was won. */
void stream_serve(struct stream *s, fuse_req_t req, size_t size, uint64_t off);
struct stream *stream_ref(struct stream *s);
void stream_unref(struct stream *s);
