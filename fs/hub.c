/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "bpf/kmap.h"
#include "fs/fs.h"
#include "fs/park.h"
#include "fs/reply.h"
#include "fs/subject.h"

struct hub {
	struct hubs *hubs;
	uint32_t map_id;
	int fd; /* of the map; -1 while nobody reads */
	struct ring *ring;
	pthread_mutex_t lock;
	/* protected by lock: */
	struct hub_reader *readers;
	unsigned n_readers, n_at_min;
	unsigned n_waiting; /* readers with waiting reads or a poll handle */
	uint64_t released;  /* what the consumer position was set to */
	uint64_t delivered; /* records, by readers that have left */
	uint64_t lost;	    /* likewise */
	bool gone, in_epoll;
	/* protected by hubs->lock: */
	struct hub *next;
	unsigned refs; /* the list's, and one a reader */
};

struct hubs {
	struct fs *fs;
	int epoll, wake;
	pthread_t poller;
	bool poller_runs;
	uint64_t timeout_ms; /* of FUSE requests, halved; 0: none */
	pthread_mutex_t lock;
	struct hub *list;   /* protected by lock */
	unsigned n_waiting; /* atomic: hubs with waiting readers */
	bool stopping;	    /* atomic */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static void wake_poller(struct hubs *hubs)
{
	uint64_t one = 1;

	if (write(hubs->wake, &one, sizeof(one)) < 0) {
		/* The counter is full: the poller will wake all the same. */
	}
}

/*
 * Positions.
 */
static uint64_t min_pos(struct hub *hub)
{
	uint64_t min = UINT64_MAX;

	hub->n_at_min = 0;
	for (struct hub_reader *r = hub->readers; r; r = r->next) {
		if (r->pos < min) {
			min = r->pos;
			hub->n_at_min = 0;
		}
		hub->n_at_min += r->pos == min;
	}
	return min;
}

/* Under the lock: give the kernel the room that nobody needs. */
static void release(struct hub *hub)
{
	if (!hub->readers)
		return;
	hub->released = min_pos(hub);
	ring_release(hub->ring, hub->released);
}

/* Under the lock: move a reader, who may have been the last at the smallest position. */
static void move(struct hub *hub, struct hub_reader *r, uint64_t pos)
{
	bool at_min = r->pos == hub->released;

	if (pos == r->pos)
		return;
	r->pos = pos;
	if (at_min && --hub->n_at_min == 0)
		release(hub);
}

/* Under the lock: step @r over records until @target or behind it, and count them. */
static void skip_to(struct hub *hub, struct hub_reader *r, uint64_t target, uint64_t producer)
{
	uint64_t pos = r->pos;
	struct ring_record rec;

	while (pos < target) {
		enum ring_state st = ring_peek(hub->ring, pos, producer, &rec);

		if (st != RING_RECORD && st != RING_DISCARD)
			break;
		r->lost += st == RING_RECORD;
		r->lost_all += st == RING_RECORD;
		pos = rec.next;
	}
	move(hub, r, pos);
}

/*
 * Under the lock, after @front has read: others may be at most half the ring
 * behind it once the ring is half full, and never lose what nobody has read.
 */
static void push_laggards(struct hub *hub, struct hub_reader *front)
{
	uint64_t producer, half = hub->ring->size / 2, limit;

	if (hub->n_readers < 2)
		return;
	producer = ring_producer_pos(hub->ring);
	if (producer - hub->released <= half)
		return;
	limit = MIN(front->pos, producer - half);
	for (struct hub_reader *r = hub->readers; r; r = r->next)
		if (r != front && !r->busy && r->pos < limit)
			skip_to(hub, r, limit, producer);
}

uint64_t hub_begin(struct hub *hub, struct hub_reader *r, uint64_t *lost)
{
	uint64_t pos;

	pthread_mutex_lock(&hub->lock);
	r->busy = true;
	pos = r->pos;
	*lost = r->lost;
	r->lost = 0;
	pthread_mutex_unlock(&hub->lock);
	return pos;
}

void hub_end(struct hub *hub, struct hub_reader *r, uint64_t pos, uint64_t n)
{
	pthread_mutex_lock(&hub->lock);
	r->busy = false;
	r->delivered += n;
	move(hub, r, pos);
	push_laggards(hub, r);
	pthread_mutex_unlock(&hub->lock);
}

/*
 * Under the lock: what a reader finds at its position. Discarded records are
 * stepped over here, or a ring full of them would look readable for ever.
 */
static enum ring_state look(struct hub *hub, struct hub_reader *r)
{
	uint64_t producer = ring_producer_pos(hub->ring);
	struct ring_record rec;
	enum ring_state st;

