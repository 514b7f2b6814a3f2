/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/kmap.h"
#include "fs/fs.h"
#include "fs/hub.h"
#include "fs/maps.h"
#include "fs/park.h"
#include "fs/record.h"
#include "fs/reply.h"
#include "fs/subject.h"
#include "fs/window.h"

struct stream {
	unsigned refs; /* atomic: the open file's, waiting reads */
	struct hub *hub;
	struct hub_reader reader;
	enum stream_format format;
	struct records *records; /* NULL for raw */
	pthread_mutex_t lock;
	/* protected by lock: */
	struct window window;
	uint64_t handed; /* end of what readers have been given */
};

struct stream *stream_ref(struct stream *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void stream_unref(struct stream *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (s->hub)
		hub_leave(s->hub, &s->reader);
	records_free(s->records);
	str_deinit(&s->window.bytes);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void stream_close(struct stream *s)
{
	stream_unref(s);
}

int stream_open(struct fs *fs, const struct subject *self, enum stream_format format, pid_t pid,
		struct report *rp, struct stream **ret)
{
	static const char *const names[] = { "text", "json", "raw", "frames" };
	_cleanup_close_ int fd = subject_open(fs, self, rp);
	struct bpf_map_info info = {};
	struct stream *s;
	int r;

	if (fd < 0)
		return fd;
	r = kmap_info(fd, &info);
	if (r < 0)
		return r;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return report(rp, -EINVAL, "map '%s' is no ring buffer", info.name);
	if (!map_may_consume(fs, self))
		return report(
			rp, -EBUSY,
			"ring '%s' is somebody else's, and reading it would take its records away; "
			"`echo steal > ctl` of the map allows it",
			info.name);
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->format = format;
	s->reader.stream = s;
	s->reader.format = names[format];
	s->reader.pid = pid;
	pthread_mutex_init(&s->lock, NULL);
	if (format != STREAM_RAW)
		r = records_new(fs, self, &info, format, &s->records);
	if (!r)
		r = hub_join(fs->hubs, info.id, fd, info.max_entries, &s->reader, rp, &s->hub);
	if (r < 0) {
		stream_unref(s);
		return r;
	}
	fd = -1; /* the hub's now */
	*ret = s;
	return 0;
}

/* Copy payloads back to back: the hot path. Returns the position behind the last. */
static uint64_t fill_raw(struct stream *s, size_t size, uint64_t pos, uint64_t *n)
{
	const struct ring *ring = hub_ring(s->hub);
	uint64_t producer = ring_producer_pos(ring);
	struct str *out = &s->window.bytes;
	struct ring_record rec;
	enum ring_state st;
	char *to;

	to = str_reserve(out, size);
	while (to &&
	       ((st = ring_peek(ring, pos, producer, &rec)) == RING_RECORD || st == RING_DISCARD)) {
		if (st == RING_RECORD) {
			/* A record larger than the whole read: the window hands it out in pieces.
			 */
			if (out->len + rec.len > size &&
			    (out->len || !(to = str_reserve(out, rec.len))))
				break;
			memcpy(to + out->len, rec.data, rec.len);
			out->len += rec.len;
			++*n;
		}
		pos = rec.next;
	}
	return pos;
}

static uint64_t fill_records(struct stream *s, size_t size, uint64_t pos, uint64_t *n)
{
	const struct ring *ring = hub_ring(s->hub);
	uint64_t producer = ring_producer_pos(ring);
	struct str *out = &s->window.bytes;
	struct ring_record rec;
	enum ring_state st;

	while ((st = ring_peek(ring, pos, producer, &rec)) == RING_RECORD || st == RING_DISCARD) {
		if (st == RING_RECORD) {
			size_t before = out->len;

			record_add(s->records, rec.data, rec.len, out);
			if (out->failed)
				break;
			/* Does not fit behind others: it will be the first of the next read. */
			if (out->len > size && before) {
				str_truncate(out, before);
				break;
			}
			++*n;
		}
		pos = rec.next;
		if (out->len >= size)
			break;
	}
	return pos;
}

/* Under s->lock: refill the window from the ring. -EBADMSG for a ring that someone scribbled in. */
static int fill(struct stream *s, size_t size)
{
	struct ring_record rec;
	uint64_t lost, n = 0, pos = hub_begin(s->hub, &s->reader, &lost);
	bool broken = false;

	s->window.start += s->window.bytes.len;
	str_truncate(&s->window.bytes, 0);
	s->window.bytes.failed = false;
	if (lost && s->records)
		record_add_lost(s->records, lost, &s->window.bytes);
	if (s->window.bytes.len < size || !s->window.bytes.len)
		pos = s->records ? fill_records(s, size, pos, &n) : fill_raw(s, size, pos, &n);
	if (!s->window.bytes.len)
		broken = ring_peek(hub_ring(s->hub), pos, ring_producer_pos(hub_ring(s->hub)),
				   &rec) == RING_BROKEN;
	hub_end(s->hub, &s->reader, pos, n);
	if (!s->window.bytes.len && s->window.bytes.failed)
		return -ENOMEM;
	return broken ? -EBADMSG : 0;
}

static void interrupted(void *arg)
{
	struct waiting_read *w = arg;
	struct stream *s = w->stream;

	if (!hub_unwait(s->hub, &s->reader, w))
		return; /* not queued yet: wait_for_data() still holds it */
	park_abandon(w->parked);
	free(w);
	stream_unref(s); /* not the last: the file is open until this read is answered */
}

/*
 * Under s->lock: wait for something to read. False if there is something now, and
 * @req is still to be answered; true if somebody answers it.
 */
static bool wait_for_data(struct stream *s, fuse_req_t req, size_t size, uint64_t off)
{
	struct waiting_read *w = calloc(1, sizeof(*w));
	bool answered;

	if (!w)
		goto fail;
	*w = (struct waiting_read){ .stream = stream_ref(s), .size = size, .off = off };
	w->parked = park(req, interrupted, w);
	if (!w->parked)
		goto fail;
	park_arm(w->parked);
	if (hub_wait(s->hub, &s->reader, w) == HUB_QUEUED)
		return true;
	/* Either there is data, or an interrupt has answered already. */
	answered = !park_claim(w->parked);
	park_leave(w->parked);
	free(w);
	stream_unref(s);
	return answered;
fail:
	if (w)
		stream_unref(s);
	free(w);
	reply_err(req, ENOMEM);
	return true;
}

/* Under s->lock. True: @req has been answered, or will be. */
static bool serve(struct stream *s, fuse_req_t req, size_t size, uint64_t off, bool nonblock)
{
	const char *at;
	size_t n;
	int r = 0;

	at = window_at(&s->window, off, size, &n);
	if (!at && off != window_end(&s->window))
		r = -ESPIPE;
	else if (!at)
		r = fill(s, size);
	if (r < 0) {
		reply_err(req, r);
		return true;
	}
	if (!at)
		at = window_at(&s->window, off, size, &n);
	if (at) {
		s->handed = MAX(s->handed, off + n);
		fuse_reply_buf(req, at, n);
		return true;
	}
	/* A parked reader holds no buffer. */
	str_deinit(&s->window.bytes);
	if (hub_ended(s->hub) || nonblock) {
		if (hub_ended(s->hub))
			fuse_reply_buf(req, NULL, 0);
		else
			reply_err(req, EAGAIN);
		return true;
	}
	return wait_for_data(s, req, size, off);
}

void stream_read(struct stream *s, fuse_req_t req, size_t size, uint64_t off, bool nonblock)
{
	stream_ref(s); /* once answered, the file may be closed by another thread */
	pthread_mutex_lock(&s->lock);
	while (!serve(s, req, size, off, nonblock))
		;
	pthread_mutex_unlock(&s->lock);
	stream_unref(s);
}

void stream_serve(struct stream *s, fuse_req_t req, size_t size, uint64_t off)
{
	stream_read(s, req, size, off, false);
}

void stream_poll(struct stream *s, fuse_req_t req, struct fuse_pollhandle *ph)
{
	bool readable;

	pthread_mutex_lock(&s->lock);
	readable = window_end(&s->window) > s->handed;
	pthread_mutex_unlock(&s->lock);
	/* Watched before asked: what comes in between is notified. */
	if (ph)
		hub_watch(s->hub, &s->reader, ph);
	readable = readable || hub_readable(s->hub, &s->reader);
	fuse_reply_poll(req, readable ? POLLIN | POLLRDNORM : 0);
}
