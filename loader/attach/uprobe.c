/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The uprobe PMU takes a path, looks the file up by it and keeps the path to show
 * it later. A path through our descriptor would be shown as /proc/self/fd/7, so
 * it gets the real one, and afterwards we ask whether that still leads to the
 * file that was checked.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "bpf/feature.h"
#include "bpf/perf.h"
#include "loader/attach.h"
#include "loader/attach/perf_link.h"
#include "loader/spec.h"
#include "loader/spec_file.h"
#include "loader/symbol_file.h"

/* PATH:FUNC[+OFFSET], PATH:0xOFFSET or PATH:+OFFSET */
struct place {
	char *path;   /* as given */
	char *symbol; /* NULL: offset is in the file */
	uint64_t offset;
};

static void place_deinit(struct place *p)
{
	free(p->path);
	free(p->symbol);
}

static int parse_place(const struct spec *s, struct report *rp, struct place *ret)
{
	_cleanup_free_ char *path = NULL, *what = NULL, *name = NULL, *plus = NULL, *base = NULL;
	uint64_t n;
	int r;

	r = spec_split(s->target ? s->target : "", ':', rp, &path, &what);
	if (r < 0)
		return r;
	if (!what || !*what)
		return report(rp, -EINVAL, "%s wants %s", s->rule->name, attach_uprobe.usage);
	r = spec_decode(path, rp, &ret->path);
	if (r == 0)
		r = spec_split(what, '+', rp, &name, &plus);
	if (r == 0)
		r = spec_decode(name, rp, &base);
	if (r < 0)
		return r;
	if (plus && parse_u64(plus, &ret->offset) < 0)
		return report(
			rp, -EINVAL,
			"offset '%.100s' is no number; if the '+' is part of the name, quote it",
			plus);
	/* No function's name starts with a digit. */
	if (*base >= '0' && *base <= '9') {
		if (parse_u64(base, &n) < 0 || __builtin_add_overflow(ret->offset, n, &ret->offset))
			return report(rp, -EINVAL, "'%.100s' is neither a function nor an offset",
				      base);
	} else if (*base) {
		ret->symbol = take_ptr(base);
	}
	return 0;
}

struct request {
	bool ret; /* uretprobe */
	bool by_ioctl;
	uint64_t cookie, ref_ctr_offset;
	pid_t pid;
};

static int parse_mode(const struct attach_env *env, const struct spec *s, struct report *rp,
		      bool *by_ioctl)
{
	const char *mode = spec_option(s, "mode");

	if (!mode)
		return 0;
	if (!strcmp(mode, "legacy"))
		return report(
			rp, -EOPNOTSUPP,
			"mode=legacy is not there yet for uprobes; mode=link and mode=perf are");
	if (strcmp(mode, "link") && strcmp(mode, "perf"))
		return report(rp, -EINVAL, "mode=%.100s is none of link, perf, legacy", mode);
	*by_ioctl = !strcmp(mode, "perf");
	if (!*by_ioctl && !feature_has(env->features, FEATURE_PERF_LINK))
		return report(
			rp, -EOPNOTSUPP,
			"this kernel has no links on perf events (Linux 5.15): use mode=perf");
	return 0;
}

static int parse_request(const struct attach_env *env, const struct spec *s, struct report *rp,
			 struct request *ret)
{
	int r;

	ret->ret = str_has_prefix(s->rule->name, "uret");
	r = parse_mode(env, s, rp, &ret->by_ioctl);
	if (r == 0)
		r = spec_u64(s, "cookie", rp, &ret->cookie);
	if (r == 0)
		r = perf_link_allowed(env, ret->by_ioctl, ret->cookie, rp);
	if (r == 0)
		r = spec_u64(s, "ref_ctr_offset", rp, &ret->ref_ctr_offset);
	if (r == 0 && ret->ref_ctr_offset > UINT32_MAX)
		r = report(rp, -EINVAL, "ref_ctr_offset=0x%llx does not fit into 32 bits",
			   (unsigned long long)ret->ref_ctr_offset);
	if (r == 0)
		r = attach_pid(env, s, rp, &ret->pid);
	return r;
}

/* The place as an offset in the file. */
static int find_place(const struct spec_file *file, const struct place *p, bool is_ret,
		      struct report *rp, uint64_t *ret)
{
	_cleanup_(symbol_file_freep) struct symbol_file *symbols = NULL;
	uint64_t base = 0;
	struct stat st;
	int r;

	if (p->symbol) {
		if (is_ret && p->offset)
			return report(rp, -EINVAL,
				      "a uretprobe sits on a function's return: '%.200s' takes no "
				      "offset there",
				      p->symbol);
		r = symbol_file_open(file->fd, file->path, rp, &symbols);
		if (r == 0)
			r = symbol_file_find(symbols, p->symbol, rp, &base);
		if (r < 0)
			return r;
	}
	if (fstat(file->fd, &st) < 0)
		return report(rp, -errno, "%s: %s", file->path, strerror(errno));
	if (__builtin_add_overflow(base, p->offset, ret) || *ret >= (uint64_t)st.st_size)
		return report(rp, -EINVAL, "offset 0x%llx is beyond the end of %s",
			      (unsigned long long)*ret, file->path);
	return 0;
}

