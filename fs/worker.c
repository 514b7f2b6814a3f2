/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct worker_pool {
	pthread_mutex_t lock;
	pthread_cond_t work, ended;
	/* protected by lock: */
	struct strand *ready, **last_ready; /* strands with jobs that nobody runs */
	unsigned n_ready;		    /* length of that list */
	unsigned n_threads, n_idle;
	bool stopping;
};

struct worker_pool *worker_pool_new(void)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t attr;

	if (!pool)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, &attr);
	pthread_cond_init(&pool->ended, &attr);
	pthread_condattr_destroy(&attr);
	pool->last_ready = &pool->ready;
	return pool;
}

static struct timespec deadline(int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000L;
	}
	return ts;
}

bool worker_pool_stop(struct worker_pool *pool, int timeout_ms)
{
	struct timespec until = deadline(timeout_ms);
	bool all;

	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->work);
	while (pool->n_threads)
		if (pthread_cond_timedwait(&pool->ended, &pool->lock, &until) == ETIMEDOUT)
			break;
	all = !pool->n_threads;
	pthread_mutex_unlock(&pool->lock);
	return all;
}

void worker_pool_free(struct worker_pool *pool)
{
	if (!pool)
		return;
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->ended);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void strand_init(struct strand *s)
{
	*s = (struct strand){};
	s->last = &s->first;
}

/* Under the pool's lock: @s has a job and nobody runs it. */
static void strand_ready(struct worker_pool *pool, struct strand *s)
{
	s->next_ready = NULL;
	*pool->last_ready = s;
	pool->last_ready = &s->next_ready;
	pool->n_ready++;
}

/* Under the lock; gives it back while the job runs. */
static void run_one(struct worker_pool *pool)
{
	struct strand *s = pool->ready;
	struct job *job = s->first;

	pool->ready = s->next_ready;
	if (!pool->ready)
		pool->last_ready = &pool->ready;
	pool->n_ready--;
	s->first = job->next;
	if (!s->first)
		s->last = &s->first;
	pthread_mutex_unlock(&pool->lock);
	job->run(job);
	pthread_mutex_lock(&pool->lock);
	if (s->first)
		strand_ready(pool, s);
	else
		s->running = false;
	/* Last: the job may hold the only reference to what the strand is part of. */
	pthread_mutex_unlock(&pool->lock);
	job->release(job);
	pthread_mutex_lock(&pool->lock);
}

static void *worker_main(void *arg)
{
	struct worker_pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct timespec until = deadline(WORKER_IDLE_S * 1000);
		int r = 0;

		while (!pool->ready && !pool->stopping && r != ETIMEDOUT) {
			pool->n_idle++;
			r = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
			pool->n_idle--;
		}
		/* What is queued is still done when stopping: it may be a detach. */
		if (!pool->ready)
			break;
		run_one(pool);
	}
	pool->n_threads--;
	pthread_cond_broadcast(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Under the lock. Signals are for the main thread: a worker starts with all of them blocked. */
static int start_thread(struct worker_pool *pool)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attr, worker_main, pool);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!r)
		pool->n_threads++;
	return -r;
}

int worker_submit(struct worker_pool *pool, struct strand *strand, struct job *job)
{
	int r = 0;

	pthread_mutex_lock(&pool->lock);
	if (pool->stopping && !pool->n_threads) {
		r = -ESHUTDOWN;
	} else {
		/* Idle threads that have been woken already have their strand in n_ready. */
		if (pool->n_idle <= pool->n_ready && pool->n_threads < WORKER_MAX_THREADS)
			r = start_thread(pool);
		/* Somebody else will come to it as long as there is one thread. */
		if (r < 0 && pool->n_threads)
			r = 0;
	}
	if (!r) {
		if (!strand) {
			strand = &job->own;
			strand_init(strand);
		}
		job->next = NULL;
		*strand->last = job;
		strand->last = &job->next;
		if (!strand->running) {
			strand->running = true;
			strand_ready(pool, strand);
			pthread_cond_signal(&pool->work);
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return r;
}