	if (r->busy)
		return RING_EMPTY;
	while ((st = ring_peek(hub->ring, r->pos, producer, &rec)) == RING_DISCARD)
		move(hub, r, rec.next);
	return st;
}

static bool ended_locked(struct hub *hub)
{
	return hub->gone || __atomic_load_n(&hub->hubs->stopping, __ATOMIC_ACQUIRE);
}

static bool readable_locked(struct hub *hub, struct hub_reader *r)
{
	enum ring_state st = look(hub, r);

	return st == RING_RECORD || st == RING_BROKEN || r->lost || ended_locked(hub);
}

bool hub_readable(struct hub *hub, struct hub_reader *r)
{
	bool ret;

	pthread_mutex_lock(&hub->lock);
	ret = readable_locked(hub, r);
	pthread_mutex_unlock(&hub->lock);
	return ret;
}

bool hub_ended(struct hub *hub)
{
	bool ret;

	pthread_mutex_lock(&hub->lock);
	ret = ended_locked(hub);
	pthread_mutex_unlock(&hub->lock);
	return ret;
}

const struct ring *hub_ring(const struct hub *hub)
{
	return hub->ring;
}

/*
 * Waiting.
 */
/* Under the lock. Readiness that is there already is reported by the kernel at once. */
static void arm(struct hub *hub)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = hub };

	epoll_ctl(hub->hubs->epoll, hub->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, hub->fd, &ev);
	hub->in_epoll = true;
}

/* Under the lock, around every change of who waits. */
static void count_waiting(struct hub *hub, int by)
{
	unsigned before = hub->n_waiting;

	hub->n_waiting += by;
	if (!before && hub->n_waiting) {
		/* The poller sleeps without a timeout while nobody waits anywhere. */
		if (!__atomic_fetch_add(&hub->hubs->n_waiting, 1, __ATOMIC_ACQ_REL))
			wake_poller(hub->hubs);
	} else if (before && !hub->n_waiting) {
		__atomic_sub_fetch(&hub->hubs->n_waiting, 1, __ATOMIC_ACQ_REL);
	}
}

enum hub_wait hub_wait(struct hub *hub, struct hub_reader *r, struct waiting_read *w)
{
	struct waiting_read **p = &r->waiting;
	enum hub_wait ret = HUB_QUEUED;

	pthread_mutex_lock(&hub->lock);
	if (w->interrupted) {
		ret = HUB_INTERRUPTED;
	} else if (readable_locked(hub, r)) {
		ret = HUB_READABLE;
	} else {
		w->since_ms = now_ms();
		while (*p)
			p = &(*p)->next;
		*p = w;
		count_waiting(hub, 1);
		arm(hub);
	}
	pthread_mutex_unlock(&hub->lock);
	return ret;
}

bool hub_unwait(struct hub *hub, struct hub_reader *r, struct waiting_read *w)
{
	bool found = false;

	pthread_mutex_lock(&hub->lock);
	for (struct waiting_read **p = &r->waiting; *p; p = &(*p)->next) {
		if (*p != w)
			continue;
		*p = w->next;
		count_waiting(hub, -1);
		found = true;
		break;
	}
	w->interrupted = true;
	pthread_mutex_unlock(&hub->lock);
	return found;
}

void hub_watch(struct hub *hub, struct hub_reader *r, struct fuse_pollhandle *ph)
{
	struct fuse_pollhandle *old;

	pthread_mutex_lock(&hub->lock);
	old = r->ph;
	r->ph = ph;
	count_waiting(hub, (ph != NULL) - (old != NULL));
	if (ph)
		arm(hub);
	pthread_mutex_unlock(&hub->lock);
	if (old)
		fuse_pollhandle_destroy(old);
}

/* What a look at a hub decided to do, done without its lock. */
struct wakeups {
	struct waiting_read *reads; /* claims won: to serve */
	struct waiting_read *stale; /* claims won: to answer with EINTR */
	VEC(struct fuse_pollhandle *) handles;
};

/*
 * Under the lock: take out what can be served. True if something must be looked
 * at again soon, because the kernel will not tell.
 */
