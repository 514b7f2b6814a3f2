/* SPDX-License-Identifier: BSD-2-Clause */
/* One link on many places of one binary. Its path goes through our descriptor: the kernel shows the
 * real one. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bits.h"
#include "bpf/feature.h"
#include "bpf/klink.h"
#include "loader/attach.h"
#include "loader/spec.h"
#include "loader/spec_file.h"
#include "loader/symbol_file.h"

/* What the spec says, and then what of it goes to the kernel. */
struct request {
	char *path, *glob; /* glob NULL: syms or offsets */
	char **syms;
	uint64_t *offsets, *ref_ctr_offsets, *cookies;
	uint32_t n_syms, n_offsets, n_ref_ctr_offsets, n_cookies;
	pid_t pid;
	bool is_ret, is_session;
};

static void request_deinit(struct request *q)
{
	free(q->path);
	free(q->glob);
	spec_list_free(q->syms, q->n_syms);
	free(q->offsets);
	free(q->ref_ctr_offsets);
	free(q->cookies);
}

/* What all multi links must have been loaded with; see perf_link for the opposite. */
static int check_program(const struct attach_env *env, const struct attach_prog *prog,
			 const struct spec *s, struct report *rp)
{
	bool is_session = s->rule->attach_type == ABI_TRACE_UPROBE_SESSION;

	if (!feature_has(env->features, FEATURE_UPROBE_MULTI))
		return report(rp, -EOPNOTSUPP,
			      "this kernel has no %s (Linux %s): attach one uprobe at a time",
			      s->rule->name, is_session ? "6.13" : "6.6");
	if (is_session && !feature_has(env->features, FEATURE_UPROBE_SESSION))
		return report(
			rp, -EOPNOTSUPP,
			"this kernel has no uprobe.session (Linux 6.13): attach a uprobe.multi "
			"and a uretprobe.multi");
	/* 0 may also mean that nobody knows: then the kernel decides. */
	if (prog->attach_type && prog->attach_type != s->rule->attach_type)
		return report(
			rp, -EINVAL,
			"'%s' was loaded for something else: %s wants a program of SEC(\"%s\")",
			prog->name, s->rule->name, s->rule->name);
	return 0;
}

static int parse_target(const struct spec *s, struct report *rp, struct request *q)
{
	_cleanup_free_ char *path = NULL, *glob = NULL;
	int r = spec_split(s->target ? s->target : "", ':', rp, &path, &glob);

	if (r == 0)
		r = spec_decode(path, rp, &q->path);
	if (r == 0 && glob)
		r = spec_decode(glob, rp, &q->glob);
	if (r < 0)
		return r;
	if (!*q->path || (q->glob && !*q->glob))
		return report(rp, -EINVAL, "%s wants %s", s->rule->name, attach_uprobe_multi.usage);
	return 0;
}

/* Exactly one way to say where, and as many of the rest as there are places. */
static int check_lists(const struct spec *s, const struct request *q, struct report *rp)
{
	uint32_t n = q->n_syms + q->n_offsets;

	if (!!q->glob + !!q->n_syms + !!q->n_offsets != 1)
		return report(rp, -EINVAL,
			      "%s wants one of PATH:GLOB, syms= and offsets=", s->rule->name);
	if (q->glob && (q->n_cookies || q->n_ref_ctr_offsets))
		return report(rp, -EINVAL,
			      "cookies= and ref_ctr_offsets= go with syms= or offsets=: what a "
			      "pattern matches has no order");
	if (!q->glob && q->n_cookies && q->n_cookies != n)
		return report(rp, -EINVAL, "there are %u places but %u cookies=", n, q->n_cookies);
	if (!q->glob && q->n_ref_ctr_offsets && q->n_ref_ctr_offsets != n)
		return report(rp, -EINVAL, "there are %u places but %u ref_ctr_offsets=", n,
			      q->n_ref_ctr_offsets);
	return 0;
}

static int parse_request(const struct attach_env *env, const struct spec *s, struct report *rp,
			 struct request *q)
{
	int r;

