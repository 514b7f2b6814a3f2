/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/attach/perf_link.h"

#include <errno.h>
#include <string.h>

#include "bpf/feature.h"
#include "bpf/klink.h"
#include "bpf/names.h"
#include "bpf/perf.h"
#include "loader/attach.h"

int perf_link_allowed(const struct attach_env *env, bool by_ioctl, uint64_t cookie,
		      struct report *rp)
{
	if (!cookie)
		return 0;
	if (by_ioctl)
		return report(rp, -EINVAL, "mode=perf has no cookie: leave one of them out");
	if (!feature_has(env->features, FEATURE_PERF_LINK))
		return report(
			rp, -EOPNOTSUPP,
			"this kernel has no cookies here: they came with links on perf events "
			"in Linux 5.15; leave cookie= out");
	return 0;
}

/* What the kernel means by its number. */
static int explain(int err, const struct attach_prog *prog, const char *to, struct report *rp)
{
	const char *loaded = attach_type_name(prog->attach_type);

	switch (err) {
	case -EEXIST:
		return report(rp, err, "'%s' is already attached to %s", prog->name, to);
	case -E2BIG:
		return report(rp, err, "%s has as many programs as it can have (64)", to);
	case -EACCES:
		return report(rp, err, "'%s' reads past the end of what %s gives to it", prog->name,
			      to);
	case -EINVAL:
		if (!prog->attach_type)
			break;
		return report(
			rp, err,
			"'%s' was loaded as %s, which is another kind of attachment than %s: its "
			"SEC() must be plain",
			prog->name, loaded ? loaded : "something else", to);
	case -EPROTO:
		return report(rp, err,
			      "'%s' wants a call chain, which %s was not opened with: "
			      "leave out bpf_get_stackid()",
			      prog->name, to);
	}
	return report(rp, err, "cannot attach '%s' to %s: %s", prog->name, to, strerror(-err));
}

int perf_link_attach(const struct attach_env *env, const struct attach_prog *prog, int perf_fd,
		     bool by_ioctl, uint64_t cookie, const char *to, struct str *spec,
		     struct report *rp, struct attachment **ret)
{
	_cleanup_close_ int link = -1;
	int r;

	if (by_ioctl || !feature_has(env->features, FEATURE_PERF_LINK)) {
		by_ioctl = true;
		r = perf_set_bpf(perf_fd, prog->fd);
	} else {
		struct abi_link_create attr = {
			.prog_fd = prog->fd,
			.target_fd = perf_fd,
			.attach_type = BPF_PERF_EVENT,
			.perf_event.bpf_cookie = cookie,
		};

		r = link = klink_create(&attr, ABI_SIZE(struct abi_link_create, perf_event));
	}
	if (r >= 0)
		r = perf_enable(perf_fd);
	if (r < 0)
		return explain(r, prog, to, rp);
	if (by_ioctl)
		return attachment_new(ATTACH_PERF_IOCTL, perf_fd, -1, spec, ret);
	r = attachment_new(ATTACH_LINK, link, perf_fd, spec, ret);
	if (r == 0)
		link = -1;
	return r;
}
