/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "bpf/klink.h"
#include "bpf/names.h"
#include "loader/attach.h"
#include "loader/spec.h"
#include "loader/spec_file.h"

/* Where in the order of a cgroup's programs (Linux 6.17). */
struct position {
	uint32_t flags, id; /* flags 0: at the end */
	uint64_t revision;  /* 0: whatever it is */
};

static int parse_anchor(const char *name, const char *value, uint32_t flag, struct report *rp,
			struct position *ret)
{
	bool is_link = str_has_prefix(value, "link:");
	uint64_t id;

	if ((!is_link && !str_has_prefix(value, "prog:")) || parse_u64(value + 5, &id) < 0 || !id ||
	    id > UINT32_MAX)
		return report(rp, -EINVAL, "%s=%.100s is neither prog:ID nor link:ID", name, value);
	ret->flags = flag | ABI_F_ID | (is_link ? ABI_F_LINK : 0);
	ret->id = id;
	return 0;
}

static int parse_position(const struct spec *s, struct report *rp, struct position *ret)
{
	const char *before = spec_option(s, "before"), *after = spec_option(s, "after");
	int r = 0;

	if (before && after)
		return report(rp, -EINVAL, "before= and after= exclude each other");
	if (before)
		r = parse_anchor("before", before, ABI_F_BEFORE, rp, ret);
	else if (after)
		r = parse_anchor("after", after, ABI_F_AFTER, rp, ret);
	if (r == 0)
		r = spec_u64(s, "revision", rp, &ret->revision);
	return r;
}

/* Types of which one program serves several attach types, and says at load which. */
static bool is_bound_to_type(uint32_t prog_type)
{
	return prog_type == BPF_PROG_TYPE_CGROUP_SOCK ||
	       prog_type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR ||
	       prog_type == BPF_PROG_TYPE_CGROUP_SOCKOPT;
}

static int check_program(const struct attach_prog *prog, const struct spec *s, struct report *rp)
{
	const char *loaded;

	if (!strcmp(s->rule->name, "cgroup/skb"))
		return report(rp, -EINVAL,
			      "cgroup/skb does not say which packets: write cgroup_skb/ingress or "
			      "cgroup_skb/egress");
	if (!prog->attach_type || !is_bound_to_type(prog->type) ||
	    prog->attach_type == s->rule->attach_type)
		return 0;
	loaded = attach_type_name(prog->attach_type);
	return report(rp, -EINVAL, "'%s' was loaded as %s: %s wants a program of SEC(\"%s\")",
		      prog->name, loaded ? loaded : "something else", s->rule->name, s->rule->name);
}

static int open_cgroup(const struct attach_env *env, const struct spec *s, struct report *rp,
		       struct spec_file **ret)
{
	_cleanup_(spec_file_freep) struct spec_file *dir = NULL;
	const char *path = spec_option(s, "cgroup");
	struct statfs fs;
	int r;

	if (!path)
		return report(rp, -EINVAL, "%s wants a cgroup: cgroup=PATH", s->rule->name);
	r = spec_file_open_dir(env, path, rp, &dir);
	if (r < 0)
		return r;
	if (fstatfs(dir->fd, &fs) < 0)
		return report(rp, -errno, "%.400s: %s", path, strerror(errno));
	if (fs.f_type == CGROUP_SUPER_MAGIC)
		return report(
			rp, -EINVAL,
			"%.400s is a directory of cgroup v1, which has no BPF: give one under "
			"the cgroup2 mount",
			path);
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return report(rp, -EINVAL,
			      "%.400s is no cgroup: give a directory under the cgroup2 mount",
			      path);
	*ret = take_ptr(dir);
	return 0;
}

