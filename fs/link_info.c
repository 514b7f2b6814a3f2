/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a link's kind adds to its information, and the attach spec that would make
 * it again, as far as the kernel tells. To teach both a new kind: a case in each.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statfs.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "bpf/names.h"
#include "fs/info.h"
#include "loader/attach.h"
#include "loader/section.h"

static void add_attach_type(struct info *i, uint32_t type)
{
	info_name(i, "attach_type", attach_type_name(type), type);
}

static void add_ifindex(struct info *i, uint32_t ifindex)
{
	char name[IF_NAMESIZE] = "(unknown)";

	if (!ifindex)
		strcpy(name, "(detached)");
	else
		if_indextoname(ifindex, name);
	info_str(i, "devname", name);
	info_u64(i, "ifindex", ifindex);
}

static uint32_t prog_type_of(uint32_t prog_id)
{
	_cleanup_close_ int fd = kobj_fd_by_id(KOBJ_PROG, prog_id);
	struct bpf_prog_info info = {};

	return fd >= 0 && kprog_info(fd, &info) == 0 ? info.type : 0;
}

static void add_tracing(struct info *i, const struct abi_link_info *info)
{
	uint32_t type = prog_type_of(info->prog_id);

	info_name(i, "prog_type", prog_type_name(type), type);
	add_attach_type(i, info->tracing.attach_type);
	info_u64(i, "target_obj_id", info->tracing.target_obj_id);
	info_u64(i, "target_btf_id", info->tracing.target_btf_id);
	if (info->tracing.cookie)
		info_u64(i, "cookie", info->tracing.cookie);
}

static void add_iter(struct info *i, const struct abi_link_info *info, const char *target)
{
	static const char *const orders[] = { "order_unspec", "self_only", "descendants_pre",
					      "descendants_post", "ancestors_up" };

	info_str(i, "target_name", target);
	if (!strcmp(target, "bpf_map_elem") || !strcmp(target, "bpf_sk_storage_map"))
		info_u64(i, "map_id", info->iter.map_id);
	if (!strcmp(target, "task") || !strcmp(target, "task_file") ||
	    !strcmp(target, "task_vma")) {
		if (info->iter.task.tid)
			info_u64(i, "tid", info->iter.task.tid);
		else if (info->iter.task.pid)
			info_u64(i, "pid", info->iter.task.pid);
	}
	if (!strcmp(target, "cgroup")) {
		info_u64(i, "cgroup_id", info->iter.cgroup.cgroup_id);
		if (info->iter.cgroup.order < ARRAY_SIZE(orders))
			info_str(i, "order", orders[info->iter.cgroup.order]);
		else
			info_u64(i, "order", info->iter.cgroup.order);
	}
}

static void add_perf_event(struct info *i, const struct abi_link_info *info, const char *name)
{
	static const char *const types[] = {
		[PERF_TYPE_HARDWARE] = "hardware",
		[PERF_TYPE_SOFTWARE] = "software",
		[PERF_TYPE_TRACEPOINT] = "tracepoint",
		[PERF_TYPE_HW_CACHE] = "hw-cache",
		[PERF_TYPE_RAW] = "raw",
		[PERF_TYPE_BREAKPOINT] = "breakpoint",
	};
	uint32_t what = info->perf_event.type;

	switch (what) {
	case ABI_PERF_EVENT_EVENT:
		info_name(i, "event_type",
			  info->perf_event.event.type < ARRAY_SIZE(types)
				  ? types[info->perf_event.event.type]
				  : NULL,
			  info->perf_event.event.type);
		info_u64(i, "event_config", info->perf_event.event.config);
		info_u64(i, "cookie", info->perf_event.event.cookie);
		break;
	case ABI_PERF_EVENT_TRACEPOINT:
		info_str(i, "tracepoint", name);
		info_u64(i, "cookie", info->perf_event.tracepoint.cookie);
		break;
	case ABI_PERF_EVENT_KPROBE:
	case ABI_PERF_EVENT_KRETPROBE:
		info_bool(i, "retprobe", what == ABI_PERF_EVENT_KRETPROBE);
		info_hex(i, "addr", info->perf_event.kprobe.addr);
		info_str(i, "func", name);
		info_hex(i, "offset", info->perf_event.kprobe.offset);
		info_u64(i, "missed", info->perf_event.kprobe.missed);
		info_u64(i, "cookie", info->perf_event.kprobe.cookie);
		break;
	case ABI_PERF_EVENT_UPROBE:
	case ABI_PERF_EVENT_URETPROBE:
		info_bool(i, "retprobe", what == ABI_PERF_EVENT_URETPROBE);
		info_str(i, "file", name);
		info_hex(i, "offset", info->perf_event.uprobe.offset);
		info_u64(i, "cookie", info->perf_event.uprobe.cookie);
		info_hex(i, "ref_ctr_offset", info->perf_event.uprobe.ref_ctr_offset);
		break;
	}
}

