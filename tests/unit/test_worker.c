/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "fs/worker.h"
#include "tests/unit/test.h"

/* What the jobs of a test share. */
struct board {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	int order[256], n_run, n_released, n_now, max_now;
	bool gate; /* jobs with waits wait until it opens */
};

struct test_job {
	struct job job;
	struct board *board;
	int number;
	bool waits;
};

static struct board new_board(void)
{
	return (struct board){ .lock = PTHREAD_MUTEX_INITIALIZER,
			       .cond = PTHREAD_COND_INITIALIZER };
}

static void run(struct job *j)
{
	struct test_job *job = container_of(j, struct test_job, job);
	struct board *b = job->board;

	pthread_mutex_lock(&b->lock);
	if (++b->n_now > b->max_now)
		b->max_now = b->n_now;
	while (job->waits && !b->gate)
		pthread_cond_wait(&b->cond, &b->lock);
	b->order[b->n_run++] = job->number;
	b->n_now--;
	pthread_cond_broadcast(&b->cond);
	pthread_mutex_unlock(&b->lock);
}

static void release(struct job *j)
{
	struct test_job *job = container_of(j, struct test_job, job);
	struct board *b = job->board;

	free(job);
	pthread_mutex_lock(&b->lock);
	b->n_released++;
	pthread_cond_broadcast(&b->cond);
	pthread_mutex_unlock(&b->lock);
}

static void submit(struct worker_pool *pool, struct strand *s, struct board *b, int number,
		   bool waits)
{
	struct test_job *job = calloc(1, sizeof(*job));

	*job = (struct test_job){ { .run = run, .release = release }, b, number, waits };
	CHECK_EQ(worker_submit(pool, s, &job->job), 0);
}

static void wait_released(struct board *b, int n)
{
	pthread_mutex_lock(&b->lock);
	while (b->n_released < n)
		pthread_cond_wait(&b->cond, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static void open_gate(struct board *b)
{
	pthread_mutex_lock(&b->lock);
	b->gate = true;
	pthread_cond_broadcast(&b->cond);
	pthread_mutex_unlock(&b->lock);
}

TEST(jobs_of_a_strand_run_in_order_one_at_a_time)
{
	struct worker_pool *pool = worker_pool_new();
	struct board b = new_board();
	struct strand s;

	strand_init(&s);
	for (int i = 0; i < 200; i++)
		submit(pool, &s, &b, i, false);
	wait_released(&b, 200);
	for (int i = 0; i < 200; i++)
		CHECK_EQ(b.order[i], i);
	CHECK_EQ(b.max_now, 1);
	CHECK(worker_pool_stop(pool, 1000));
	worker_pool_free(pool);
}

TEST(a_strand_that_waits_delays_no_other)
{
	struct worker_pool *pool = worker_pool_new();
	struct board b = new_board();
	struct strand s[20], other;

	for (int i = 0; i < 20; i++) {
		strand_init(&s[i]);
		submit(pool, &s[i], &b, i, true);
	}
	strand_init(&other);
	submit(pool, &other, &b, 100, false);
	submit(pool, NULL, &b, 101, false);
	wait_released(&b, 2);
	CHECK(b.order[0] >= 100 && b.order[1] >= 100);
	open_gate(&b);
	wait_released(&b, 22);
	CHECK(worker_pool_stop(pool, 1000));
	worker_pool_free(pool);
}

TEST(stopping_does_what_is_queued)
{
	struct worker_pool *pool = worker_pool_new();
	struct board b = new_board();
	struct strand s;

	strand_init(&s);
	submit(pool, &s, &b, 0, true);
	for (int i = 1; i < 5; i++)
		submit(pool, &s, &b, i, false);
	open_gate(&b);
	CHECK(worker_pool_stop(pool, 5000));
	CHECK_EQ(b.n_run, 5);
	worker_pool_free(pool);
}

TEST(stopping_gives_up_on_a_job_that_does_not_end)
{
	struct worker_pool *pool = worker_pool_new();
	struct board b = new_board();

	submit(pool, NULL, &b, 0, true);
	CHECK(!worker_pool_stop(pool, 50));
	open_gate(&b);
	wait_released(&b, 1);
	CHECK(worker_pool_stop(pool, 1000));
	worker_pool_free(pool);
}

struct counted_strand {
	struct strand strand;
	struct job job;
	bool *freed;
};

static void nothing(struct job *j)
{
	(void)j;
}

static void free_strand(struct job *j)
{
	struct counted_strand *c = container_of(j, struct counted_strand, job);

	*c->freed = true;
	free(c);
}

TEST(the_last_job_may_free_its_strand)
{
	struct worker_pool *pool = worker_pool_new();
	bool freed = false;
	struct counted_strand *c = calloc(1, sizeof(*c));

	strand_init(&c->strand);
	c->freed = &freed;
	c->job = (struct job){ .run = nothing, .release = free_strand };
	CHECK_EQ(worker_submit(pool, &c->strand, &c->job), 0);
	CHECK(worker_pool_stop(pool, 1000));
	CHECK(freed);
	worker_pool_free(pool);
}
