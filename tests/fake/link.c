/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bits.h"
#include "bpf/abi.h"
#include "tests/fake/object.h"

static uint32_t link_type_of(uint32_t attach_type)
{
	switch (attach_type) {
	case BPF_TRACE_RAW_TP:
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
	case BPF_LSM_MAC:
	case ABI_TRACE_FSESSION:
		return BPF_LINK_TYPE_TRACING;
	case BPF_TRACE_ITER:
		return BPF_LINK_TYPE_ITER;
	case BPF_FLOW_DISSECTOR:
	case BPF_SK_LOOKUP:
		return BPF_LINK_TYPE_NETNS;
	case BPF_XDP:
		return BPF_LINK_TYPE_XDP;
	case BPF_PERF_EVENT:
		return BPF_LINK_TYPE_PERF_EVENT;
	case BPF_TRACE_KPROBE_MULTI:
	case ABI_TRACE_KPROBE_SESSION:
		return BPF_LINK_TYPE_KPROBE_MULTI;
	case ABI_TRACE_UPROBE_MULTI:
	case ABI_TRACE_UPROBE_SESSION:
		return ABI_LINK_UPROBE_MULTI;
	case ABI_STRUCT_OPS:
		return BPF_LINK_TYPE_STRUCT_OPS;
	case ABI_NETFILTER:
		return ABI_LINK_NETFILTER;
	case ABI_TCX_INGRESS:
	case ABI_TCX_EGRESS:
		return ABI_LINK_TCX;
	case ABI_NETKIT_PRIMARY:
	case ABI_NETKIT_PEER:
		return ABI_LINK_NETKIT;
	case BPF_SK_MSG_VERDICT:
	case BPF_SK_SKB_STREAM_PARSER:
	case BPF_SK_SKB_STREAM_VERDICT:
	case BPF_SK_SKB_VERDICT:
		return ABI_LINK_SOCKMAP;
	default:
		return BPF_LINK_TYPE_CGROUP;
	}
}

static int link_new(uint32_t type, uint32_t prog_id, const struct fake_call *call)
{
	int fd;
	struct object *link = object_new(KOBJ_LINK, &fd);

	if (!link)
		return -EMFILE;
	link->link_type = type;
	link->link_prog = prog_id;
	link->made = call;
	return fd;
}

static int check_uprobe_multi(const struct abi_link_create *attr)
{
	const char *path = (const char *)(uintptr_t)attr->uprobe_multi.path;
	struct stat st;

	if (!path || !attr->uprobe_multi.offsets || !attr->uprobe_multi.cnt)
		return -EINVAL;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EBADF;
}

int fake_link_create(const struct abi_link_create *attr, const struct fake_call *call)
{
	uint32_t type = link_type_of(attr->attach_type);
	bool of_map = type == BPF_LINK_TYPE_STRUCT_OPS;
	const struct object *target = object_by_fd(of_map ? KOBJ_MAP : KOBJ_PROG, attr->prog_fd);
	int r = 0;

	if (!target)
		return -EBADF;
	if (fake_kernel.max_attach_type && attr->attach_type > fake_kernel.max_attach_type)
		return -EINVAL;
	if (type == BPF_LINK_TYPE_PERF_EVENT && !object_by_fd(KIND_PERF, attr->target_fd))
		return -EBADF;
	if (type == ABI_LINK_UPROBE_MULTI)
		r = check_uprobe_multi(attr);
	return r < 0 ? r : link_new(type, of_map ? 0 : target->id, call);
}

int fake_raw_tracepoint_open(const struct abi_raw_tracepoint *attr, const struct fake_call *call)
{
	const struct object *prog = object_by_fd(KOBJ_PROG, attr->prog_fd);
	uint32_t type = BPF_LINK_TYPE_RAW_TRACEPOINT;

	if (!prog)
		return -EBADF;
	/* fentry and the like: the program knows its target. */
	if (!attr->name && prog->prog.expected_attach_type != BPF_TRACE_RAW_TP)
		type = BPF_LINK_TYPE_TRACING;
	return link_new(type, prog->id, call);
}

