/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/abi.h"

/* The kernel's own ENOTSUPP, which its user-space headers do not know. */
enum { KERNEL_ENOTSUPP = 524, CMD_TOKEN_CREATE = 36 };

/* Where the installed headers know a field, ours lies at the same place. */
#define SAME(type, field, theirs) \
	_Static_assert(offsetof(type, field) == offsetof(union bpf_attr, theirs), #theirs)
SAME(struct abi_map_create, map_name, map_name);
SAME(struct abi_map_create, map_extra, map_extra);
SAME(struct abi_map_elem, key, key);
SAME(struct abi_map_elem, flags, flags);
SAME(struct abi_map_batch, count, batch.count);
SAME(struct abi_map_batch, flags, batch.flags);
SAME(struct abi_prog_load, log_buf, log_buf);
SAME(struct abi_prog_load, prog_name, prog_name);
SAME(struct abi_prog_load, func_info, func_info);
SAME(struct abi_prog_load, line_info_cnt, line_info_cnt);
SAME(struct abi_prog_load, attach_prog_fd, attach_prog_fd);
SAME(struct abi_prog_load, fd_array, fd_array);
SAME(struct abi_prog_load, core_relo_rec_size, core_relo_rec_size);
SAME(struct abi_btf_load, btf_log_level, btf_log_level);
SAME(struct abi_obj, file_flags, file_flags);
SAME(struct abi_get_id, next_id, next_id);
SAME(struct abi_get_id, open_flags, open_flags);
SAME(struct abi_info, info, info.info);
SAME(struct abi_raw_tracepoint, prog_fd, raw_tracepoint.prog_fd);
SAME(struct abi_prog_test_run, batch_size, test.batch_size);
SAME(struct abi_link_create, flags, link_create.flags);
SAME(struct abi_link_create, iter.iter_info_len, link_create.iter_info_len);
SAME(struct abi_link_create, perf_event.bpf_cookie, link_create.perf_event.bpf_cookie);
SAME(struct abi_link_create, kprobe_multi.cookies, link_create.kprobe_multi.cookies);
SAME(struct abi_link_create, tracing.cookie, link_create.tracing.cookie);
SAME(struct abi_link_update, old_prog_fd, link_update.old_prog_fd);
SAME(struct abi_link_fd, flags, iter_create.flags);
SAME(struct abi_prog_bind_map, flags, prog_bind_map.flags);

static bool returns_fd(int cmd)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
	case BPF_PROG_LOAD:
	case BPF_OBJ_GET:
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_BTF_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_BTF_LOAD:
	case BPF_LINK_CREATE:
	case BPF_ENABLE_STATS:
	case BPF_ITER_CREATE:
	case CMD_TOKEN_CREATE:
		return true;
	default:
		return false;
	}
}

/*
 * A process that was started with a standard stream closed gets 0, 1 or 2 for
 * its next descriptor. Such a one is moved: 0 means "none" in many requests,
 * and whoever prints would write into the object.
 */
static int above_stdio(int fd)
{
	int moved, saved;

	if (fd < 0 || fd > 2)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	saved = errno;
	close(fd);
	return moved < 0 ? -saved : moved;
}

int sys_bpf(int cmd, void *attr, size_t size)
{
	long r = syscall(__NR_bpf, cmd, attr, size);

	if (r < 0)
		return errno == KERNEL_ENOTSUPP ? -EOPNOTSUPP : -errno;
	return returns_fd(cmd) ? above_stdio(r) : (int)r;
}

int sys_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
			unsigned long flags)
{
	long r = syscall(__NR_perf_event_open, attr, pid, cpu, group_fd,
			 flags | PERF_FLAG_FD_CLOEXEC);

	return r < 0 ? -errno : above_stdio(r);
}

int sys_perf_ioctl(int fd, unsigned long request, unsigned long arg)
{
	if (ioctl(fd, request, arg) < 0)
		return errno == KERNEL_ENOTSUPP ? -EOPNOTSUPP : -errno;
	return 0;
}

int sys_map_mmap(int map_fd, size_t len, int prot, uint64_t offset, void **ret)
{
	off_t at = offset;
	void *p;

	if (at < 0 || (uint64_t)at != offset)
		return -EOVERFLOW;
	p = mmap(NULL, len, prot, MAP_SHARED, map_fd, at);
	if (p == MAP_FAILED)
		return errno == KERNEL_ENOTSUPP ? -EOPNOTSUPP : -errno;
	*ret = p;
	return 0;
}
