/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernel/state.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "bpf/klink.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "bpf/names.h"

/* By the kernel's names in fdinfo. */
static const char *const kinds[] = {
	[KOBJ_PROG] = "prog", [KOBJ_MAP] = "map", [KOBJ_LINK] = "link"
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

__attribute__((format(printf, 2, 3))) static int add(struct state *s, const char *format, ...)
{
	char *line;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&line, format, ap);
	va_end(ap);
	if (r < 0 || vec_push(&s->lines, line) < 0)
		return -ENOMEM;
	return 0;
}

static bool has(const struct state *s, const char *line)
{
	return s->lines.len &&
	       bsearch(&line, s->lines.data, s->lines.len, sizeof(*s->lines.data), compare);
}

void state_deinit(struct state *s)
{
	vec_for_each (line, &s->lines)
		free(*line);
	vec_deinit(&s->lines);
}

void state_save(const struct state *s, FILE *f)
{
	for (size_t i = 0; i < s->lines.len; i++)
		fprintf(f, "%s\n", s->lines.data[i]);
}

static int read_lines(FILE *f, const char *prefix, struct state *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (r == 0 && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		r = add(ret, "%s%s", prefix, line);
	}
	return r;
}

static void sort(struct state *s)
{
	if (s->lines.len)
		qsort(s->lines.data, s->lines.len, sizeof(*s->lines.data), compare);
}

int state_load(FILE *f, struct state *ret)
{
	int r;

	*ret = (struct state){};
	r = read_lines(f, "", ret);
	sort(ret);
	return r;
}

/* "" if it went away meanwhile. */
static void describe(enum kobj_kind kind, int fd, char *ret, size_t size)
{
	struct bpf_prog_info prog;
	struct abi_link_info link;
	struct bpf_map_info map;

	*ret = '\0';
	if (kind == KOBJ_PROG && kprog_info(fd, &prog) == 0)
		snprintf(ret, size, "%s", prog.name);
	else if (kind == KOBJ_MAP && kmap_info(fd, &map) == 0)
		snprintf(ret, size, "%s", map.name);
	else if (kind == KOBJ_LINK && klink_info(fd, &link, NULL) == 0)
		snprintf(ret, size, "%s",
			 link_type_name(link.type) ? link_type_name(link.type) : "unknown");
}

static int read_ids(enum kobj_kind kind, struct state *ret)
{
	uint32_t id = 0;
	char what[64];
	int r, fd;

	while ((r = kobj_next_id(kind, id, &id)) == 0) {
		fd = kobj_fd_by_id(kind, id);
		if (fd < 0)
			continue; /* it is on its way out */
		describe(kind, fd, what, sizeof(what));
		close(fd);
		r = add(ret, "%s %u %s", kinds[kind], id, what);
		if (r < 0)
			return r;
	}
	return r == -ENOENT ? 0 : r;
}

static int read_events(struct state *ret)
{
	static const char *const files[] = {
		"/sys/kernel/tracing/dynamic_events",
		"/sys/kernel/debug/tracing/dynamic_events",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *f = fopen(files[i], "re");
		int r;

		if (!f)
			continue;
		r = read_lines(f, "event ", ret);
		fclose(f);
		return r;
	}
	return 0;
}

/* Their numbers come and go: the third ring buffer is "descriptor anon_inode:bpf-map 3". */
static int read_descriptors(pid_t pid, struct state *ret)
{
	_cleanup_str_ struct str path = {};
	struct state targets = {};
	struct dirent *e;
	unsigned n = 0;
	int r = 0;
	DIR *d;

	str_printf(&path, "/proc/%d/fd", (int)pid);
	d = opendir(str_text(&path));
	if (!d)
		return 0; /* it has ended, and has none */
	while (r == 0 && (e = readdir(d))) {
		char target[PATH_MAX] = "";

		if (*e->d_name == '.' ||
		    readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1) < 0)
			continue;
		/* pipe:[4711] is as good as pipe:[4712]. */
		if (target[0] != '/')
			target[strcspn(target, "[")] = '\0';
		r = add(&targets, "%s", target);
	}
	closedir(d);
	sort(&targets);
	for (size_t i = 0; r == 0 && i < targets.lines.len; i++) {
		n = i && !strcmp(targets.lines.data[i], targets.lines.data[i - 1]) ? n + 1 : 1;
		r = add(ret, "descriptor %s %u", targets.lines.data[i], n);
	}
	state_deinit(&targets);
	return r;
}

int state_read(pid_t pid, struct state *ret)
{
	int r = 0;

	*ret = (struct state){};
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = read_ids(i, ret);
	if (r == 0)
		r = read_events(ret);
	if (r == 0 && pid)
		r = read_descriptors(pid, ret);
	if (r < 0)
		state_deinit(ret);
	sort(ret);
	return r;
}

/* Keep those lines of @s that are (or are not) in @other. */
static void filter(struct state *s, const struct state *other, bool keep)
{
	size_t n = 0;

	vec_for_each (line, &s->lines) {
		if (has(other, *line) == keep)
			s->lines.data[n++] = *line;
		else
			free(*line);
	}
	s->lines.len = n;
}