int fake_link_update(const struct abi_link_update *attr)
{
	struct object *link = object_by_fd(KOBJ_LINK, attr->link_fd);
	const struct object *prog = object_by_fd(KOBJ_PROG, attr->new_prog_fd);

	if (!link || (!prog && link->link_type != BPF_LINK_TYPE_STRUCT_OPS))
		return -EBADF;
	switch (link->link_type) {
	case BPF_LINK_TYPE_PERF_EVENT:
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
	case BPF_LINK_TYPE_TRACING:
	case BPF_LINK_TYPE_KPROBE_MULTI:
	case ABI_LINK_UPROBE_MULTI:
		return -EINVAL;
	case ABI_LINK_NETFILTER:
		return -EOPNOTSUPP;
	}
	if (prog)
		link->link_prog = prog->id;
	return 0;
}

int fake_link_detach(const struct abi_link_fd *attr)
{
	struct object *link = object_by_fd(KOBJ_LINK, attr->link_fd);

	if (!link)
		return -EBADF;
	switch (link->link_type) {
	case BPF_LINK_TYPE_PERF_EVENT:
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
	case BPF_LINK_TYPE_TRACING:
	case BPF_LINK_TYPE_ITER:
	case BPF_LINK_TYPE_KPROBE_MULTI:
	case ABI_LINK_UPROBE_MULTI:
		return -EOPNOTSUPP;
	}
	link->detached = true;
	return 0;
}

int fake_iter_create(const struct abi_link_fd *attr)
{
	const struct object *link = object_by_fd(KOBJ_LINK, attr->link_fd);
	int fd;

	if (!link)
		return -EBADF;
	if (link->link_type != BPF_LINK_TYPE_ITER)
		return -EINVAL;
	return object_new(KIND_OTHER, &fd) ? fd : -EMFILE;
}

int fake_perf_open(const struct fake_perf_open *attr)
{
	struct object *o;
	int fd;

	if ((attr->pid == -1 && attr->cpu == -1) || attr->pid < -1)
		return -EINVAL;
	o = object_new(KIND_PERF, &fd);
	if (!o)
		return -EMFILE;
	o->perf = attr->attr;
	o->enabled = !attr->attr.disabled;
	return fd;
}

int fake_perf_ioctl(const struct fake_perf_ioctl *attr)
{
	struct object *o = object_by_fd(KIND_PERF, attr->fd);
	const struct object *prog;

	if (!o)
		return -EBADF;
	switch (attr->request) {
	case PERF_EVENT_IOC_ENABLE:
	case PERF_EVENT_IOC_DISABLE:
		o->enabled = attr->request == PERF_EVENT_IOC_ENABLE;
		return 0;
	case PERF_EVENT_IOC_SET_BPF:
		prog = object_by_fd(KOBJ_PROG, (int)attr->arg);
		if (!prog)
			return -EBADF;
		if (o->perf_prog)
			return -EEXIST;
		o->perf_prog = prog->id;
		return 0;
	default:
		return -ENOTTY;
	}
}

bool fake_sys_perf_enabled(int fd, uint32_t *ret_prog)
{
	const struct object *o = object_by_fd(KIND_PERF, fd);

	if (ret_prog)
		*ret_prog = o ? o->perf_prog : 0;
	return o && o->enabled;
}

static void give_text(uint64_t to, uint32_t room, const char *text)
{
	size_t len = strlen(text);

	if (!to || !room)
		return;
	len = MIN(len, (size_t)room - 1);
	memcpy((void *)(uintptr_t)to, text, len);
	((char *)(uintptr_t)to)[len] = '\0';
}

static void give_numbers(uint64_t to, const uint64_t *from, uint32_t n)
{
	if (!to)
		return;
	if (from)
		memcpy((void *)(uintptr_t)to, from, n * sizeof(*from));
	else
		memset((void *)(uintptr_t)to, 0, n * sizeof(*from));
}

