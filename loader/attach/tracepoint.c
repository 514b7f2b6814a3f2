/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "bpf/perf.h"
#include "loader/attach.h"
#include "loader/attach/perf_link.h"
#include "loader/attach/tracefs.h"
#include "loader/spec.h"
#include "loader/suggest.h"

/* "syscalls/sys_enter_execve" in two. */
static int parse_target(const struct spec *s, struct report *rp, char **category, char **name)
{
	_cleanup_free_ char *text = NULL;
	char *slash;
	int r = spec_decode(s->target ? s->target : "", rp, &text);

	if (r < 0)
		return r;
	slash = strchr(text, '/');
	if (!slash || slash == text || !slash[1] || strchr(slash + 1, '/'))
		return report(rp, -EINVAL,
			      "a tracepoint is category/name, like syscalls/sys_enter_execve, not "
			      "'%.100s'",
			      text);
	*name = strdup(slash + 1);
	*slash = '\0';
	*category = take_ptr(text);
	return *name ? 0 : -ENOMEM;
}

static int not_found(const char *category, const char *name, struct report *rp)
{
	struct suggest close = SUGGEST_INIT(name);

	if (tracefs_list_events(category, suggest_event, &close) == 0)
		return report(rp, -ENOENT, "no tracepoint '%.100s' in category %.100s%s", name,
			      category, suggest_text(&close));
	close.want = category;
	tracefs_list_events(NULL, suggest_event, &close);
	return report(rp, -ENOENT, "no category of tracepoints '%.100s'%s", category,
		      suggest_text(&close));
}

static int open_event(const char *category, const char *name, struct report *rp)
{
	uint64_t id;
	int r = tracepoint_id(category, name, &id);

	if (r == -ENOENT)
		return not_found(category, name, rp);
	if (r == -ENODEV)
		return report(
			rp, r,
			"tracefs is not mounted, which knows the tracepoints: mount -t tracefs "
			"tracefs /sys/kernel/tracing");
	if (r < 0)
		return report(rp, r, "cannot read the id of tracepoint %.100s/%.100s: %s", category,
			      name, strerror(-r));
	r = perf_open_tracepoint(id);
	if (r < 0)
		return report(rp, r, "cannot open tracepoint %.100s/%.100s: %s", category, name,
			      strerror(-r));
	return r;
}

static int tracepoint_attach(const struct attach_env *env, const struct attach_prog *prog,
			     const struct spec *s, struct report *rp, struct attachment **ret)
{
	_cleanup_free_ char *category = NULL, *name = NULL;
	_cleanup_str_ struct str spec = {}, to = {};
	_cleanup_close_ int perf_fd = -1;
	uint64_t cookie = 0;
	int r;

	r = parse_target(s, rp, &category, &name);
	if (r < 0)
		return r;
	r = spec_u64(s, "cookie", rp, &cookie);
	if (r < 0)
		return r;
	r = perf_link_allowed(env, false, cookie, rp);
	if (r < 0)
		return r;
	perf_fd = open_event(category, name, rp);
	if (perf_fd < 0)
		return perf_fd;
	str_add(&spec, "tracepoint/");
	str_add_word(&spec, category, strlen(category));
	str_add_char(&spec, '/');
	str_add_word(&spec, name, strlen(name));
	if (cookie)
		str_printf(&spec, " cookie=%llu", (unsigned long long)cookie);
	str_printf(&to, "tracepoint %.100s/%.100s", category, name);
	r = perf_link_attach(env, prog, perf_fd, false, cookie, str_text(&to), &spec, rp, ret);
	if (r == 0)
		perf_fd = -1;
	return r;
}

static bool tracepoint_can_auto(const char *target)
{
	return target && strchr(target, '/');
}

static const struct attach_option options[] = {
	{ "cookie", "N: value that the program gets from bpf_get_attach_cookie()", false },
	{},
};

const struct attach_kind attach_tracepoint = {
	.name = "tracepoint",
	.usage = "tracepoint/CATEGORY/NAME",
	.example = "tracepoint/syscalls/sys_enter_execve cookie=3",
	.options = options,
	.can_auto = tracepoint_can_auto,
	.attach = tracepoint_attach,
};