/*
 * What others hold
 */

static bool is_held(const struct state *held, enum kobj_kind kind, uint32_t id)
{
	char line[32];

	snprintf(line, sizeof(line), "%s %u", kinds[kind], id);
	return has(held, line);
}

static void read_fdinfo(const char *pid, struct state *held)
{
	_cleanup_str_ struct str path = {};
	struct dirent *e;
	DIR *d;

	str_printf(&path, "/proc/%s/fdinfo", pid);
	d = opendir(str_text(&path));
	while (d && (e = readdir(d))) {
		char line[256];
		FILE *f;

		str_truncate(&path, 0);
		str_printf(&path, "/proc/%s/fdinfo/%s", pid, e->d_name);
		f = *e->d_name == '.' ? NULL : fopen(str_text(&path), "re");
		while (f && fgets(line, sizeof(line), f)) {
			unsigned id;

			for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
				size_t len = strlen(kinds[i]);

				if (str_has_prefix(line, kinds[i]) &&
				    sscanf(line + len, "_id: %u", &id) == 1)
					add(held, "%s %u", kinds[i], id);
			}
		}
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
}

static bool is_number(const char *s)
{
	return *s >= '0' && *s <= '9';
}

/* The program of a link that is held, the maps of a program that is held. */
static void follow(const struct state *now, struct state *held)
{
	for (size_t i = 0; i < now->lines.len; i++) {
		uint32_t map_ids[64] = {};
		struct bpf_prog_info prog = {
			.nr_map_ids = ARRAY_SIZE(map_ids),
			.map_ids = ptr_to_u64(map_ids),
		};
		struct abi_link_info link;
		unsigned id;
		int fd;

		if (sscanf(now->lines.data[i], "link %u", &id) == 1 &&
		    is_held(held, KOBJ_LINK, id)) {
			fd = kobj_fd_by_id(KOBJ_LINK, id);
			if (fd >= 0 && klink_info(fd, &link, NULL) == 0)
				add(held, "prog %u", link.prog_id);
			if (fd >= 0)
				close(fd);
			sort(held);
		}
		/* "link" sorts before "prog". */
		if (sscanf(now->lines.data[i], "prog %u", &id) == 1 &&
		    is_held(held, KOBJ_PROG, id)) {
			fd = kobj_fd_by_id(KOBJ_PROG, id);
			if (fd >= 0 && kobj_info(fd, &prog, sizeof(prog)) == 0)
				for (size_t j = 0; j < ARRAY_SIZE(map_ids) && j < prog.nr_map_ids;
				     j++)
					add(held, "map %u", map_ids[j]);
			if (fd >= 0)
				close(fd);
		}
	}
	sort(held);
}

/* Take out what processes hold that are no program under @build. */
static void drop_foreign(const char *build, struct state *s)
{
	struct state held = {}, now;
	DIR *d = opendir("/proc");
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		char exe[PATH_MAX] = "", path[300];

		if (!is_number(e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/exe", e->d_name);
		if (readlink(path, exe, sizeof(exe) - 1) < 0)
			continue; /* a kernel thread, or it has ended */
		if (!str_has_prefix(exe, build) || exe[strlen(build)] != '/')
			read_fdinfo(e->d_name, &held);
	}
	closedir(d);
	sort(&held);
	if (state_read(0, &now) == 0) {
		follow(&now, &held);
		state_deinit(&now);
	}
	for (size_t i = 0, n = s->lines.len, kept = 0; i < n; i++) {
		char *line = s->lines.data[i], kind[8];
		unsigned id;
		bool foreign = false;

		if (sscanf(line, "%7s %u", kind, &id) == 2)
			for (size_t j = 0; j < ARRAY_SIZE(kinds); j++)
				foreign = foreign ||
					  (!strcmp(kind, kinds[j]) && is_held(&held, j, id));
		if (foreign)
			free(line);
		else
			s->lines.data[kept++] = line;
		if (i + 1 == n)
			s->lines.len = kept;
	}
	state_deinit(&held);
}

int state_left(const struct state *before, pid_t pid, unsigned wait_ms, const char *build,
	       struct state *ret)
{
	enum { STEP_MS = 20, LOOK_MS = 500 };
	struct state now;
	int r = state_read(pid, ret);

	if (r < 0)
		return r;
	filter(ret, before, false);
	/* Only what was there at the first look: others may make things of their own meanwhile. */
	for (unsigned ms = 0; ret->lines.len && ms < wait_ms; ms += STEP_MS) {
		poll(NULL, 0, STEP_MS);
		r = state_read(pid, &now);
		if (r < 0)
			return r;
		filter(ret, &now, true);
		state_deinit(&now);
		/* Dear, so not each time. */
		if (ret->lines.len && ms % LOOK_MS == 0)
			drop_foreign(build, ret);
	}
	return 0;
}