	q->is_ret = str_has_prefix(s->rule->name, "uret");
	q->is_session = s->rule->attach_type == ABI_TRACE_UPROBE_SESSION;
	r = parse_target(s, rp, q);
	if (r == 0)
		r = spec_list(s, "syms", rp, &q->syms, &q->n_syms);
	if (r == 0)
		r = spec_u64_list(s, "offsets", rp, &q->offsets, &q->n_offsets);
	if (r == 0)
		r = spec_u64_list(s, "ref_ctr_offsets", rp, &q->ref_ctr_offsets,
				  &q->n_ref_ctr_offsets);
	if (r == 0)
		r = spec_u64_list(s, "cookies", rp, &q->cookies, &q->n_cookies);
	if (r == 0)
		r = check_lists(s, q, rp);
	if (r == 0)
		r = attach_pid(env, s, rp, &q->pid);
	return r;
}

static int find_symbols(const struct symbol_file *f, const struct request *q, struct report *rp,
			uint64_t **ret)
{
	_cleanup_free_ uint64_t *offsets = calloc(q->n_syms, sizeof(*offsets));
	int r;

	if (!offsets)
		return -ENOMEM;
	for (uint32_t i = 0; i < q->n_syms; i++) {
		r = symbol_file_find(f, q->syms[i], rp, &offsets[i]);
		if (r < 0)
			return r;
	}
	*ret = take_ptr(offsets);
	return 0;
}

static int find_matches(const struct symbol_file *f, const struct request *q, struct report *rp,
			uint64_t **ret, uint32_t *ret_n)
{
	struct symbol *syms;
	uint32_t n;
	int r = symbol_file_glob(f, q->glob, rp, &syms, &n);

	if (r < 0)
		return r;
	*ret = calloc(n, sizeof(**ret));
	for (uint32_t i = 0; i < n && *ret; i++)
		(*ret)[i] = syms[i].offset;
	*ret_n = n;
	symbols_free(syms, n);
	return *ret ? 0 : -ENOMEM;
}

/* The places as offsets in the file, malloc'ed. */
static int find_places(const struct spec_file *file, const struct request *q, struct report *rp,
		       uint64_t **ret, uint32_t *ret_n)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = NULL;
	struct stat st;
	int r;

	if (!q->n_offsets) {
		r = symbol_file_open(file->fd, file->path, rp, &f);
		if (r < 0)
			return r;
		if (q->glob)
			return find_matches(f, q, rp, ret, ret_n);
		*ret_n = q->n_syms;
		return find_symbols(f, q, rp, ret);
	}
	if (fstat(file->fd, &st) < 0)
		return report(rp, -errno, "%s: %s", file->path, strerror(errno));
	for (uint32_t i = 0; i < q->n_offsets; i++)
		if (q->offsets[i] >= (uint64_t)st.st_size)
			return report(rp, -EINVAL, "offset 0x%llx is beyond the end of %s",
				      (unsigned long long)q->offsets[i], file->path);
	*ret = malloc(q->n_offsets * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, q->offsets, q->n_offsets * sizeof(**ret));
	*ret_n = q->n_offsets;
	return 0;
}

static void add_numbers(struct str *spec, const char *name, const uint64_t *numbers, uint32_t n,
			bool hex)
{
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			str_add_char(spec, ',');
		else
			str_printf(spec, " %s=", name);
		if (hex)
			str_add_hex(spec, numbers[i]);
		else
			str_add_u64(spec, numbers[i]);
	}
}

static void write_spec(const struct spec_file *file, const struct request *q, struct str *spec)
{
	str_add(spec, q->is_session ? "uprobe.session/"
		      : q->is_ret   ? "uretprobe.multi/"
				    : "uprobe.multi/");
	str_add_word(spec, file->path, strlen(file->path));
	if (q->glob) {
		str_add_char(spec, ':');
		str_add_word(spec, q->glob, strlen(q->glob));
	}
	for (uint32_t i = 0; i < q->n_syms; i++) {
		str_add(spec, i ? "," : " syms=");
		str_add_word(spec, q->syms[i], strlen(q->syms[i]));
	}
	add_numbers(spec, "offsets", q->offsets, q->n_offsets, true);
	add_numbers(spec, "ref_ctr_offsets", q->ref_ctr_offsets, q->n_ref_ctr_offsets, true);
	add_numbers(spec, "cookies", q->cookies, q->n_cookies, false);
	if (q->pid >= 0)
		str_printf(spec, " pid=%d", q->pid);
}