static void uprobe_multi_info(const struct fake_call *made, struct abi_link_info *info)
{
	const struct abi_link_create *attr = &made->attr.link_create;
	uint32_t n = MIN(info->uprobe_multi.count, attr->uprobe_multi.cnt);

	give_text(info->uprobe_multi.path, info->uprobe_multi.path_size, made->text);
	give_numbers(info->uprobe_multi.offsets, made->offsets, n);
	give_numbers(info->uprobe_multi.ref_ctr_offsets, made->ref_ctr_offsets, n);
	give_numbers(info->uprobe_multi.cookies, made->cookies, n);
	info->uprobe_multi.path_size = strlen(made->text) + 1;
	info->uprobe_multi.count = attr->uprobe_multi.cnt;
	info->uprobe_multi.flags = attr->uprobe_multi.flags;
	info->uprobe_multi.pid = attr->uprobe_multi.pid;
}

static void kprobe_multi_info(const struct fake_call *made, struct abi_link_info *info)
{
	const struct abi_link_create *attr = &made->attr.link_create;
	uint32_t n = MIN(info->kprobe_multi.count, attr->kprobe_multi.cnt);

	give_numbers(info->kprobe_multi.addrs, made->offsets, n);
	give_numbers(info->kprobe_multi.cookies, made->cookies, n);
	info->kprobe_multi.count = attr->kprobe_multi.cnt;
	info->kprobe_multi.flags = attr->kprobe_multi.flags;
}

/* The event may be closed by now: what the link tells is what it was made with. */
static void perf_event_info(const struct fake_call *made, struct abi_link_info *info)
{
	const struct abi_link_create *attr = &made->attr.link_create;
	const struct object *event = object_by_fd(KIND_PERF, attr->target_fd);

	info->perf_event.type = ABI_PERF_EVENT_EVENT;
	if (!event)
		return;
	if (event->perf.type == PERF_TYPE_TRACEPOINT) {
		info->perf_event.type = ABI_PERF_EVENT_TRACEPOINT;
		info->perf_event.tracepoint.cookie = attr->perf_event.bpf_cookie;
		info->perf_event.tracepoint.name_len = 0;
	} else if (event->perf.type >= PERF_TYPE_MAX) {
		info->perf_event.type =
			event->perf.config & 1 ? ABI_PERF_EVENT_URETPROBE : ABI_PERF_EVENT_UPROBE;
		info->perf_event.uprobe.offset = event->perf.probe_offset;
		info->perf_event.uprobe.cookie = attr->perf_event.bpf_cookie;
	} else {
		info->perf_event.event.type = event->perf.type;
		info->perf_event.event.config = event->perf.config;
		info->perf_event.event.cookie = attr->perf_event.bpf_cookie;
	}
}

void fake_link_info(const struct object *link, struct abi_link_info *info)
{
	const struct fake_call *made = link->made;
	const struct abi_link_create *attr = &made->attr.link_create;

	info->type = link->link_type;
	info->id = link->id;
	info->prog_id = link->link_prog;
	switch (link->link_type) {
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
		if (!made->text)
			break;
		give_text(info->raw_tracepoint.tp_name, info->raw_tracepoint.tp_name_len,
			  made->text);
		info->raw_tracepoint.tp_name_len = strlen(made->text) + 1;
		info->raw_tracepoint.cookie = made->attr.raw_tracepoint.cookie;
		break;
	case BPF_LINK_TYPE_TRACING:
		if (made->cmd == BPF_LINK_CREATE) {
			info->tracing.attach_type = attr->attach_type;
			info->tracing.cookie = attr->tracing.cookie;
		}
		break;
	case BPF_LINK_TYPE_CGROUP:
		info->cgroup.attach_type = attr->attach_type;
		break;
	case BPF_LINK_TYPE_NETNS:
		info->netns.attach_type = attr->attach_type;
		break;
	case BPF_LINK_TYPE_XDP:
		info->xdp.ifindex = link->detached ? 0 : attr->target_fd;
		break;
	case ABI_LINK_TCX:
	case ABI_LINK_NETKIT:
		info->dev.ifindex = link->detached ? 0 : attr->target_fd;
		info->dev.attach_type = attr->attach_type;
		break;
	case BPF_LINK_TYPE_PERF_EVENT:
		perf_event_info(made, info);
		break;
	case BPF_LINK_TYPE_KPROBE_MULTI:
		kprobe_multi_info(made, info);
		break;
	case ABI_LINK_UPROBE_MULTI:
		uprobe_multi_info(made, info);
		break;
	}
}
