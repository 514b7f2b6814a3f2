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
	window_drop(&s->window);
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

/*
 * Records are 8-byte aligned and padded, and the ring is mapped twice, so a short one can be
 * copied in whole blocks; a call of memcpy() for each costs more than the copy.
 */
enum { COPY_BLOCK = 16, COPY_SHORT = 128 };

static inline void copy_record(char *to, const char *from, uint32_t len)
{
	if (len > COPY_SHORT) {
		memcpy(to, from, len);
		return;
	}
	for (uint32_t i = 0; i < len; i += COPY_BLOCK)
		memcpy(to + i, from + i, COPY_BLOCK);
}

/* Copy payloads back to back: the hot path. Returns the position behind the last. */
static uint64_t fill_raw(struct stream *s, struct str *out, size_t size, uint64_t pos, uint64_t *n)
{
	const struct ring *ring = hub_ring(s->hub);
	uint64_t producer = ring_producer_pos(ring), taken = 0;
	char *to = str_reserve(out, size + COPY_BLOCK);
	struct ring_record rec;
	enum ring_state st;
	size_t len = 0;

	while (to &&
	       ((st = ring_peek(ring, pos, producer, &rec)) == RING_RECORD || st == RING_DISCARD)) {
		if (st == RING_RECORD) {
			/* One larger than the whole read: the window hands it out in pieces. */
			if (len + rec.len > size &&
			    (len || !(to = str_reserve(out, rec.len + COPY_BLOCK))))
				break;
			/* The lines come from the producer's CPU: have the next ones on their way.
			 */
			__builtin_prefetch((const char *)rec.data + 512);
			copy_record(to + len, rec.data, rec.len);
			len += rec.len;
			taken++;
		}
		pos = rec.next;
	}
	out->len = len;
	*n = taken;
	return pos;
}

static uint64_t fill_records(struct stream *s, struct str *out, size_t size, uint64_t pos,
			     uint64_t *n)
{
	const struct ring *ring = hub_ring(s->hub);
	uint64_t producer = ring_producer_pos(ring);
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
	struct str *out = window_turn(&s->window);
	struct ring_record rec;
	uint64_t lost, n = 0, pos;
	bool broken = false;

	if (!out)
		return -ENOMEM;
	pos = hub_begin(s->hub, &s->reader, &lost);
	if (lost && s->records)
		record_add_lost(s->records, lost, out);
	if (out->len < size)
		pos = s->records ? fill_records(s, out, size, pos, &n)
				 : fill_raw(s, out, size, pos, &n);
	if (!out->len)
		broken = ring_peek(hub_ring(s->hub), pos, ring_producer_pos(hub_ring(s->hub)),
				   &rec) == RING_BROKEN;
	hub_end(s->hub, &s->reader, pos, n);
	if (!out->len && out->failed)
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

/* What a read comes to. */
struct answer {
	int err;		   /* -errno, or 0 and these: */
	struct reply_bytes *bytes; /* counted; NULL: the end */
	const char *at;
	size_t n;
};

/* Under s->lock. False: somebody answers the request later, or already has. */
static bool serve(struct stream *s, fuse_req_t req, size_t size, uint64_t off, bool nonblock,
		  struct answer *ret)
{
	do {
		ret->at = window_at(&s->window, off, size, &ret->n);
		if (!ret->at && off != window_end(&s->window))
			ret->err = -ESPIPE;
		else if (!ret->at)
			ret->err = fill(s, size);
		if (ret->err < 0)
			return true;
		if (!ret->at)
			ret->at = window_at(&s->window, off, size, &ret->n);
		if (ret->at) {
			s->handed = MAX(s->handed, off + ret->n);
			ret->bytes = s->window.bytes;
			__atomic_add_fetch(&ret->bytes->refs, 1, __ATOMIC_RELAXED);
			return true;
		}
		/* A parked reader holds no buffer. */
		window_drop(&s->window);
		if (hub_ended(s->hub))
			return true;
		if (nonblock) {
			ret->err = -EAGAIN;
			return true;
		}
	} while (!wait_for_data(s, req, size, off));
	return false;
}

void stream_read(struct stream *s, fuse_req_t req, size_t size, uint64_t off, bool nonblock)
{
	struct answer answer = {};
	bool mine;

	stream_ref(s); /* once answered, the file may be closed by another thread */
	pthread_mutex_lock(&s->lock);
	mine = serve(s, req, size, off, nonblock, &answer);
	pthread_mutex_unlock(&s->lock);
	/*
	 * Sent without the lock: the reader wakes up and asks for more before we are
	 * back from the reply, and the thread that hears it should not wait for us.
	 */
	if (mine && answer.err < 0)
		reply_err(req, answer.err);
	else if (mine)
		fuse_reply_buf(req, answer.at, answer.bytes ? answer.n : 0);
	reply_bytes_unref(answer.bytes);
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