static void add_funcs(struct info *i, int fd, bool user)
{
	_cleanup_(klink_multi_deinit) struct klink_multi m = {};

	if (klink_multi_info(fd, &m) < 0)
		return;
	info_open_list(i, "funcs");
	for (uint32_t k = 0; k < m.n; k++) {
		info_open_item(i, "func", !k);
		info_hex(i, user ? "offset" : "addr", m.addrs[k]);
		if (m.ref_ctr_offsets)
			info_hex(i, "ref_ctr_offset", m.ref_ctr_offsets[k]);
		if (m.cookies)
			info_u64(i, "cookie", m.cookies[k]);
		info_close_item(i);
	}
	info_close_list(i);
}

void info_link_fields(struct info *i, int fd, const struct abi_link_info *info, const char *name)
{
	switch (info->type) {
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
		info_str(i, "tp_name", name);
		if (info->raw_tracepoint.cookie)
			info_u64(i, "cookie", info->raw_tracepoint.cookie);
		break;
	case BPF_LINK_TYPE_TRACING:
		add_tracing(i, info);
		break;
	case BPF_LINK_TYPE_CGROUP:
		info_u64(i, "cgroup_id", info->cgroup.cgroup_id);
		add_attach_type(i, info->cgroup.attach_type);
		break;
	case BPF_LINK_TYPE_ITER:
		add_iter(i, info, name);
		break;
	case BPF_LINK_TYPE_NETNS:
		info_u64(i, "netns_ino", info->netns.netns_ino);
		add_attach_type(i, info->netns.attach_type);
		break;
	case ABI_LINK_NETFILTER:
		info_u64(i, "pf", info->netfilter.pf);
		info_u64(i, "hook", info->netfilter.hooknum);
		info_i64(i, "prio", info->netfilter.priority);
		info_hex(i, "flags", info->netfilter.flags);
		break;
	case BPF_LINK_TYPE_XDP:
		add_ifindex(i, info->xdp.ifindex);
		break;
	case ABI_LINK_TCX:
	case ABI_LINK_NETKIT:
		add_ifindex(i, info->dev.ifindex);
		add_attach_type(i, info->dev.attach_type);
		break;
	case ABI_LINK_SOCKMAP:
		info_u64(i, "map_id", info->sockmap.map_id);
		add_attach_type(i, info->sockmap.attach_type);
		break;
	case BPF_LINK_TYPE_STRUCT_OPS:
		info_u64(i, "map_id", info->struct_ops.map_id);
		break;
	case BPF_LINK_TYPE_KPROBE_MULTI:
		info_bool(i, "retprobe", info->kprobe_multi.flags & 1);
		info_u64(i, "func_cnt", info->kprobe_multi.count);
		info_u64(i, "missed", info->kprobe_multi.missed);
		add_funcs(i, fd, false);
		break;
	case ABI_LINK_UPROBE_MULTI:
		info_bool(i, "retprobe", info->uprobe_multi.flags & ABI_F_UPROBE_MULTI_RETURN);
		info_str(i, "path", name);
		info_u64(i, "func_cnt", info->uprobe_multi.count);
		info_i64(i, "pid", (int32_t)info->uprobe_multi.pid);
		add_funcs(i, fd, true);
		break;
	case BPF_LINK_TYPE_PERF_EVENT:
		add_perf_event(i, info, name);
		break;
	}
}

bool info_link_attached(const struct abi_link_info *info)
{
	switch (info->type) {
	case BPF_LINK_TYPE_XDP:
		return info->xdp.ifindex;
	case ABI_LINK_TCX:
	case ABI_LINK_NETKIT:
		return info->dev.ifindex;
	case BPF_LINK_TYPE_CGROUP:
		return info->cgroup.cgroup_id;
	case BPF_LINK_TYPE_NETNS:
		return info->netns.netns_ino;
	case ABI_LINK_SOCKMAP:
		return info->sockmap.map_id;
	default:
		/* The others are attached as long as they are. */
		return true;
	}
}

