/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/sys.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "tests/fake/object.h"

struct failure {
	int cmd, err;
	unsigned left;
};

int (*fake_sys_hook)(int cmd, void *attr, size_t size, bool *handled);
struct fake_kernel fake_kernel;

static VEC(struct failure) failures;
/* Recursive: the hook makes requests, too. */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void unlockp(pthread_mutex_t **m)
{
	pthread_mutex_unlock(*m);
}
#define _locked_ _cleanup_(unlockp) __attribute__((unused)) pthread_mutex_t *locked = lock_it()

static pthread_mutex_t *lock_it(void)
{
	pthread_mutex_lock(&lock);
	return &lock;
}

void fake_sys_fail(int cmd, unsigned nth, int err)
{
	if (vec_push(&failures, ((struct failure){ .cmd = cmd, .err = err, .left = nth })))
		abort();
}

void fake_sys_reset(void)
{
	_locked_;

	objects_reset();
	record_reset();
	fake_verdicts_reset();
	vec_deinit(&failures);
	fake_sys_hook = NULL;
	fake_kernel = (struct fake_kernel){};
}

static int injected(int cmd)
{
	int err = 0;

	vec_for_each (f, &failures) {
		if (f->cmd == cmd && f->left && --f->left == 0)
			err = f->err;
	}
	return -err;
}

/* What every request goes through first. False: *@ret is its result. */
static bool begin(int cmd, void *attr, size_t size, struct fake_call **call, int *ret)
{
	bool handled = false;

	*call = record_new(cmd, attr, size);
	*ret = injected(cmd);
	if (*ret < 0)
		return false;
	if (fake_sys_hook)
		*ret = fake_sys_hook(cmd, attr, size, &handled);
	return !handled;
}

union any_attr {
	struct abi_map_create map_create;
	struct abi_map_elem map_elem;
	struct abi_map_batch map_batch;
	struct abi_prog_load prog_load;
	struct abi_btf_load btf_load;
	struct abi_obj obj;
	struct abi_get_id get_id;
	struct abi_info info;
	struct abi_raw_tracepoint raw_tracepoint;
	struct abi_prog_test_run test_run;
	struct abi_link_create link_create;
	struct abi_link_update link_update;
	struct abi_link_fd link_fd;
	struct abi_prog_bind_map bind_map;
};

static int bind_map(const struct abi_prog_bind_map *attr)
{
	struct object *prog = object_by_fd(KOBJ_PROG, attr->prog_fd);
	const struct object *map = object_by_fd(KOBJ_MAP, attr->map_fd);

	if (!prog || !map)
		return -EBADF;
	return vec_push(&prog->map_ids, map->id);
}

static int test_run(struct abi_prog_test_run *attr)
{
	if (!object_by_fd(KOBJ_PROG, attr->prog_fd))
		return -EBADF;
	attr->retval = 0;
	attr->duration = 1;
	attr->data_size_out = attr->ctx_size_out = 0;
	return 0;
}

static int dispatch(int cmd, union any_attr *attr, const struct fake_call *call)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
		return fake_map_create(&attr->map_create);
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_FREEZE:
		return fake_map_elem(cmd, &attr->map_elem);
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
		return fake_map_batch(cmd, &attr->map_batch);
	case BPF_PROG_LOAD:
		return fake_prog_load(&attr->prog_load);
	case BPF_BTF_LOAD:
		return fake_btf_load(&attr->btf_load);
	case BPF_OBJ_PIN:
		return fake_pin(&attr->obj);
	case BPF_OBJ_GET:
		return fake_get(&attr->obj);
	case BPF_PROG_TEST_RUN:
		return test_run(&attr->test_run);
	case BPF_PROG_GET_NEXT_ID:
		return fake_next_id(KOBJ_PROG, &attr->get_id);
	case BPF_MAP_GET_NEXT_ID:
		return fake_next_id(KOBJ_MAP, &attr->get_id);
	case BPF_LINK_GET_NEXT_ID:
		return fake_next_id(KOBJ_LINK, &attr->get_id);
	case BPF_BTF_GET_NEXT_ID:
		return fake_next_id(KOBJ_BTF, &attr->get_id);
	case BPF_PROG_GET_FD_BY_ID:
		return fake_fd_by_id(KOBJ_PROG, &attr->get_id);
	case BPF_MAP_GET_FD_BY_ID:
		return fake_fd_by_id(KOBJ_MAP, &attr->get_id);
	case BPF_LINK_GET_FD_BY_ID:
		return fake_fd_by_id(KOBJ_LINK, &attr->get_id);
	case BPF_BTF_GET_FD_BY_ID:
		return fake_fd_by_id(KOBJ_BTF, &attr->get_id);
	case BPF_OBJ_GET_INFO_BY_FD:
		return fake_info(&attr->info);
	case BPF_RAW_TRACEPOINT_OPEN:
		return fake_raw_tracepoint_open(&attr->raw_tracepoint, call);
	case BPF_LINK_CREATE:
		return fake_link_create(&attr->link_create, call);
	case BPF_LINK_UPDATE:
		return fake_link_update(&attr->link_update);
	case BPF_LINK_DETACH:
		return fake_link_detach(&attr->link_fd);
	case BPF_ITER_CREATE:
		return fake_iter_create(&attr->link_fd);
	case BPF_PROG_BIND_MAP:
		return bind_map(&attr->bind_map);
	case BPF_ENABLE_STATS: {
		int fd;

		return object_new(KIND_OTHER, &fd) ? fd : -EMFILE;
	}
	default:
		return -EINVAL;
	}
}

int sys_bpf(int cmd, void *attr, size_t size)
{
	_locked_;
	struct fake_call *call;
	union any_attr whole = {};
	int r;

	if (begin(cmd, attr, size, &call, &r)) {
		memcpy(&whole, attr, MIN(size, sizeof(whole)));
		r = fake_kernel.max_cmd && (uint32_t)cmd > fake_kernel.max_cmd
			    ? -EINVAL
			    : dispatch(cmd, &whole, call);
		/* Fields that the kernel writes; the others are as they were. */
		memcpy(attr, &whole, MIN(size, sizeof(whole)));
	}
	call->ret = r;
	return r;
}

int sys_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
			unsigned long flags)
{
	_locked_;
	struct fake_perf_open open = {
		.attr = *attr,
		.pid = pid,
		.cpu = cpu,
		.group_fd = group_fd,
		.flags = flags,
	};
	struct fake_call *call;
	int r;

	if (begin(FAKE_PERF_EVENT_OPEN, &open, sizeof(open), &call, &r))
		r = fake_perf_open(&open);
	call->ret = r;
	return r;
}

int sys_perf_ioctl(int fd, unsigned long request, unsigned long arg)
{
	_locked_;
	struct fake_perf_ioctl attr = { .fd = fd, .request = request, .arg = arg };
	struct fake_call *call;
	int r;

	if (begin(FAKE_PERF_IOCTL, &attr, sizeof(attr), &call, &r))
		r = fake_perf_ioctl(&attr);
	call->ret = r;
	return r;
}

int sys_map_mmap(int map_fd, size_t len, int prot, uint64_t offset, void **ret)
{
	_locked_;
	struct fake_map_mmap attr = {
		.map_fd = map_fd,
		.prot = prot,
		.len = len,
		.offset = offset,
	};
	struct fake_call *call;
	int r;

	if (begin(FAKE_MAP_MMAP, &attr, sizeof(attr), &call, &r))
		r = fake_map_mmap(&attr, ret);
	call->ret = r;
	return r;
}
