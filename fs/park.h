/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * park - a FUSE request that waits, and may be interrupted meanwhile.
 *
 * Two may want to answer a parked request: whoever has the result, and the
 * interrupt. Exactly one wins park_claim() and must then answer.
 *
 * The result's side:			the interrupt's side (libfuse calls it):
 *	if (park_claim(p)) {			if (park_claim(p)) {
 *		req = park_leave(p);			interrupted(arg);
 *		fuse_reply_…(req, …);			fuse_reply_err(req, EINTR);
 *	} else {				}
 *		park_leave(p);
 *	}
 *
 * park_leave() waits for an interrupt callback that is running, so it is called without any
 * lock that interrupted() takes. After it the parked request is gone.
 */
#include <fuse_lowlevel.h>
#include <stdbool.h>

struct parked;

/* Called once, after the interrupt has won: undo the waiting. No reply here; may take a hub's lock. */
typedef void parked_interrupted_fn(void *arg);

/* park() - NULL when out of memory; does not look at interrupts until park_arm(). */
struct parked *park(fuse_req_t req, parked_interrupted_fn *interrupted, void *arg);
/*
 * park_arm() - from now on interrupts are heard; one that came before is heard in this call.
 * Call without locks that interrupted() takes, after everything is in place for it.
 */
void park_arm(struct parked *p);
bool park_claim(struct parked *p);
/* Inside interrupted(), when the result's side will not call park_leave() any more: does it for that side. */
void park_abandon(struct parked *p);
/* The request to answer if park_claim() said so, NULL otherwise. @p is freed. */
fuse_req_t park_leave(struct parked *p);
