/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/park.h"

#include <sched.h>
#include <stdlib.h>

#include "fs/reply.h"

struct parked {
	fuse_req_t req;
	parked_interrupted_fn *interrupted;
	void *arg;
	int claimed; /* atomic: 0 nobody, 1 somebody answers */
	int refs;    /* atomic: the owner's and the interrupt's */
	int undone;  /* atomic: interrupted() has returned */
	bool mine;   /* the owner's park_claim() won; the owner's to read */
};

static void parked_put(struct parked *p, int n)
{
	if (__atomic_sub_fetch(&p->refs, n, __ATOMIC_ACQ_REL) == 0)
		free(p);
}

static bool claim(struct parked *p)
{
	return !__atomic_exchange_n(&p->claimed, 1, __ATOMIC_ACQ_REL);
}

/* libfuse holds a reference and a lock of the request around this, so answering it here is fine. */
static void on_interrupt(fuse_req_t req, void *arg)
{
	struct parked *p = arg;

	if (!claim(p))
		return;
	p->interrupted(p->arg);
	__atomic_store_n(&p->undone, 1, __ATOMIC_RELEASE);
	reply_err(req, EINTR);
	parked_put(p, 1);
}

struct parked *park(fuse_req_t req, parked_interrupted_fn *interrupted, void *arg)
{
	struct parked *p = calloc(1, sizeof(*p));

	if (p)
		*p = (struct parked){
			.req = req, .interrupted = interrupted, .arg = arg, .refs = 2
		};
	return p;
}

void park_arm(struct parked *p)
{
	fuse_req_interrupt_func(p->req, on_interrupt, p);
}

bool park_claim(struct parked *p)
{
	return p->mine = claim(p);
}

void park_abandon(struct parked *p)
{
	parked_put(p, 1);
}

fuse_req_t park_leave(struct parked *p)
{
	fuse_req_t req = NULL;

	if (p->mine) {
		req = p->req;
		/* Returns only when no callback is running; after it none can come. */
		fuse_req_interrupt_func(req, NULL, NULL);
		parked_put(p, 2);
	} else {
		/* interrupted() is a few instructions and a hub's lock; what it uses may go after
		 * this. */
		while (!__atomic_load_n(&p->undone, __ATOMIC_ACQUIRE))
			sched_yield();
		parked_put(p, 1);
	}
	return req;
}