static void add_cookie(struct str *out, uint64_t cookie)
{
	if (cookie)
		str_printf(out, " cookie=%llu", (unsigned long long)cookie);
}

/* The kernel tells the event's name without the system that it belongs to. False: none or several
 * have it. */
static bool find_category(const char *event, char ret[256])
{
	static const char *const roots[] = { "/sys/kernel/tracing/events",
					     "/sys/kernel/debug/tracing/events" };
	char path[512];
	int found = 0;

	for (size_t k = 0; k < ARRAY_SIZE(roots) && !found; k++) {
		DIR *dir = opendir(roots[k]);
		struct dirent *d;

		while (dir && (d = readdir(dir))) {
			if (d->d_name[0] == '.' || d->d_type != DT_DIR)
				continue;
			snprintf(path, sizeof(path), "%.240s/%.200s/id", d->d_name, event);
			if (faccessat(dirfd(dir), path, F_OK, 0) < 0)
				continue;
			found++;
			snprintf(ret, 256, "%s", d->d_name);
		}
		if (dir)
			closedir(dir);
	}
	return found == 1;
}

static int spec_perf_event(const struct abi_link_info *info, const char *name, struct report *rp,
			   struct str *out)
{
	char category[256];

	switch (info->perf_event.type) {
	case ABI_PERF_EVENT_TRACEPOINT:
		if (!find_category(name, category))
			return report(
				rp, -EOPNOTSUPP,
				"link %u: the kernel tells only the tracepoint's name, '%.200s', "
				"and not which of its kind it is",
				info->id, name);
		str_printf(out, "tracepoint/%s/%s", category, name);
		add_cookie(out, info->perf_event.tracepoint.cookie);
		return 0;
	case ABI_PERF_EVENT_KPROBE:
	case ABI_PERF_EVENT_KRETPROBE:
		str_add(out,
			info->perf_event.type == ABI_PERF_EVENT_KPROBE ? "kprobe/" : "kretprobe/");
		if (*name)
			str_add_word(out, name, strlen(name));
		else
			str_add_hex(out, info->perf_event.kprobe.addr);
		if (info->perf_event.kprobe.offset)
			str_printf(out, "+0x%x", info->perf_event.kprobe.offset);
		add_cookie(out, info->perf_event.kprobe.cookie);
		return 0;
	case ABI_PERF_EVENT_UPROBE:
	case ABI_PERF_EVENT_URETPROBE:
		str_add(out,
			info->perf_event.type == ABI_PERF_EVENT_UPROBE ? "uprobe/" : "uretprobe/");
		str_add_word(out, name, strlen(name));
		str_printf(out, ":0x%x", info->perf_event.uprobe.offset);
		if (info->perf_event.uprobe.ref_ctr_offset)
			str_printf(out, " ref_ctr_offset=0x%llx",
				   (unsigned long long)info->perf_event.uprobe.ref_ctr_offset);
		add_cookie(out, info->perf_event.uprobe.cookie);
		return 0;
	case ABI_PERF_EVENT_EVENT:
		str_printf(out, "perf_event type=%u config=0x%llx", info->perf_event.event.type,
			   (unsigned long long)info->perf_event.event.config);
		add_cookie(out, info->perf_event.event.cookie);
		return 0;
	default:
		return report(
			rp, -EOPNOTSUPP,
			"link %u: this kernel does not tell what its perf event is (Linux 6.6)",
			info->id);
	}
}

static void add_list(struct str *out, const char *name, const uint64_t *v, uint32_t n, bool hex)
{
	bool any = false;

	for (uint32_t i = 0; v && i < n; i++)
		any |= v[i] != 0;
	if (!any)
		return;
	str_printf(out, " %s=", name);
	for (uint32_t i = 0; i < n; i++)
		str_printf(out, hex ? "%s0x%llx" : "%s%llu", i ? "," : "",
			   (unsigned long long)v[i]);
}

static int spec_uprobe_multi(int fd, const struct abi_link_info *info, const char *name,
			     struct report *rp, struct str *out)
{
	_cleanup_(klink_multi_deinit) struct klink_multi m = {};
	int r = klink_multi_info(fd, &m);

