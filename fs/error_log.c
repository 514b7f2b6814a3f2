/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/error_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/report.h"

enum { N_ENTRIES = 64, MAX_WRITTEN = 160 };

struct failure {
	struct timespec when;
	pid_t pid;
	int err;
	char comm[32];
	char *path, *written, *text;
};

struct error_log {
	pthread_mutex_t lock;
	struct failure ring[N_ENTRIES];
	size_t n; /* ever added; the newest is ring[(n - 1) % N_ENTRIES] */
};

struct error_log *error_log_new(void)
{
	struct error_log *log = calloc(1, sizeof(*log));

	if (log)
		pthread_mutex_init(&log->lock, NULL);
	return log;
}

static void failure_deinit(struct failure *f)
{
	free(f->path);
	free(f->written);
	free(f->text);
	*f = (struct failure){};
}

void error_log_free(struct error_log *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < N_ENTRIES; i++)
		failure_deinit(&log->ring[i]);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/* /proc may be gone or ours to read no more: the pid alone says enough then. */
static void read_comm(pid_t pid, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static char *shorten(const char *written, size_t len)
{
	struct str s = {};

	while (len && written[len - 1] == '\n')
		len--;
	str_add_json(&s, written, len < MAX_WRITTEN ? len : MAX_WRITTEN);
	if (len > MAX_WRITTEN)
		str_printf(&s, " … (%zu bytes)", len);
	return str_take(&s);
}

void error_log_add(struct error_log *log, pid_t pid, const char *path, int err, const char *written,
		   size_t len, const char *text)
{
	struct failure f = { .pid = pid, .err = err };

	clock_gettime(CLOCK_REALTIME, &f.when);
	read_comm(pid, f.comm, sizeof(f.comm));
	f.path = strdup(path);
	f.text = strdup(text && *text ? text : strerror(err < 0 ? -err : err));
	f.written = written ? shorten(written, len) : NULL;
	pthread_mutex_lock(&log->lock);
	failure_deinit(&log->ring[log->n % N_ENTRIES]);
	log->ring[log->n++ % N_ENTRIES] = f;
	pthread_mutex_unlock(&log->lock);
}

void error_log_show(struct error_log *log, struct str *out)
{
	pthread_mutex_lock(&log->lock);
	for (size_t i = log->n > N_ENTRIES ? log->n - N_ENTRIES : 0; i < log->n; i++) {
		const struct failure *f = &log->ring[i % N_ENTRIES];
		char when[32];
		struct tm tm;

		localtime_r(&f->when.tv_sec, &tm);
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		str_printf(out, "[%s.%03ld] pid %d (%s) %s: %s\n", when, f->when.tv_nsec / 1000000,
			   f->pid, f->comm, f->path ? f->path : "?", errno_name(f->err));
		if (f->written)
			str_printf(out, "  wrote: %s\n", f->written);
		str_printf(out, "  %s\n", f->text ? f->text : "");
	}
	pthread_mutex_unlock(&log->lock);
}
