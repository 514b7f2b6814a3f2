/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * worker - threads for what may take its time: loading, attaching, detaching.
 *
 * A strand is a queue whose jobs run one after the other, in order; jobs of
 * different strands run at the same time. Each instance has a strand, so two
 * writes to one object cannot meet, and ten seconds in the verifier delay nobody
 * else: there are as many threads as strands with work, up to WORKER_MAX_THREADS.
 */
#include <pthread.h>
#include <stdbool.h>

enum { WORKER_MAX_THREADS = 128, WORKER_IDLE_S = 5 };

struct worker_pool;

/* Protected by the pool's lock. */
struct strand {
	struct job *first, **last;
	bool running;
	struct strand *next_ready;
};

struct job {
	void (*run)(struct job *job);
	/* Frees the job and what it holds. Called when the pool has let go of the strand. */
	void (*release)(struct job *job);
	/* the pool's: */
	struct job *next;
	struct strand own; /* of a job without a strand */
};

struct worker_pool *worker_pool_new(void);
/* Waits up to @timeout_ms for running jobs; false if some still run (the pool is then left alone). */
bool worker_pool_stop(struct worker_pool *pool, int timeout_ms);
void worker_pool_free(struct worker_pool *pool);

/* A strand must live until its last job's release(). */
void strand_init(struct strand *s);

/**
 * worker_submit() - run a job
 * @strand: NULL: independent of all others
 *
 * Return: 0; -EAGAIN if no thread can be made (job untouched); -ENOMEM; -ESHUTDOWN.
 */
int worker_submit(struct worker_pool *pool, struct strand *strand, struct job *job);