static int explain(int err, const struct attach_prog *prog, const struct spec *s, const char *path,
		   const struct position *at, struct report *rp)
{
	switch (err) {
	case -EPERM:
		return report(
			rp, err,
			"%.400s: a program that allows no others is attached here or above, or "
			"the right to attach is missing",
			path);
	case -ESTALE:
		return report(rp, err, "%.400s: its programs are no longer those of revision %llu",
			      path, (unsigned long long)at->revision);
	case -E2BIG:
		return report(rp, err, "%.400s has as many programs of %s as it can have (64)",
			      path, s->rule->name);
	case -EINVAL:
	case -ENOENT:
		if (!at->flags && !at->revision)
			break;
		return report(
			rp, err,
			"%.400s: the kernel refuses the place; what before= and after= name must "
			"be attached to this cgroup as %s, and the kernel must be Linux 6.17",
			path, s->rule->name);
	}
	return report(rp, err, "cannot attach '%s' to %.400s as %s: %s", prog->name, path,
		      s->rule->name, strerror(-err));
}

static int create_link(const struct attach_prog *prog, const struct spec *s, int cgroup_fd,
		       const struct position *at)
{
	struct abi_link_create attr = {
		.prog_fd = prog->fd,
		.target_fd = cgroup_fd,
		.attach_type = s->rule->attach_type,
		.flags = at->flags,
		.mprog = { .relative_fd = at->id, .expected_revision = at->revision },
	};

	return klink_create(&attr, at->flags || at->revision
					   ? ABI_SIZE(struct abi_link_create, mprog)
					   : ABI_SIZE(struct abi_link_create, flags));
}

/*
 * Rules that differ in spelling mean one attachment: the first of them is its name. The
 * revision is not in the spec: attaching made it another.
 */
static void write_spec(const struct spec *s, const char *path, struct str *spec)
{
	const char *before = spec_option(s, "before"), *after = spec_option(s, "after");
	const struct section_rule *rule = section_rules;

	while (rule->name &&
	       (rule->kind != &attach_cgroup || rule->prog_type != s->rule->prog_type ||
		rule->attach_type != s->rule->attach_type || !strcmp(rule->name, "cgroup/skb")))
		rule++;
	str_printf(spec, "%s cgroup=", rule->name ? rule->name : s->rule->name);
	str_add_word(spec, path, strlen(path));
	if (before || after)
		str_printf(spec, " %s=%s", before ? "before" : "after", before ? before : after);
}

static int cgroup_attach(const struct attach_env *env, const struct attach_prog *prog,
			 const struct spec *s, struct report *rp, struct attachment **ret)
{
	_cleanup_(spec_file_freep) struct spec_file *dir = NULL;
	_cleanup_str_ struct str spec = {};
	_cleanup_close_ int link = -1;
	struct position at = {};
	int r;

	r = check_program(prog, s, rp);
	if (r == 0)
		r = parse_position(s, rp, &at);
	if (r == 0)
		r = open_cgroup(env, s, rp, &dir);
	if (r < 0)
		return r;
	link = create_link(prog, s, dir->fd, &at);
	if (link < 0)
		return explain(link, prog, s, dir->path, &at, rp);
	write_spec(s, dir->path, &spec);
	r = attachment_new(ATTACH_LINK, link, -1, &spec, ret);
	if (r == 0)
		link = -1;
	return r;
}

static bool cgroup_can_auto(const char *target)
{
	(void)target;
	return false;
}

static const struct attach_option options[] = {
	{ "cgroup", "PATH: a directory under the cgroup2 mount", false },
	{ "before", "prog:ID|link:ID: run in front of that one (Linux 6.17)", false },
	{ "after", "prog:ID|link:ID: run behind that one (Linux 6.17)", false },
	{ "revision", "N: only if the cgroup's programs are still those (Linux 6.17)", false },
	{},
};

const struct attach_kind attach_cgroup = {
	.name = "cgroup",
	.usage = "cgroup/KIND cgroup=PATH, cgroup_skb/ingress|egress cgroup=PATH or sockops "
		 "cgroup=PATH",
	.example = "cgroup/connect4 cgroup=/sys/fs/cgroup/user.slice",
	.options = options,
	.can_auto = cgroup_can_auto,
	.attach = cgroup_attach,
};