	if (r < 0)
		return report(rp, r, "link %u: the kernel does not tell its functions", info->id);
	str_add(out, info->uprobe_multi.flags & ABI_F_UPROBE_MULTI_RETURN ? "uretprobe.multi/"
									  : "uprobe.multi/");
	str_add_word(out, name, strlen(name));
	if (info->uprobe_multi.pid)
		str_printf(out, " pid=%u", info->uprobe_multi.pid);
	add_list(out, "offsets", m.addrs, m.n, true);
	add_list(out, "ref_ctr_offsets", m.ref_ctr_offsets, m.n, true);
	add_list(out, "cookies", m.cookies, m.n, false);
	return 0;
}

static bool add_dev(struct str *out, uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	if (!ifindex || !if_indextoname(ifindex, name))
		return false;
	str_add(out, " dev=");
	str_add_word(out, name, strlen(name));
	return true;
}

/* The root of cgroup v2, alone or beside v1. */
static int open_cgroup_root(void)
{
	static const char *const paths[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_close_ int fd = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return take_fd(fd);
	}
	return -1;
}

/* A cgroup's id is what its file handle holds. */
static bool cgroup_path(uint64_t id, char *ret, size_t size)
{
	/* 0xfe is the type of kernfs handles. */
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = { .h = { .handle_bytes = sizeof(id), .handle_type = 0xfe } };
	_cleanup_close_ int mount = open_cgroup_root();
	_cleanup_close_ int fd = -1;
	char link[64];
	ssize_t n;

	memcpy(handle.h.f_handle, &id, sizeof(id));
	if (mount >= 0)
		fd = open_by_handle_at(mount, &handle.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, size - 1);
	if (n < 0)
		return false;
	ret[n] = '\0';
	return true;
}

static int spec_cgroup(const struct abi_link_info *info, struct report *rp, struct str *out)
{
	uint32_t prog_type = prog_type_of(info->prog_id);
	const struct section_rule *rule = section_rules;
	char path[4096];

	while (rule->name && !(rule->kind == &attach_cgroup && rule->prog_type == prog_type &&
			       rule->attach_type == info->cgroup.attach_type))
		rule++;
	if (!rule->name)
		return report(rp, -EOPNOTSUPP, "link %u: no SEC() is known for attach type %u",
			      info->id, info->cgroup.attach_type);
	str_printf(out, "%s cgroup=", rule->name);
	if (cgroup_path(info->cgroup.cgroup_id, path, sizeof(path)))
		str_add_word(out, path, strlen(path));
	else
		str_printf(out, "id:%llu", (unsigned long long)info->cgroup.cgroup_id);
	return 0;
}

int info_link_spec(int fd, const struct abi_link_info *info, const char *name, struct report *rp,
		   struct str *out)
{
	const char *kind = link_type_name(info->type);

	if (!info_link_attached(info))
		return report(rp, -ENOENT, "link %u is detached", info->id);
	switch (info->type) {
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
		/* Programs of tp_btf are told as raw tracepoints, too. */
		str_add(out, prog_type_of(info->prog_id) == BPF_PROG_TYPE_TRACING ? "tp_btf/"
										  : "raw_tp/");
		str_add_word(out, name, strlen(name));
		add_cookie(out, info->raw_tracepoint.cookie);
		return 0;
	case BPF_LINK_TYPE_PERF_EVENT:
		return spec_perf_event(info, name, rp, out);
	case ABI_LINK_UPROBE_MULTI:
		return spec_uprobe_multi(fd, info, name, rp, out);
	case BPF_LINK_TYPE_CGROUP:
		return spec_cgroup(info, rp, out);
	case BPF_LINK_TYPE_ITER:
		str_add(out, "iter/");
		str_add_word(out, name, strlen(name));
		return 0;
	case BPF_LINK_TYPE_XDP:
		str_add(out, "xdp");
		if (!add_dev(out, info->xdp.ifindex))
			str_printf(out, " dev=%u", info->xdp.ifindex);
		return 0;
	case ABI_LINK_TCX:
		str_add(out,
			info->dev.attach_type == ABI_TCX_INGRESS ? "tcx/ingress" : "tcx/egress");
		if (!add_dev(out, info->dev.ifindex))
			str_printf(out, " dev=%u", info->dev.ifindex);
		return 0;
	case ABI_LINK_NETKIT:
		str_add(out, info->dev.attach_type == ABI_NETKIT_PRIMARY ? "netkit/primary"
									 : "netkit/peer");
		if (!add_dev(out, info->dev.ifindex))
			str_printf(out, " dev=%u", info->dev.ifindex);
		return 0;
	default:
		return report(
			rp, -EOPNOTSUPP,
			"link %u: the kernel tells too little of a link of type %s for a spec",
			info->id, kind ? kind : "unknown");
	}
}
