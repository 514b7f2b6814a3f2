/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kbtf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/abi.h"
#include "bpf/klog.h"
#include "bpf/kobj.h"
#include "bpf/sys.h"

static int try_load(void *arg, struct klog *log)
{
	struct abi_btf_load *attr = arg;
	int r;

	attr->btf_log_level = log->level;
	attr->btf_log_size = log->size;
	attr->btf_log_buf = ptr_to_u64(log->buf);
	attr->btf_log_true_size = 0;
	r = sys_bpf(BPF_BTF_LOAD, attr, sizeof(*attr));
	log->true_size = attr->btf_log_true_size;
	return r;
}

int kbtf_load(const void *data, size_t len, uint32_t log_level, struct str *log)
{
	struct abi_btf_load attr = { .btf = ptr_to_u64(data), .btf_size = len };

	if (len > UINT32_MAX)
		return -E2BIG;
	return klog_load(try_load, &attr, log_level ? 1 : 0, log);
}

/*
 * Kernels before 5.11 know neither name nor kernel_btf, and refuse a buffer
 * for the name as bytes that they do not know.
 */
static int get_info(int fd, struct bpf_btf_info *info, struct kbtf_raw *raw)
{
	struct bpf_btf_info ask = *info;
	int r;

	ask.name = ptr_to_u64(raw->name);
	ask.name_len = sizeof(raw->name);
	r = kobj_info(fd, &ask, sizeof(ask));
	if (r == -E2BIG) {
		ask = *info;
		r = kobj_info(fd, &ask, sizeof(ask));
	}
	if (r < 0)
		return r;
	*info = ask;
	raw->name[sizeof(raw->name) - 1] = '\0';
	raw->id = ask.id;
	raw->len = ask.btf_size;
	raw->kernel = !!ask.kernel_btf;
	return 0;
}

int kbtf_info(int fd, struct kbtf_raw *ret)
{
	struct bpf_btf_info info = {};
	struct kbtf_raw raw = {};
	int r = get_info(fd, &info, &raw);

	if (r < 0)
		return r;
	*ret = raw;
	return 0;
}

int kbtf_raw(int fd, struct kbtf_raw *ret)
{
	_cleanup_free_ void *data = NULL;
	struct bpf_btf_info info = {};
	struct kbtf_raw raw = {};
	int r = get_info(fd, &info, &raw);

	if (r < 0)
		return r;
	data = malloc(raw.len ? raw.len : 1);
	if (!data)
		return -ENOMEM;
	info = (struct bpf_btf_info){ .btf = ptr_to_u64(data), .btf_size = raw.len };
	r = get_info(fd, &info, &raw);
	if (r < 0)
		return r;
	*ret = raw;
	ret->data = take_ptr(data);
	return 0;
}

void kbtf_raw_deinit(struct kbtf_raw *raw)
{
	free(raw->data);
	*raw = (struct kbtf_raw){};
}
