/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/attach.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/klink.h"
#include "bpf/names.h"
#include "bpf/perf.h"
#include "loader/spec.h"

const struct attach_kind *const attach_kinds[] = {
	&attach_tracepoint, &attach_raw_tp, &attach_uprobe, &attach_uprobe_multi,
	&attach_xdp,	    &attach_cgroup, NULL,
};

static const char *type_name(uint32_t type)
{
	const char *name = prog_type_name(type);

	return name ? name : "newer kind of";
}

int attach(const struct attach_env *env, const struct attach_prog *prog, const struct spec *s,
	   struct report *rp, struct attachment **ret)
{
	const struct section_rule *rule = s->rule;

	if (rule->prog_type != prog->type)
		return report(rp, -EINVAL, "%s is for %s programs, but '%s' is a %s program",
			      rule->name, type_name(rule->prog_type), prog->name,
			      type_name(prog->type));
	return rule->kind->attach(env, prog, s, rp, ret);
}

int attachment_new(enum attach_means means, int fd, int perf_fd, struct str *spec,
		   struct attachment **ret)
{
	_cleanup_(attachment_freep) struct attachment *a = calloc(1, sizeof(*a));
	struct abi_link_info info;

	if (!a)
		return -ENOMEM;
	a->means = means;
	a->fds = malloc(sizeof(*a->fds));
	a->perf_fds = malloc(sizeof(*a->perf_fds));
	a->spec = str_take(spec);
	if (!a->fds || !a->perf_fds || !a->spec)
		return -ENOMEM;
	/* Before Linux 5.8 links have no ids. */
	if (means != ATTACH_PERF_IOCTL && klink_info(fd, &info, NULL) == 0)
		a->id = info.id;
	a->fds[0] = fd;
	a->n_fds = 1;
	if (perf_fd >= 0) {
		a->perf_fds[0] = perf_fd;
		a->n_perf_fds = 1;
	}
	*ret = take_ptr(a);
	return 0;
}

void attachment_free(struct attachment *a)
{
	if (!a)
		return;
	/* First stop what fires, so that nothing comes in while the rest is taken down. */
	for (uint32_t i = 0; i < a->n_perf_fds; i++)
		perf_disable(a->perf_fds[i]);
	for (uint32_t i = 0; i < a->n_fds; i++) {
		if (a->means == ATTACH_PERF_IOCTL)
			perf_disable(a->fds[i]);
		close(a->fds[i]);
	}
	for (uint32_t i = 0; i < a->n_perf_fds; i++)
		close(a->perf_fds[i]);
	free(a->fds);
	free(a->perf_fds);
	free(a->spec);
	free(a);
}

/*
 * The process that a thread belongs to: what pid= means is a process, but FUSE
 * tells of the writing thread. 0 if there is none.
 */
static pid_t process_of(pid_t id)
{
	_cleanup_free_ char *line = NULL;
	char path[32];
	size_t size = 0;
	pid_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", id);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (getline(&line, &size, f) > 0)
		if (sscanf(line, "Tgid: %d", &pid) == 1)
			break;
	fclose(f);
	return pid;
}

int attach_pid(const struct attach_env *env, const struct spec *s, struct report *rp, pid_t *ret)
{
	const char *text = spec_option(s, "pid");
	uint64_t n = 0;
	pid_t pid;
	int r = 0;

	*ret = -1;
	if (!text || !strcmp(text, "any"))
		return 0;
	if (!strcmp(text, "self"))
		n = env->writer > 0 ? env->writer : 0;
	else
		r = parse_u64(text, &n);
	if (r == -EINVAL)
		return report(rp, r, "pid=%.100s is neither a number nor any nor self", text);
	if (!strcmp(text, "self") && !n)
		return report(rp, -ESRCH,
			      "pid=self: who wrote this lives in another pid namespace; write the "
			      "number");
	if (r == 0 && !n)
		return report(
			rp, -EINVAL,
			"pid=0 would be the daemon that attaches; write pid=self or a number");
	pid = n && n <= INT_MAX ? process_of(n) : 0;
	if (!pid)
		return report(rp, -ESRCH, "there is no process %.100s", text);
	*ret = pid;
	return 0;
}
