/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "bpf/klink.h"
#include "loader/attach.h"
#include "loader/attach/tracefs.h"
#include "loader/spec.h"
#include "loader/suggest.h"

/* Raw tracepoints are those of all categories; the names of system calls are not among them. */
static void suggest_category(void *arg, const char *category)
{
	if (strcmp(category, "syscalls"))
		tracefs_list_events(category, suggest_event, arg);
}

static int explain(int err, const struct attach_prog *prog, const char *name, uint64_t cookie,
		   struct report *rp)
{
	struct suggest close = SUGGEST_INIT(name);

	switch (err) {
	case -ENOENT:
		tracefs_list_events(NULL, suggest_category, &close);
		return report(rp, err, "no raw tracepoint '%.100s'%s", name, suggest_text(&close));
	case -EACCES:
		return report(rp, err, "'%s' reads more arguments than raw tracepoint %.100s has",
			      prog->name, name);
	case -E2BIG:
	case -EINVAL:
		/* An older kernel does not know the field. */
		if (!cookie)
			break;
		return report(
			rp, -EOPNOTSUPP,
			"this kernel has no cookies for raw tracepoints: they came with Linux "
			"6.10; leave cookie= out");
	}
	return report(rp, err, "cannot attach '%s' to raw tracepoint %.100s: %s", prog->name, name,
		      strerror(-err));
}

static int raw_tp_attach(const struct attach_env *env, const struct attach_prog *prog,
			 const struct spec *s, struct report *rp, struct attachment **ret)
{
	_cleanup_str_ struct str spec = {};
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int link = -1;
	uint64_t cookie = 0;
	int r;

	(void)env;
	r = spec_decode(s->target ? s->target : "", rp, &name);
	if (r < 0)
		return r;
	if (!*name)
		return report(rp, -EINVAL,
			      "raw_tp wants the name of a tracepoint, like sched_switch");
	r = spec_u64(s, "cookie", rp, &cookie);
	if (r < 0)
		return r;
	link = klink_raw_tracepoint_open(prog->fd, name, cookie);
	if (link < 0)
		return explain(link, prog, name, cookie, rp);
	/* Writable ones are programs of a type of their own. */
	str_add(&spec, prog->type == BPF_PROG_TYPE_RAW_TRACEPOINT ? "raw_tp/" : "raw_tp.w/");
	str_add_word(&spec, name, strlen(name));
	if (cookie)
		str_printf(&spec, " cookie=%llu", (unsigned long long)cookie);
	r = attachment_new(ATTACH_LINK, link, -1, &spec, ret);
	if (r == 0)
		link = -1;
	return r;
}

static bool raw_tp_can_auto(const char *target)
{
	return target && *target;
}

static const struct attach_option options[] = {
	{ "cookie", "N: value that the program gets from bpf_get_attach_cookie() (Linux 6.10)",
	  false },
	{},
};

const struct attach_kind attach_raw_tp = {
	.name = "raw_tp",
	.usage = "raw_tp/NAME",
	.example = "raw_tp/sched_switch",
	.options = options,
	.can_auto = raw_tp_can_auto,
	.attach = raw_tp_attach,
};
