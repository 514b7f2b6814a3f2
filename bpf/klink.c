/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/klink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "bpf/kobj.h"
#include "bpf/sys.h"

int klink_create(const struct abi_link_create *attr, size_t size)
{
	struct abi_link_create copy = {};

	memcpy(&copy, attr, MIN(size, sizeof(copy)));
	return sys_bpf(BPF_LINK_CREATE, &copy, MIN(size, sizeof(copy)));
}

int klink_raw_tracepoint_open(int prog_fd, const char *name, uint64_t cookie)
{
	struct abi_raw_tracepoint attr = {
		.name = ptr_to_u64(name),
		.prog_fd = prog_fd,
		.cookie = cookie,
	};

	return sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr,
		       cookie ? sizeof(attr) : ABI_SIZE(struct abi_raw_tracepoint, prog_fd));
}

int klink_update(int link_fd, int new_prog_fd)
{
	struct abi_link_update attr = { .link_fd = link_fd, .new_prog_fd = new_prog_fd };

	return sys_bpf(BPF_LINK_UPDATE, &attr, sizeof(attr));
}

int klink_detach(int link_fd)
{
	struct abi_link_fd attr = { .link_fd = link_fd };

	return sys_bpf(BPF_LINK_DETACH, &attr, ABI_SIZE(struct abi_link_fd, link_fd));
}

int klink_iter_create(int link_fd)
{
	struct abi_link_fd attr = { .link_fd = link_fd };

	return sys_bpf(BPF_ITER_CREATE, &attr, sizeof(attr));
}

/* Only the kind says where the name's address goes, so a first call asks for the kind. */
static bool set_name_buffer(struct abi_link_info *info, uint32_t type, uint32_t event,
			    struct klink_names *names)
{
	uint64_t at = ptr_to_u64(names->name);
	uint32_t room = sizeof(names->name);

	switch (type) {
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
		info->raw_tracepoint.tp_name = at;
		info->raw_tracepoint.tp_name_len = room;
		return true;
	case BPF_LINK_TYPE_ITER:
		info->iter.target_name = at;
		info->iter.target_name_len = room;
		return true;
	case ABI_LINK_UPROBE_MULTI:
		info->uprobe_multi.path = at;
		info->uprobe_multi.path_size = room;
		return true;
	case BPF_LINK_TYPE_PERF_EVENT:
		/* The three kinds with a name have it at the same place. */
		if (event == ABI_PERF_EVENT_UNSPEC || event == ABI_PERF_EVENT_EVENT)
			return false;
		info->perf_event.tracepoint.tp_name = at;
		info->perf_event.tracepoint.name_len = room;
		return true;
	default:
		return false;
	}
}

int klink_info(int fd, struct abi_link_info *ret, struct klink_names *names)
{
	struct abi_link_info info = {}, named = {};
	int r = kobj_info(fd, &info, sizeof(info));

	if (r < 0)
		return r;
	if (names) {
		names->name[0] = '\0';
		if (set_name_buffer(&named, info.type, info.perf_event.type, names)) {
			r = kobj_info(fd, &named, sizeof(named));
			if (r < 0)
				return r;
			names->name[sizeof(names->name) - 1] = '\0';
			info = named;
		}
	}
	*ret = info;
	return 0;
}

/* Where the kernel may have put numbers: all ones to see whether it did. */
static void fill_unlikely(uint64_t *v, uint32_t n, uint64_t pattern)
{
	for (uint32_t i = 0; v && i < n; i++)
		v[i] = pattern;
}

static int fetch_multi(int fd, uint32_t type, const struct klink_multi *m)
{
	struct abi_link_info info = {};

	if (type == ABI_LINK_UPROBE_MULTI) {
		info.uprobe_multi.offsets = ptr_to_u64(m->addrs);
		info.uprobe_multi.cookies = ptr_to_u64(m->cookies);
		info.uprobe_multi.ref_ctr_offsets = ptr_to_u64(m->ref_ctr_offsets);
		info.uprobe_multi.count = m->n;
	} else {
		info.kprobe_multi.addrs = ptr_to_u64(m->addrs);
		info.kprobe_multi.cookies = ptr_to_u64(m->cookies);
		info.kprobe_multi.count = m->n;
	}
	return kobj_info(fd, &info, sizeof(info));
}

/*
 * A kernel that knows no cookies here ignores the buffer instead of refusing
 * it. Any number may be a cookie, so a buffer counts as ignored only if two
 * calls leave two different patterns in it.
 */
static int fetch_multi_cookies(int fd, uint32_t type, struct klink_multi *m)
{
	int r;

	for (int i = 0; i < 2; i++) {
		uint64_t pattern = i ? 0x5a5a5a5a5a5a5a5a : UINT64_MAX;

		fill_unlikely(m->cookies, m->n, pattern);
		r = fetch_multi(fd, type, m);
		if (r < 0)
			return r;
		if (m->cookies[0] != pattern)
			return 0;
	}
	free(m->cookies);
	m->cookies = NULL;
	return 0;
}

int klink_multi_info(int fd, struct klink_multi *ret)
{
	struct abi_link_info info = {};
	struct klink_multi m = {};
	int r = kobj_info(fd, &info, sizeof(info));

	if (r < 0)
		return r;
	if (info.type == ABI_LINK_UPROBE_MULTI)
		m.n = info.uprobe_multi.count;
	else if (info.type == BPF_LINK_TYPE_KPROBE_MULTI)
		m.n = info.kprobe_multi.count;
	else
		return -EINVAL;
	/* No such link is empty: the kernel does not tell (before 6.6 and 6.8). */
	if (!m.n)
		return -EOPNOTSUPP;
	m.addrs = calloc(m.n, sizeof(*m.addrs));
	m.cookies = calloc(m.n, sizeof(*m.cookies));
	if (info.type == ABI_LINK_UPROBE_MULTI)
		m.ref_ctr_offsets = calloc(m.n, sizeof(*m.ref_ctr_offsets));
	if (!m.addrs || !m.cookies || (info.type == ABI_LINK_UPROBE_MULTI && !m.ref_ctr_offsets))
		r = -ENOMEM;
	else
		r = fetch_multi_cookies(fd, info.type, &m);
	if (r < 0) {
		klink_multi_deinit(&m);
		return r;
	}
	*ret = m;
	return 0;
}

void klink_multi_deinit(struct klink_multi *m)
{
	free(m->addrs);
	free(m->cookies);
	free(m->ref_ctr_offsets);
	*m = (struct klink_multi){};
}