static bool collect(struct hub *hub, struct wakeups *out)
{
	uint64_t timeout = hub->hubs->timeout_ms, now = timeout ? now_ms() : 0;
	uint64_t producer = ring_producer_pos(hub->ring);
	bool soon = false;

	for (struct hub_reader *r = hub->readers; r; r = r->next) {
		bool readable;

		if (!r->waiting && !r->ph)
			continue;
		readable = readable_locked(hub, r);
		/* Something is there and not finished, or somebody else holds the ring back. */
		if (!readable && (r->pos < producer || hub->released < r->pos))
			soon = true;
		for (struct waiting_read **p = &r->waiting; *p;) {
			struct waiting_read *w = *p;
			bool old = timeout && now - w->since_ms > timeout;

			/* One read at a time: the first may take all that is there. */
			if (!(readable || old) || !park_claim(w->parked)) {
				p = &w->next;
				continue;
			}
			*p = w->next;
			count_waiting(hub, -1);
			w->next = readable ? out->reads : out->stale;
			*(readable ? &out->reads : &out->stale) = w;
			if (!ended_locked(hub))
				break;
		}
		if (readable && r->ph && vec_push(&out->handles, r->ph) == 0) {
			r->ph = NULL;
			count_waiting(hub, -1);
		}
	}
	if (hub->n_waiting && !soon)
		arm(hub);
	return soon;
}

static void act(struct wakeups *out)
{
	struct waiting_read *w, *next;

	for (w = out->reads; w; w = next) {
		fuse_req_t req = park_leave(w->parked);

		next = w->next;
		stream_serve(w->stream, req, w->size, w->off);
		stream_unref(w->stream);
		free(w);
	}
	for (w = out->stale; w; w = next) {
		next = w->next;
		reply_err(park_leave(w->parked), EINTR);
		stream_unref(w->stream);
		free(w);
	}
	vec_for_each (ph, &out->handles) {
		fuse_lowlevel_notify_poll(*ph);
		fuse_pollhandle_destroy(*ph);
	}
	vec_deinit(&out->handles);
}

static bool hub_wake(struct hub *hub)
{
	struct wakeups out = {};
	bool soon = false;

	pthread_mutex_lock(&hub->lock);
	if (hub->n_waiting && hub->ring)
		soon = collect(hub, &out);
	pthread_mutex_unlock(&hub->lock);
	act(&out);
	return soon;
}

/*
 * The list of hubs and the poller.
 */
static void hub_free(struct hub *hub)
{
	ring_free(hub->ring);
	if (hub->fd >= 0)
		close(hub->fd);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

static void hub_unref(struct hub *hub)
{
	struct hubs *hubs = hub->hubs;
	bool last;

	pthread_mutex_lock(&hubs->lock);
	last = !--hub->refs;
	pthread_mutex_unlock(&hubs->lock);
	if (last)
		hub_free(hub);
}

/* Look at all hubs somebody waits on. True if one needs another look soon. */
static bool look_at_all(struct hubs *hubs)
{
	VEC(struct hub *) all = {};
	bool soon = false;

	pthread_mutex_lock(&hubs->lock);
	for (struct hub *hub = hubs->list; hub; hub = hub->next)
		if (vec_push(&all, hub) == 0)
			hub->refs++;
	pthread_mutex_unlock(&hubs->lock);
	vec_for_each (hub, &all) {
		soon |= hub_wake(*hub);
		hub_unref(*hub);
	}
	vec_deinit(&all);
	return soon;
}

static void *poller_main(void *arg)
{
	struct hubs *hubs = arg;
	bool soon = false;

	while (!__atomic_load_n(&hubs->stopping, __ATOMIC_ACQUIRE)) {
		struct epoll_event ev[16];
		bool waiting = __atomic_load_n(&hubs->n_waiting, __ATOMIC_ACQUIRE);
		uint64_t count;
		int n;

		n = epoll_wait(hubs->epoll, ev, ARRAY_SIZE(ev),
			       soon	 ? HUB_FAST_MS
			       : waiting ? HUB_SLOW_MS
					 : -1);
		for (int i = 0; i < n; i++)
			if (!ev[i].data.ptr && read(hubs->wake, &count, sizeof(count)) < 0)
				break; /* nothing there: somebody else's wake-up was merged */
		/*
		 * A hub of an event may be gone by now, so events only say "look"; with a
		 * handful of rings that is as cheap as knowing which.
		 */
		soon = look_at_all(hubs);
	}
	return NULL;
}

/* The kernel aborts the whole connection when a request gets older than this (6.14). */
static uint64_t request_timeout_ms(void)
{
	static const char *const paths[] = { "/proc/sys/fs/fuse/default_request_timeout",
					     "/proc/sys/fs/fuse/max_request_timeout" };
	uint64_t ms = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		FILE *f = fopen(paths[i], "re");
		unsigned long s = 0;

		if (f && fscanf(f, "%lu", &s) == 1 && s && (!ms || s * 500 < ms))
			ms = s * 500; /* answer after half of it */
		if (f)
			fclose(f);
	}
	return ms;
}

