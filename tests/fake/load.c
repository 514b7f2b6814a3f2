/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/str.h"
#include "bpf/insn.h"
#include "tests/fake/object.h"

enum { LOG_FIXED = 8 };

static struct verdict {
	int err;
	char *log;
	size_t len;
} prog_verdict, btf_verdict;

static void verdict_set(struct verdict *v, int err, const char *log, size_t len)
{
	free(v->log);
	*v = (struct verdict){ .err = err, .len = len };
	if (!log)
		return;
	v->log = malloc(len + 1);
	if (!v->log)
		abort();
	memcpy(v->log, log, len);
	v->log[len] = '\0';
}

void fake_sys_verdict(int cmd, int err, const char *log, size_t len)
{
	verdict_set(cmd == BPF_BTF_LOAD ? &btf_verdict : &prog_verdict, err, log, len);
}

void fake_verdicts_reset(void)
{
	verdict_set(&prog_verdict, 0, NULL, 0);
	verdict_set(&btf_verdict, 0, NULL, 0);
}

int fake_check_name(const char name[BPF_OBJ_NAME_LEN])
{
	size_t len = strnlen(name, BPF_OBJ_NAME_LEN);

	if (!len)
		return 0;
	/* To a kernel without names these are bytes that it does not know. */
	if (fake_kernel.no_names)
		return -E2BIG;
	if (len == BPF_OBJ_NAME_LEN)
		return -EINVAL;
	for (size_t i = len; i < BPF_OBJ_NAME_LEN; i++)
		if (name[i])
			return -EINVAL;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") ==
			       len
		       ? 0
		       : -EINVAL;
}

static bool log_is_valid(uint32_t level, uint64_t buf, uint32_t size)
{
	if (level > 15 || size > UINT32_MAX >> 2)
		return false;
	return !level ? !buf && !size : !buf == !size;
}

/*
 * The log ends in a NUL. A newer kernel keeps the end of what does not fit and
 * tells how long it would have been, an older one (or LOG_FIXED) keeps the
 * beginning. Returns -ENOSPC if it does not fit.
 */
static int write_log(uint32_t level, uint64_t buf, uint32_t size, const char *text, size_t len,
		     uint32_t *true_size)
{
	char *to = (char *)(uintptr_t)buf;
	size_t keep;

	if (!level)
		return 0;
	if (!fake_kernel.no_log_true_size)
		*true_size = len + 1;
	if (!size)
		return -ENOSPC;
	keep = MIN(len, (size_t)size - 1);
	if (fake_kernel.no_log_true_size || level & LOG_FIXED)
		memcpy(to, text, keep);
	else
		memcpy(to, text + len - keep, keep);
	to[keep] = '\0';
	return keep < len ? -ENOSPC : 0;
}

/* What of the instructions this kernel knows nothing of. */
static int check_insns(const struct abi_prog_load *attr, struct str *log)
{
	const struct bpf_insn *insns = (const struct bpf_insn *)(uintptr_t)attr->insns;

	for (uint32_t i = 0; i < attr->insn_cnt; i++) {
		const struct bpf_insn *insn = &insns[i];

		if (insn_is_ldimm64(insn) && insn->src_reg == BPF_PSEUDO_MAP_VALUE &&
		    fake_kernel.no_global_data) {
			str_add(log, "unrecognized bpf_ld_imm64 insn\n");
			return -EINVAL;
		}
		if (insn_is_helper_call(insn) && fake_kernel.max_helper &&
		    (uint32_t)insn->imm > fake_kernel.max_helper) {
			str_printf(log, "invalid func unknown#%d\n", insn->imm);
			return -EINVAL;
		}
		i += insn_is_ldimm64(insn);
	}
	return 0;
}

static void add_map(struct object *prog, const struct object *map)
{
	if (!map)
		return;
	vec_for_each (id, &prog->map_ids) {
		if (*id == map->id)
			return;
	}
	if (vec_push(&prog->map_ids, map->id))
		abort();
}

static void find_maps(struct object *prog)
{
	const int *fds = (const int *)(uintptr_t)prog->prog.fd_array;

	for (uint32_t i = 0; i < prog->prog.insn_cnt; i++) {
		const struct bpf_insn *insn = &prog->insns[i];

		if (!insn_is_ldimm64(insn))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE)
			add_map(prog, object_by_fd(KOBJ_MAP, insn->imm));
		else if (fds && (insn->src_reg == BPF_PSEUDO_MAP_IDX ||
				 insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE))
			add_map(prog, object_by_fd(KOBJ_MAP, fds[insn->imm]));
		i++;
	}
}

static int prog_new(const struct abi_prog_load *attr)
{
	size_t size = (size_t)attr->insn_cnt * sizeof(struct bpf_insn);
	const struct object *btf;
	struct object *prog;
	int fd;

	prog = object_new(KOBJ_PROG, &fd);
	if (!prog)
		return -EMFILE;
	prog->prog = *attr;
	prog->insns = malloc(size);
	if (!prog->insns)
		abort();
	memcpy(prog->insns, (const void *)(uintptr_t)attr->insns, size);
	btf = attr->prog_btf_fd ? object_by_fd(KOBJ_BTF, attr->prog_btf_fd) : NULL;
	prog->btf_id = btf ? btf->id : 0;
	find_maps(prog);
	/* It dies with the request. */
	prog->prog.fd_array = 0;
	return fd;
}

