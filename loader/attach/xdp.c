/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "base/bits.h"
#include "bpf/klink.h"
#include "loader/attach.h"
#include "loader/spec.h"
#include "loader/suggest.h"

static const struct {
	const char *name;
	uint32_t flag;
} modes[] = {
	{ "native", XDP_FLAGS_DRV_MODE },
	{ "generic", XDP_FLAGS_SKB_MODE },
	{ "offload", XDP_FLAGS_HW_MODE },
};

static int parse_mode(const struct spec *s, struct report *rp, uint32_t *ret)
{
	const char *mode = spec_option(s, "mode");

	*ret = 0;
	if (!mode)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(mode, modes[i].name)) {
			*ret = modes[i].flag;
			return 0;
		}
	}
	return report(rp, -EINVAL, "mode=%.100s is none of native, generic, offload", mode);
}

static int no_device(const char *dev, struct report *rp)
{
	struct suggest close = SUGGEST_INIT(dev);
	struct if_nameindex *list = if_nameindex();

	for (struct if_nameindex *i = list; i && i->if_name; i++)
		suggest_add(&close, i->if_name);
	if_freenameindex(list);
	return report(rp, -ENODEV, "no interface '%.100s'%s", dev, suggest_text(&close));
}

static int explain(int err, const struct attach_prog *prog, const char *dev, uint32_t flags,
		   struct report *rp)
{
	switch (err) {
	case -EBUSY:
		return report(rp, err, "%s has an XDP program already; detach that one first", dev);
	case -EEXIST:
		return report(rp, err,
			      "%s has an XDP program in another mode, and native and generic "
			      "exclude each other",
			      dev);
	case -EOPNOTSUPP:
		if (flags & XDP_FLAGS_DRV_MODE)
			return report(rp, err,
				      "the driver of %s has no native XDP; mode=generic works",
				      dev);
		break;
	case -EINVAL:
		if (flags & XDP_FLAGS_HW_MODE)
			return report(
				rp, err,
				"'%s' was not loaded for the hardware of %s: mode=offload wants "
				"a program that was loaded with its ifindex",
				prog->name, dev);
		break;
	}
	return report(rp, err, "cannot attach '%s' to %s: %s", prog->name, dev, strerror(-err));
}

static int xdp_attach(const struct attach_env *env, const struct attach_prog *prog,
		      const struct spec *s, struct report *rp, struct attachment **ret)
{
	const char *dev = spec_option(s, "dev"), *mode = spec_option(s, "mode");
	struct abi_link_create attr = { .prog_fd = prog->fd, .attach_type = BPF_XDP };
	_cleanup_str_ struct str spec = {};
	_cleanup_close_ int link = -1;
	char name[IF_NAMESIZE];
	int r;

	(void)env;
	if (!dev)
		return report(rp, -EINVAL, "xdp wants an interface: dev=NAME");
	r = parse_mode(s, rp, &attr.flags);
	if (r < 0)
		return r;
	if (prog->attach_type == BPF_XDP_DEVMAP || prog->attach_type == BPF_XDP_CPUMAP)
		return report(
			rp, -EINVAL,
			"'%s' was loaded to run from a map; on an interface goes SEC(\"xdp\")",
			prog->name);
	attr.target_fd = if_nametoindex(dev);
	/* The name may have been an alternative one. */
	if (!attr.target_fd || !if_indextoname(attr.target_fd, name))
		return no_device(dev, rp);
	link = klink_create(&attr, ABI_SIZE(struct abi_link_create, flags));
	if (link < 0)
		return explain(link, prog, name, attr.flags, rp);
	str_add(&spec, "xdp dev=");
	str_add_word(&spec, name, strlen(name));
	if (mode)
		str_printf(&spec, " mode=%s", mode);
	r = attachment_new(ATTACH_LINK, link, -1, &spec, ret);
	if (r == 0)
		link = -1;
	return r;
}

static bool xdp_can_auto(const char *target)
{
	(void)target;
	return false;
}

static const struct attach_option options[] = {
	{ "dev", "NAME: the interface, in the daemon's network namespace", false },
	{ "mode", "native|generic|offload: default what the driver can", false },
	{},
};

const struct attach_kind attach_xdp = {
	.name = "xdp",
	.usage = "xdp dev=NAME",
	.example = "xdp dev=eth0 mode=generic",
	.options = options,
	.can_auto = xdp_can_auto,
	.attach = xdp_attach,
};