struct hubs *hubs_new(struct fs *fs)
{
	struct hubs *hubs = calloc(1, sizeof(*hubs));
	struct epoll_event ev = { .events = EPOLLIN };
	sigset_t all, old;

	if (!hubs)
		return NULL;
	hubs->fs = fs;
	hubs->timeout_ms = request_timeout_ms();
	pthread_mutex_init(&hubs->lock, NULL);
	hubs->epoll = epoll_create1(EPOLL_CLOEXEC);
	hubs->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hubs->epoll < 0 || hubs->wake < 0 ||
	    epoll_ctl(hubs->epoll, EPOLL_CTL_ADD, hubs->wake, &ev) < 0)
		goto fail;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	hubs->poller_runs = !pthread_create(&hubs->poller, NULL, poller_main, hubs);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (hubs->poller_runs)
		return hubs;
fail:
	hubs_free(hubs);
	return NULL;
}

void hubs_stop(struct hubs *hubs)
{
	if (__atomic_exchange_n(&hubs->stopping, true, __ATOMIC_ACQ_REL))
		return;
	wake_poller(hubs);
	if (hubs->poller_runs)
		pthread_join(hubs->poller, NULL);
	hubs->poller_runs = false;
	/* Everything is readable now: at its end. */
	look_at_all(hubs);
}

/* All streams are closed by now. */
void hubs_free(struct hubs *hubs)
{
	if (!hubs)
		return;
	hubs_stop(hubs);
	while (hubs->list) {
		struct hub *hub = hubs->list;

		hubs->list = hub->next;
		hub_free(hub);
	}
	if (hubs->epoll >= 0)
		close(hubs->epoll);
	if (hubs->wake >= 0)
		close(hubs->wake);
	pthread_mutex_destroy(&hubs->lock);
	free(hubs);
}

/* Under hubs->lock. Counted for the caller. */
static struct hub *find_locked(struct hubs *hubs, uint32_t map_id)
{
	for (struct hub *hub = hubs->list; hub; hub = hub->next) {
		if (hub->map_id == map_id) {
			hub->refs++;
			return hub;
		}
	}
	return NULL;
}

static struct hub *hub_get(struct hubs *hubs, uint32_t map_id)
{
	struct hub *hub;

	pthread_mutex_lock(&hubs->lock);
	hub = find_locked(hubs, map_id);
	if (!hub) {
		hub = calloc(1, sizeof(*hub));
		if (hub) {
			hub->hubs = hubs;
			hub->map_id = map_id;
			hub->fd = -1;
			hub->refs = 2; /* the list's and the caller's */
			pthread_mutex_init(&hub->lock, NULL);
			hub->next = hubs->list;
			hubs->list = hub;
		}
	}
	pthread_mutex_unlock(&hubs->lock);
	return hub;
}

void hubs_map_gone(struct hubs *hubs, uint32_t map_id)
{
	struct hub *hub = NULL;

	pthread_mutex_lock(&hubs->lock);
	for (struct hub **p = &hubs->list; *p; p = &(*p)->next) {
		if ((*p)->map_id != map_id)
			continue;
		hub = *p; /* with the list's reference */
		*p = hub->next;
		break;
	}
	pthread_mutex_unlock(&hubs->lock);
	if (!hub)
		return;
	pthread_mutex_lock(&hub->lock);
	hub->gone = true;
	pthread_mutex_unlock(&hub->lock);
	hub_wake(hub);
	hub_unref(hub);
}

int hub_join(struct hubs *hubs, uint32_t map_id, int map_fd, uint64_t size, struct hub_reader *r,
	     struct report *rp, struct hub **ret)
{
	struct hub *hub = hub_get(hubs, map_id);
	int err = 0;

