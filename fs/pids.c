/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/pids.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "fs/fs.h"
#include "fs/instance.h"

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* What a descriptor's link text says it is; -1 for all that is not ours to look into. */
static int kind_of_link(const char *text)
{
	static const char prefix[] = "anon_inode:bpf";

	if (strncmp(text, prefix, sizeof(prefix) - 1))
		return -1;
	text += sizeof(prefix); /* "bpf-prog", "bpf_link": the separator changed over the years */
	if (!strcmp(text, "prog"))
		return KOBJ_PROG;
	if (!strcmp(text, "map"))
		return KOBJ_MAP;
	return strcmp(text, "link") ? -1 : KOBJ_LINK;
}

/* The small files of /proc come whole in one read. */
static ssize_t read_small(int dir_fd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

static uint32_t id_in_fdinfo(int pid_fd, const char *fd_name, enum kobj_kind kind)
{
	static const char *const keys[] = { "\nprog_id:", "\nmap_id:", "\nlink_id:" };
	char path[300], text[4096];
	const char *at;

	snprintf(path, sizeof(path), "fdinfo/%s", fd_name);
	if (read_small(pid_fd, path, text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, keys[kind]);
	return at ? strtoul(at + strlen(keys[kind]), NULL, 10) : 0;
}

static int add(struct holders *h, enum kobj_kind kind, uint32_t id, pid_t pid, int pid_fd)
{
	struct holder item = { .kind = kind, .id = id, .pid = pid };
	char comm[64] = "";

	if (read_small(pid_fd, "comm", comm, sizeof(comm)) > 0)
		comm[strcspn(comm, "\n")] = '\0';
	snprintf(item.comm, sizeof(item.comm), "%.15s", comm);
	return vec_push(&h->list, item);
}

static int scan_process(const char *name, int kind, uint32_t want, struct holders *h)
{
	_cleanup_close_ int pid_fd = -1;
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *d;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s", name);
	pid_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = pid_fd < 0 ? -1 : openat(pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		closep(&fd);
		return 0; /* it has ended, or is none of our business */
	}
	while ((d = readdir(dir))) {
		char text[64];
		ssize_t n = readlinkat(dirfd(dir), d->d_name, text, sizeof(text) - 1);
		uint32_t id;
		int k;

		if (n <= 0)
			continue;
		text[n] = '\0';
		k = kind_of_link(text);
		if (k < 0 || (want && k != kind))
			continue;
		id = id_in_fdinfo(pid_fd, d->d_name, k);
		if (!id || (want && id != want))
			continue;
		if (add(h, k, id, atoi(name), pid_fd) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Our own descriptors come and go as we look; our tables say what stays. */
static int add_ours(struct fs *fs, int kind, uint32_t want, struct holders *h)
{
	_cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	VEC(struct holder) own = {};
	int r = 0;

#define OWN(k, i)                                                      \
	if (!r && (i) && (!want || (kind == (int)(k) && want == (i)))) \
	r = vec_push(&own, ((struct holder){ .kind = (k), .id = (i) }))
	pthread_mutex_lock(&fs->lock);
	vec_for_each (inst, &fs->instances) {
		const struct instance *o = *inst;

		for (uint32_t i = 0; o->parsed && o->progs && i < o->parsed->n_programs; i++)
			OWN(KOBJ_PROG, o->progs[i].id);
		for (uint32_t i = 0; o->parsed && o->maps && i < o->parsed->n_maps; i++)
			OWN(KOBJ_MAP, o->maps[i].id);
	}
	vec_for_each (l, &fs->links)
		OWN(KOBJ_LINK, (*l)->attachment ? (*l)->id : 0);
	pthread_mutex_unlock(&fs->lock);
#undef OWN
	vec_for_each (o, &own)
		if (!r)
			r = add(h, o->kind, o->id, getpid(), self);
	vec_deinit(&own);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int holders_scan(struct fs *fs, enum kobj_kind kind, uint32_t id, struct holders *ret)
{
	_cleanup_(closedirp) DIR *proc = opendir("/proc");
	_cleanup_(holders_deinit) struct holders h = {};
	struct dirent *d;
	size_t n = 0;
	int r = add_ours(fs, kind, id, &h);

	while (!r && proc && (d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]) && atoi(d->d_name) != getpid())
			r = scan_process(d->d_name, kind, id, &h);
	if (r < 0)
		return r;
	if (h.list.len)
		qsort(h.list.data, h.list.len, sizeof(h.list.data[0]), compare);
	/* Two descriptors of one process are one holder. */
	for (size_t i = 0; i < h.list.len; i++)
		if (!n || compare(&h.list.data[n - 1], &h.list.data[i]))
			h.list.data[n++] = h.list.data[i];
	h.list.len = n;
	*ret = h;
	h = (struct holders){};
	return 0;
}

void holders_deinit(struct holders *h)
{
	vec_deinit(&h->list);
}

const struct holder *holders_find(const struct holders *h, enum kobj_kind kind, uint32_t id,
				  size_t *ret_n)
{
	size_t low = 0, high = h->list.len, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct holder *m = &h->list.data[mid];

		if (m->kind < kind || (m->kind == kind && m->id < id))
			low = mid + 1;
		else
			high = mid;
	}
	while (low + n < h->list.len && h->list.data[low + n].kind == kind &&
	       h->list.data[low + n].id == id)
		n++;
	*ret_n = n;
	return n ? &h->list.data[low] : NULL;
}