int fake_prog_load(struct abi_prog_load *attr)
{
	const struct fake_kernel *k = &fake_kernel;
	_cleanup_str_ struct str log = {};
	int r = fake_check_name(attr->prog_name), space;

	if (r < 0)
		return r;
	if (!attr->insn_cnt || !attr->insns)
		return -E2BIG;
	if ((k->max_prog_type && attr->prog_type > k->max_prog_type) ||
	    (k->max_attach_type && attr->expected_attach_type > k->max_attach_type) ||
	    !log_is_valid(attr->log_level, attr->log_buf, attr->log_size))
		return -EINVAL;
	r = check_insns(attr, &log);
	if (!r) {
		r = -prog_verdict.err;
		if (prog_verdict.log)
			str_add_mem(&log, prog_verdict.log, prog_verdict.len);
		else
			str_printf(&log, "processed %u insns\n", attr->insn_cnt);
	}
	space = write_log(attr->log_level, attr->log_buf, attr->log_size, str_text(&log), log.len,
			  &attr->log_true_size);
	if (space < 0)
		return space;
	return r < 0 ? r : prog_new(attr);
}

/* Bytes behind the three words of a type; -1 for an unknown kind. */
static int64_t btf_extra(uint32_t kind, uint32_t vlen)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (int64_t)vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return (int64_t)vlen * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return (int64_t)vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return (int64_t)vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return (int64_t)vlen * sizeof(struct btf_enum64);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

/* The kernel takes a section only once somebody has laid it out. */
static const char *datasec_fault(const struct btf_type *t, uint32_t vlen)
{
	const struct btf_var_secinfo *var = (const void *)(t + 1);
	uint64_t end = 0;

	if (!t->size)
		return "size == 0";
	for (uint32_t i = 0; i < vlen; i++) {
		if (!var[i].size || var[i].size > t->size)
			return "Invalid size";
		if (var[i].offset < end || var[i].offset >= t->size)
			return "Invalid offset";
		end = (uint64_t)var[i].offset + var[i].size;
		if (end > t->size)
			return "Invalid offset+size";
	}
	return NULL;
}

/* What is wrong with one type for this kernel; its bytes are all there. */
static const char *type_fault(const struct btf_type *t)
{
	const struct fake_kernel *k = &fake_kernel;
	uint32_t kind = BTF_INFO_KIND(t->info), vlen = BTF_INFO_VLEN(t->info);

	if (k->max_btf_kind && kind > k->max_btf_kind)
		return "Invalid kind";
	if (kind == BTF_KIND_FUNC && vlen > (k->no_global_func ? 0 : 2))
		return "Invalid func linkage";
	/* Signed enums came with 64-bit ones. */
	if (kind == BTF_KIND_ENUM && BTF_INFO_KFLAG(t->info) && k->max_btf_kind &&
	    k->max_btf_kind < BTF_KIND_ENUM64)
		return "Invalid btf_info kind_flag";
	return kind == BTF_KIND_DATASEC ? datasec_fault(t, vlen) : NULL;
}

static const char *btf_fault(const void *data, uint32_t size, uint32_t *ret_id)
{
	const struct btf_header *h = data;
	const char *types, *fault;
	uint32_t off = 0;

	*ret_id = 0;
	if (size < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len < sizeof(*h) ||
	    !range_fits((uint64_t)h->hdr_len + h->type_off, h->type_len, size) ||
	    !range_fits((uint64_t)h->hdr_len + h->str_off, h->str_len, size) || !h->str_len)
		return "Invalid header";
	types = (const char *)data + h->hdr_len + h->type_off;
	while (off < h->type_len) {
		const struct btf_type *t = (const void *)(types + off);
		int64_t extra;

		++*ret_id;
		if (h->type_len - off < sizeof(*t))
			return "meta_left too short";
		extra = btf_extra(BTF_INFO_KIND(t->info), BTF_INFO_VLEN(t->info));
		if (extra < 0)
			return "Invalid kind";
		if (h->type_len - off - sizeof(*t) < (uint64_t)extra)
			return "meta_left too short";
		fault = type_fault(t);
		if (fault)
			return fault;
		off += sizeof(*t) + extra;
	}
	return NULL;
}

int fake_btf_load(struct abi_btf_load *attr)
{
	const void *data = (const void *)(uintptr_t)attr->btf;
	_cleanup_str_ struct str log = {};
	const char *fault;
	struct object *o;
	int r = 0, space, fd;
	uint32_t id;

	if (fake_kernel.no_btf ||
	    !log_is_valid(attr->btf_log_level, attr->btf_log_buf, attr->btf_log_size))
		return -EINVAL;
	fault = btf_fault(data, attr->btf_size, &id);
	if (fault) {
		str_printf(&log, "[%u] %s\n", id, fault);
		r = -EINVAL;
	} else {
		r = -btf_verdict.err;
		if (btf_verdict.log)
			str_add_mem(&log, btf_verdict.log, btf_verdict.len);
	}
	space = write_log(attr->btf_log_level, attr->btf_log_buf, attr->btf_log_size,
			  str_text(&log), log.len, &attr->btf_log_true_size);
	if (space < 0 || r < 0)
		return space < 0 ? space : r;
	o = object_new(KOBJ_BTF, &fd);
	if (!o)
		return -EMFILE;
	o->btf = malloc(attr->btf_size);
	if (!o->btf)
		abort();
	memcpy(o->btf, data, attr->btf_size);
	o->btf_len = attr->btf_size;
	return fd;
}