	if (!hub)
		return -ENOMEM;
	pthread_mutex_lock(&hub->lock);
	if (!hub->ring) {
		err = ring_open(map_fd, size, rp, &hub->ring);
		if (err < 0) {
			pthread_mutex_unlock(&hub->lock);
			hub_unref(hub);
			return err;
		}
		hub->fd = map_fd;
		map_fd = -1;
		hub->released = ring_consumer_pos(hub->ring);
		r->pos = hub->released;
	} else {
		r->pos = ring_producer_pos(hub->ring);
	}
	r->next = hub->readers;
	hub->readers = r;
	hub->n_readers++;
	hub->n_at_min += r->pos == hub->released;
	pthread_mutex_unlock(&hub->lock);
	if (map_fd >= 0)
		close(map_fd);
	*ret = hub;
	return 0;
}

void hub_leave(struct hub *hub, struct hub_reader *r)
{
	pthread_mutex_lock(&hub->lock);
	for (struct hub_reader **p = &hub->readers; *p; p = &(*p)->next) {
		if (*p == r) {
			*p = r->next;
			break;
		}
	}
	if (r->ph) {
		fuse_pollhandle_destroy(r->ph);
		r->ph = NULL;
		count_waiting(hub, -1);
	}
	hub->n_readers--;
	hub->delivered += r->delivered;
	hub->lost += r->lost_all;
	if (hub->readers) {
		release(hub);
	} else {
		/* The last one: what it was given is gone, the rest waits for the next. */
		ring_release(hub->ring, r->pos);
		if (hub->in_epoll)
			epoll_ctl(hub->hubs->epoll, EPOLL_CTL_DEL, hub->fd, NULL);
		hub->in_epoll = false;
		ring_free(take_ptr(hub->ring));
		close(take_fd(hub->fd));
		hub->n_at_min = 0;
	}
	pthread_mutex_unlock(&hub->lock);
	hub_unref(hub);
}

/*
 * The ring file.
 */
static void show_ring(const struct ring *ring, struct str *out)
{
	uint64_t producer = ring_producer_pos(ring), consumer = ring_consumer_pos(ring);

	str_printf(out, "size %llu\n", (unsigned long long)ring->size);
	str_printf(out, "avail %llu\n", (unsigned long long)(producer - consumer));
	str_printf(out, "consumer_pos %llu\n", (unsigned long long)consumer);
	str_printf(out, "producer_pos %llu\n", (unsigned long long)producer);
}

static void show_readers(struct hub *hub, struct str *out)
{
	uint64_t delivered = hub->delivered, lost = hub->lost;

	for (struct hub_reader *r = hub->readers; r; r = r->next) {
		delivered += r->delivered;
		lost += r->lost_all;
	}
	str_printf(out, "delivered %llu\nlost %llu\nreaders %u\n", (unsigned long long)delivered,
		   (unsigned long long)lost, hub->n_readers);
	for (struct hub_reader *r = hub->readers; r; r = r->next)
		str_printf(out, "reader pid=%d format=%s delivered=%llu lost=%llu behind=%llu\n",
			   r->pid, r->format, (unsigned long long)r->delivered,
			   (unsigned long long)r->lost_all,
			   (unsigned long long)(ring_producer_pos(hub->ring) - r->pos));
}

int hub_show(struct fs *fs, const struct subject *self, struct str *out, struct report *rp)
{
	_cleanup_close_ int fd = subject_open(fs, self, rp);
	_cleanup_(ring_freep) struct ring *ring = NULL;
	struct bpf_map_info info = {};
	struct hub *hub;
	int r;

	if (fd < 0)
		return fd;
	r = kmap_info(fd, &info);
	if (!r)
		r = ring_open(fd, info.max_entries, rp, &ring);
	if (r < 0)
		return r;
	show_ring(ring, out);
	pthread_mutex_lock(&fs->hubs->lock);
	hub = find_locked(fs->hubs, info.id);
	pthread_mutex_unlock(&fs->hubs->lock);
	if (!hub) {
		str_add(out, "delivered 0\nlost 0\nreaders 0\n");
		return 0;
	}
	pthread_mutex_lock(&hub->lock);
	show_readers(hub, out);
	pthread_mutex_unlock(&hub->lock);
	hub_unref(hub);
	return 0;
}