static int explain(int err, const struct attach_prog *prog, const struct spec *s,
		   const struct request *q, const struct spec_file *file, uint32_t n,
		   struct report *rp)
{
	switch (err) {
	case -EINVAL:
		if (prog->attach_type == s->rule->attach_type)
			break;
		return report(rp, err, "the kernel refuses '%s': %s wants a program of SEC(\"%s\")",
			      prog->name, s->rule->name, s->rule->name);
	case -E2BIG:
		return report(rp, err, "%u places in %s are more than one link can have", n,
			      file->path);
	case -EIO:
		/* Not our fault, and EIO means that it was. */
		return report(rp, -EOPNOTSUPP,
			      "%s is on a filesystem whose files the kernel cannot probe",
			      file->path);
	case -ESRCH:
		return report(rp, err, "there is no process %d any more", q->pid);
	}
	return report(rp, err, "cannot attach '%s' to %u places in %s: %s", prog->name, n,
		      file->path, strerror(-err));
}

static int create_link(const struct attach_prog *prog, const struct spec *s,
		       const struct request *q, const struct spec_file *file,
		       const uint64_t *offsets, uint32_t n)
{
	struct abi_link_create attr = {
		.prog_fd = prog->fd,
		.attach_type = s->rule->attach_type,
		.uprobe_multi = {
			.path = ptr_to_u64(file->fd_path),
			.offsets = ptr_to_u64(offsets),
			.ref_ctr_offsets = ptr_to_u64(q->ref_ctr_offsets),
			.cookies = ptr_to_u64(q->cookies),
			.cnt = n,
			.flags = q->is_ret ? ABI_F_UPROBE_MULTI_RETURN : 0,
			.pid = q->pid < 0 ? 0 : q->pid,
		},
	};

	return klink_create(&attr, ABI_SIZE(struct abi_link_create, uprobe_multi.pid));
}

static int uprobe_multi_attach(const struct attach_env *env, const struct attach_prog *prog,
			       const struct spec *s, struct report *rp, struct attachment **ret)
{
	_cleanup_(request_deinit) struct request q = {};
	_cleanup_(spec_file_freep) struct spec_file *file = NULL;
	_cleanup_free_ uint64_t *offsets = NULL;
	_cleanup_str_ struct str spec = {};
	_cleanup_close_ int link = -1;
	uint32_t n = 0;
	int r;

	r = check_program(env, prog, s, rp);
	if (r == 0)
		r = parse_request(env, s, rp, &q);
	if (r == 0)
		r = spec_file_open_binary(env, q.path, q.pid, rp, &file);
	if (r == 0)
		r = find_places(file, &q, rp, &offsets, &n);
	if (r < 0)
		return r;
	link = create_link(prog, s, &q, file, offsets, n);
	if (link < 0)
		return explain(link, prog, s, &q, file, n, rp);
	write_spec(file, &q, &spec);
	r = attachment_new(ATTACH_LINK, link, -1, &spec, ret);
	if (r == 0)
		link = -1;
	return r;
}

static bool uprobe_multi_can_auto(const char *target)
{
	return target && strchr(target, ':');
}

static const struct attach_option options[] = {
	{ "syms", "FUNC,…: these functions", false },
	{ "offsets", "N,…: these places in the file", false },
	{ "ref_ctr_offsets", "N,…: a counter in the file for each place", false },
	{ "cookies", "N,…: what bpf_get_attach_cookie() says at each place", false },
	{ "pid", "N|any|self: only in this process; the path is as it sees it", false },
	{},
};

const struct attach_kind attach_uprobe_multi = {
	.name = "uprobe.multi",
	.usage = "uprobe.multi/PATH:GLOB or uprobe.multi/PATH syms=…, or uretprobe.multi, "
		 "uprobe.session",
	.example = "uprobe.multi//usr/bin/bash:read*",
	.options = options,
	.can_auto = uprobe_multi_can_auto,
	.attach = uprobe_multi_attach,
};
