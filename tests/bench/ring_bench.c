/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_bench - how many records a second a consumer gets out of a ring.
 *
 *	ring_bench PROG_ID MAP_ID RING_SIZE SECONDS ref|pipe|FILE [FILE…]
 *
 * A child runs the producing program without a pause on one CPU. The consumer is
 *   ref   this process: epoll, and the position released after each record, as
 *         a plain consumer in C does it
 *   pipe  the same, writing what it gets into a pipe to cat
 *   FILE  `cat FILE >/dev/null`, one process a file
 * Prints: records a second, and the consumer's CPU seconds a million records.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/kobj.h"
#include "bpf/sys.h"
#include "loader/ring.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static pid_t start_producer(uint32_t prog_id)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	int fd = kobj_fd_by_id(KOBJ_PROG, prog_id);

	for (;;) {
		struct abi_prog_test_run attr = { .prog_fd = fd };

		if (sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0)
			die("BPF_PROG_TEST_RUN");
	}
}

/* @out: where payloads are written; -1: only looked at. Records, and *@bytes to make the loop real.
 */
static uint64_t consume(struct ring *ring, int out, double until, uint64_t *bytes)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	uint64_t pos = ring_consumer_pos(ring), n = 0;

	if (epoll_ctl(ep, EPOLL_CTL_ADD, ring->fd, &ev) < 0)
		die("epoll");
	while (now() < until) {
		struct ring_record rec;
		enum ring_state st;
		uint64_t producer;

		epoll_wait(ep, &ev, 1, 100);
		for (int again = 0; again < 4096; again++) {
			producer = ring_producer_pos(ring);
			st = ring_peek(ring, pos, producer, &rec);
			if (st != RING_RECORD && st != RING_DISCARD)
				break;
			*bytes += rec.len + *(const uint8_t *)rec.data;
			if (out >= 0 && write(out, rec.data, rec.len) < 0)
				die("write");
			pos = rec.next;
			ring_release(ring, pos);
			n++;
		}
	}
	close(ep);
	return n;
}

static pid_t cat(const char *path, int from)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (from >= 0)
		dup2(from, 0);
	if (!freopen("/dev/null", "w", stdout))
		die("/dev/null");
	execlp("cat", "cat", path, NULL);
	_exit(127);
}

static double cpu_of(int who)
{
	struct rusage ru;

	getrusage(who, &ru);
	return ru.ru_utime.tv_sec + ru.ru_utime.tv_usec * 1e-6 + ru.ru_stime.tv_sec +
	       ru.ru_stime.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
	struct ring *ring = NULL;
	uint64_t n = 0, bytes = 0, start;
	double seconds, t0;
	pid_t producer, cats[64];
	int map, n_cats = 0, fds[2];

	if (argc < 6) {
		fprintf(stderr,
			"usage: ring_bench PROG_ID MAP_ID RING_SIZE SECONDS ref|pipe|FILE…\n");
		return 2;
	}
	map = kobj_fd_by_id(KOBJ_MAP, atoi(argv[2]));
	if (map < 0 || ring_open(map, atoll(argv[3]), NULL, &ring) < 0)
		die("map");
	seconds = atof(argv[4]);
	if (strcmp(argv[5], "ref") && strcmp(argv[5], "pipe")) {
		for (int i = 5; i < argc && n_cats < 64; i++)
			cats[n_cats++] = cat(argv[i], -1);
		usleep(200000); /* they are all waiting */
	}
	start = ring_consumer_pos(ring);
	producer = start_producer(atoi(argv[1]));
	t0 = now();
	if (n_cats) {
		usleep(seconds * 1e6);
		kill(producer, SIGKILL);
		/* 64-byte records and their headers. */
		bytes = ring_consumer_pos(ring) - start;
		seconds = now() - t0;
		for (int i = 0; i < n_cats; i++)
			kill(cats[i], SIGINT);
	} else if (!strcmp(argv[5], "pipe")) {
		if (pipe2(fds, O_CLOEXEC) < 0)
			die("pipe");
		cats[n_cats++] = cat("-", fds[0]);
		close(fds[0]);
		n = consume(ring, fds[1], t0 + seconds, &bytes);
		seconds = now() - t0;
		close(fds[1]);
		kill(producer, SIGKILL);
	} else {
		n = consume(ring, -1, t0 + seconds, &bytes);
		seconds = now() - t0;
		kill(producer, SIGKILL);
	}
	waitpid(producer, NULL, 0);
	for (int i = 0; i < n_cats; i++)
		waitpid(cats[i], NULL, 0);
	if (!n) {
		uint32_t record = getenv("RECORD") ? atoi(getenv("RECORD")) : 64;

		n = bytes / (record + 8);
	}
	printf("%.0f %.3f\n", n / seconds, n ? cpu_of(RUSAGE_SELF) / n * 1e6 : 0);
	ring_free(ring);
	return 0;
}