static int open_event(const struct spec_file *file, const struct request *q, uint64_t offset,
		      struct report *rp)
{
	struct perf_probe probe = {
		.path = file->real_path,
		.offset = offset,
		.ref_ctr_offset = q->ref_ctr_offset,
		.pid = q->pid,
		.ret = q->ret,
	};
	int fd = perf_open_uprobe(&probe);

	switch (fd) {
	case -EOPNOTSUPP:
		return report(rp, fd, "the kernel cannot put a probe at 0x%llx of %s",
			      (unsigned long long)offset, file->path);
	case -EIO:
		/* Not our fault, and EIO means that it was. */
		return report(rp, -EOPNOTSUPP,
			      "%s is on a filesystem whose files the kernel cannot probe",
			      file->path);
	case -EINVAL:
		if (!q->ref_ctr_offset)
			break;
		return report(
			rp, fd,
			"the kernel refuses a probe at 0x%llx of %s with the counter at 0x%llx",
			(unsigned long long)offset, file->path,
			(unsigned long long)q->ref_ctr_offset);
	case -ESRCH:
		return report(rp, fd, "there is no process %d any more", q->pid);
	}
	if (fd < 0)
		return report(rp, fd, "cannot open a uprobe at 0x%llx of %s: %s",
			      (unsigned long long)offset, file->path, strerror(-fd));
	return fd;
}

/* A name that spec_split() must not cut at its '+'. */
static void add_symbol(struct str *spec, const char *name)
{
	const char *plus;

	for (; (plus = strchr(name, '+')); name = plus + 1) {
		if (plus > name)
			str_add_word(spec, name, plus - name);
		str_add(spec, "'+'");
	}
	if (*name)
		str_add_word(spec, name, strlen(name));
}

static void write_spec(const struct spec_file *file, const struct place *p, const struct request *q,
		       struct str *spec)
{
	str_add(spec, q->ret ? "uretprobe/" : "uprobe/");
	str_add_word(spec, file->path, strlen(file->path));
	str_add_char(spec, ':');
	if (p->symbol)
		add_symbol(spec, p->symbol);
	if (p->symbol && p->offset)
		str_add_char(spec, '+');
	if (!p->symbol || p->offset)
		str_add_hex(spec, p->offset);
	if (q->pid >= 0)
		str_printf(spec, " pid=%d", q->pid);
	if (q->ref_ctr_offset)
		str_printf(spec, " ref_ctr_offset=0x%llx", (unsigned long long)q->ref_ctr_offset);
	if (q->cookie)
		str_printf(spec, " cookie=%llu", (unsigned long long)q->cookie);
	if (q->by_ioctl)
		str_add(spec, " mode=perf");
}

static int uprobe_attach(const struct attach_env *env, const struct attach_prog *prog,
			 const struct spec *s, struct report *rp, struct attachment **ret)
{
	_cleanup_(attachment_freep) struct attachment *a = NULL;
	_cleanup_(spec_file_freep) struct spec_file *file = NULL;
	_cleanup_(place_deinit) struct place place = {};
	_cleanup_str_ struct str spec = {}, to = {};
	_cleanup_close_ int perf_fd = -1;
	struct request q = {};
	uint64_t offset = 0;
	int r;

	r = parse_place(s, rp, &place);
	if (r == 0)
		r = parse_request(env, s, rp, &q);
	if (r == 0)
		r = spec_file_open_binary(env, place.path, q.pid, rp, &file);
	if (r == 0)
		r = find_place(file, &place, q.ret, rp, &offset);
	if (r < 0)
		return r;
	perf_fd = open_event(file, &q, offset, rp);
	if (perf_fd < 0)
		return perf_fd;
	r = spec_file_verify(file, rp);
	if (r < 0)
		return r;
	write_spec(file, &place, &q, &spec);
	str_printf(&to, "%s/%.300s", q.ret ? "uretprobe" : "uprobe", file->path);
	r = perf_link_attach(env, prog, perf_fd, q.by_ioctl, q.cookie, str_text(&to), &spec, rp,
			     &a);
	if (r < 0)
		return r;
	perf_fd = -1;
	*ret = take_ptr(a);
	return 0;
}

static bool uprobe_can_auto(const char *target)
{
	return target && strchr(target, ':');
}

static const struct attach_option options[] = {
	{ "pid", "N|any|self: only in this process; the path is as it sees it", false },
	{ "ref_ctr_offset", "N: counter in the file that is raised while the probe is there",
	  false },
	{ "cookie", "N: value that the program gets from bpf_get_attach_cookie()", false },
	{ "mode", "link|perf: by a link (default), or by a perf event alone", false },
	{},
};

const struct attach_kind attach_uprobe = {
	.name = "uprobe",
	.usage = "uprobe/PATH:FUNC[+OFFSET] or uprobe/PATH:0xOFFSET, or uretprobe",
	.example = "uprobe//usr/lib/x86_64-linux-gnu/libc.so.6:malloc cookie=1",
	.options = options,
	.can_auto = uprobe_can_auto,
	.attach = uprobe_attach,
};
