/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * perf_link - hang a program on a perf event, by a link where the kernel has
 * them (5.15), else by ioctl. Common to tracepoints and probes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/report.h"
#include "base/str.h"

struct attach_env;
struct attach_prog;
struct attachment;

/*
 * perf_link_allowed() - asked before an event is opened: may there be a cookie?
 * @by_ioctl: the spec wants no link
 * Return: 0; -EINVAL the spec contradicts itself; -EOPNOTSUPP links are missing.
 */
int perf_link_allowed(const struct attach_env *env, bool by_ioctl, uint64_t cookie,
		      struct report *rp);

/**
 * perf_link_attach() - on @perf_fd, enabled
 * @perf_fd: taken on success only
 * @to: what the event is, for sentences
 */
int perf_link_attach(const struct attach_env *env, const struct attach_prog *prog, int perf_fd,
		     bool by_ioctl, uint64_t cookie, const char *to, struct str *spec,
		     struct report *rp, struct attachment **ret);
