/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kprog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/klog.h"
#include "bpf/kobj.h"
#include "bpf/sys.h"

/* The verifier gives up with EAGAIN when a signal waits; the next try usually runs through. */
enum { TRIES_EAGAIN = 5 };

struct load {
	struct abi_prog_load attr;
	/* Records cut to what the kernel knows, once it has refused the whole ones. */
	void *func_info, *line_info;
};

/*
 * Set to zero what lies beyond @known bytes of each record: a newer compiler
 * may write longer records than the kernel knows, which takes zeros there only.
 */
static int cut_records(uint64_t *records, uint32_t n, uint32_t size, uint32_t known, void **copy)
{
	char *cut;

	if (*copy)
		return -E2BIG;
	cut = calloc(n, size);
	if (!cut)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		memcpy(cut + i * size, (const char *)(uintptr_t)*records + i * size, known);
	*records = ptr_to_u64(cut);
	*copy = cut;
	return 0;
}

/* After E2BIG the kernel has put the record size that it knows in place of ours. */
static int cut_infos(struct load *load, uint32_t func_info_size, uint32_t line_info_size)
{
	struct abi_prog_load *attr = &load->attr;
	uint32_t known_func = attr->func_info_rec_size, known_line = attr->line_info_rec_size;

	attr->func_info_rec_size = func_info_size;
	attr->line_info_rec_size = line_info_size;
	if (known_func && known_func < func_info_size)
		return cut_records(&attr->func_info, attr->func_info_cnt, func_info_size,
				   known_func, &load->func_info);
	if (known_line && known_line < line_info_size)
		return cut_records(&attr->line_info, attr->line_info_cnt, line_info_size,
				   known_line, &load->line_info);
	return -E2BIG;
}

static int try_load(void *arg, struct klog *log)
{
	struct load *load = arg;
	struct abi_prog_load *attr = &load->attr;
	uint32_t func_info_size = attr->func_info_rec_size;
	uint32_t line_info_size = attr->line_info_rec_size;
	int tries = TRIES_EAGAIN, r;

	attr->log_level = log->level;
	attr->log_size = log->size;
	attr->log_buf = ptr_to_u64(log->buf);
	do {
		attr->log_true_size = 0;
		r = sys_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));
	} while ((r == -EAGAIN && --tries > 0) ||
		 (r == -E2BIG && !cut_infos(load, func_info_size, line_info_size)));
	log->true_size = attr->log_true_size;
	return r;
}

int kprog_load(const struct kprog_spec *spec, struct str *log)
{
	struct load load = {
		.attr = {
			.prog_type = spec->type,
			.insn_cnt = spec->n_insns,
			.insns = ptr_to_u64(spec->insns),
			.license = ptr_to_u64(spec->license),
			.kern_version = spec->kern_version,
			.prog_flags = spec->flags,
			.prog_ifindex = spec->ifindex,
			.expected_attach_type = spec->expected_attach_type,
			.prog_btf_fd = spec->btf_fd,
			.func_info_rec_size = spec->func_info_size,
			.func_info = ptr_to_u64(spec->func_info),
			.func_info_cnt = spec->n_func_info,
			.line_info_rec_size = spec->line_info_size,
			.line_info = ptr_to_u64(spec->line_info),
			.line_info_cnt = spec->n_line_info,
			.attach_btf_id = spec->attach_btf_id,
			.attach_prog_fd = spec->attach_prog_fd ? spec->attach_prog_fd :
								 spec->attach_btf_obj_fd,
			/*
			 * fd_array_cnt stays 0: it needs 6.14 and would make an
			 * error of the gaps that kernel functions leave in the array.
			 */
			.fd_array = spec->n_fd_array ? ptr_to_u64(spec->fd_array) : 0,
		},
	};
	int r;

	kobj_name(load.attr.prog_name, spec->name);
	r = klog_load(try_load, &load, spec->log_level, log);
	free(load.func_info);
	free(load.line_info);
	return r;
}

int kprog_info(int fd, struct bpf_prog_info *ret)
{
	*ret = (struct bpf_prog_info){};
	return kobj_info(fd, ret, sizeof(*ret));
}

int kprog_map_ids(int fd, uint32_t **ret, uint32_t *ret_n)
{
	struct bpf_prog_info info;
	int r = kprog_info(fd, &info);

	if (r < 0)
		return r;
	/* A map may be bound between two calls, so ask until all of them fit. */
	for (;;) {
		uint32_t room = info.nr_map_ids;
		_cleanup_free_ uint32_t *ids = calloc(room ? room : 1, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		info = (struct bpf_prog_info){
			.nr_map_ids = room,
			.map_ids = room ? ptr_to_u64(ids) : 0,
		};
		r = kobj_info(fd, &info, sizeof(info));
		if (r < 0)
			return r;
		if (info.nr_map_ids <= room) {
			*ret_n = info.nr_map_ids;
			*ret = take_ptr(ids);
			return 0;
		}
	}
}

int kprog_xlated(int fd, struct bpf_insn **ret, uint32_t *ret_n)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	struct bpf_prog_info info;
	uint32_t len;
	int r = kprog_info(fd, &info);

	if (r < 0)
		return r;
	len = info.xlated_prog_len;
	if (!len)
		return -EPERM;
	insns = malloc(len);
	if (!insns)
		return -ENOMEM;
	info = (struct bpf_prog_info){
		.xlated_prog_len = len,
		.xlated_prog_insns = ptr_to_u64(insns),
	};
	r = kobj_info(fd, &info, sizeof(info));
	if (r < 0)
		return r;
	if (!info.xlated_prog_insns || !info.xlated_prog_len)
		return -EPERM;
	*ret_n = MIN(len, info.xlated_prog_len) / sizeof(*insns);
	*ret = take_ptr(insns);
	return 0;
}

int kprog_jited(int fd, void **ret, uint32_t *ret_len)
{
	_cleanup_free_ void *code = NULL;
	struct bpf_prog_info info;
	uint32_t len;
	int r = kprog_info(fd, &info);

	if (r < 0)
		return r;
	len = info.jited_prog_len;
	if (!len)
		return -ENOENT;
	code = malloc(len);
	if (!code)
		return -ENOMEM;
	info = (struct bpf_prog_info){
		.jited_prog_len = len,
		.jited_prog_insns = ptr_to_u64(code),
	};
	r = kobj_info(fd, &info, sizeof(info));
	if (r < 0)
		return r;
	if (!info.jited_prog_insns || !info.jited_prog_len)
		return -EPERM;
	*ret_len = MIN(len, info.jited_prog_len);
	*ret = take_ptr(code);
	return 0;
}

int kprog_bind_map(int prog_fd, int map_fd)
{
	struct abi_prog_bind_map attr = { .prog_fd = prog_fd, .map_fd = map_fd };

	return sys_bpf(BPF_PROG_BIND_MAP, &attr, sizeof(attr));
}
