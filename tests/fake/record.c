/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/str.h"
#include "bpf/insn.h"
#include "tests/fake/object.h"

static VEC(struct fake_call *) calls;

static void *copy(uint64_t address, size_t len)
{
	void *p;

	if (!address || !len)
		return NULL;
	p = malloc(len);
	if (!p)
		abort();
	return memcpy(p, (const void *)(uintptr_t)address, len);
}

static char *copy_text(uint64_t address)
{
	return address ? copy(address, strlen((const char *)(uintptr_t)address) + 1) : NULL;
}

/* The length of fd_array is told by nobody: it is what the instructions reach. */
static void record_fd_array(struct fake_call *call)
{
	const struct abi_prog_load *attr = &call->attr.prog_load;

	if (!attr->fd_array)
		return;
	for (uint32_t i = 0; i < attr->insn_cnt; i++) {
		const struct bpf_insn *insn = &call->insns[i];
		int index = -1;

		if (insn_is_ldimm64(insn) && (insn->src_reg == BPF_PSEUDO_MAP_IDX ||
					      insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE))
			index = insn->imm;
		else if (insn->code == (BPF_JMP | BPF_CALL) &&
			 insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
			index = insn->off;
		if (index >= 0 && (uint32_t)index >= call->n_fd_array)
			call->n_fd_array = index + 1;
	}
	call->fd_array = copy(attr->fd_array, call->n_fd_array * sizeof(int));
}

static void record_prog_load(struct fake_call *call)
{
	const struct abi_prog_load *attr = &call->attr.prog_load;

	call->insns = copy(attr->insns, (size_t)attr->insn_cnt * sizeof(struct bpf_insn));
	call->license = copy_text(attr->license);
	call->func_info =
		copy(attr->func_info, (size_t)attr->func_info_cnt * attr->func_info_rec_size);
	call->line_info =
		copy(attr->line_info, (size_t)attr->line_info_cnt * attr->line_info_rec_size);
	record_fd_array(call);
}

static void record_elem(struct fake_call *call)
{
	const struct abi_map_elem *attr = &call->attr.map_elem;
	const struct object *map = object_by_fd(KOBJ_MAP, attr->map_fd);

	if (!map)
		return;
	call->key_size = map->map.key_size;
	call->value_size = fake_map_value_bytes(map);
	if (call->cmd != BPF_MAP_FREEZE)
		call->key = copy(attr->key, call->key_size);
	if (call->cmd == BPF_MAP_UPDATE_ELEM)
		call->value = copy(attr->value, call->value_size);
}

static void record_batch(struct fake_call *call)
{
	const struct abi_map_batch *attr = &call->attr.map_batch;
	const struct object *map = object_by_fd(KOBJ_MAP, attr->map_fd);

	if (!map)
		return;
	call->key_size = map->map.key_size;
	call->value_size = fake_map_value_bytes(map);
	if (call->cmd == BPF_MAP_UPDATE_BATCH || call->cmd == BPF_MAP_DELETE_BATCH)
		call->key = copy(attr->keys, (size_t)attr->count * call->key_size);
	if (call->cmd == BPF_MAP_UPDATE_BATCH)
		call->value = copy(attr->values, (size_t)attr->count * call->value_size);
}

static void record_link_create(struct fake_call *call)
{
	const struct abi_link_create *attr = &call->attr.link_create;
	size_t n;

	switch (attr->attach_type) {
	case BPF_TRACE_ITER:
		call->iter_info = copy(attr->iter.iter_info, attr->iter.iter_info_len);
		break;
	case ABI_TRACE_UPROBE_MULTI:
	case ABI_TRACE_UPROBE_SESSION:
		n = (size_t)attr->uprobe_multi.cnt * sizeof(uint64_t);
		call->text = copy_text(attr->uprobe_multi.path);
		call->offsets = copy(attr->uprobe_multi.offsets, n);
		call->ref_ctr_offsets = copy(attr->uprobe_multi.ref_ctr_offsets, n);
		call->cookies = copy(attr->uprobe_multi.cookies, n);
		break;
	case BPF_TRACE_KPROBE_MULTI:
	case ABI_TRACE_KPROBE_SESSION:
		n = (size_t)attr->kprobe_multi.cnt * sizeof(uint64_t);
		call->offsets = copy(attr->kprobe_multi.addrs, n);
		call->cookies = copy(attr->kprobe_multi.cookies, n);
		if (attr->kprobe_multi.syms) {
			const char *const *syms =
				(const char *const *)(uintptr_t)attr->kprobe_multi.syms;
			struct str text = {};

			for (uint32_t i = 0; i < attr->kprobe_multi.cnt; i++)
				str_printf(&text, "%s\n", syms[i]);
			call->text = str_take(&text);
		}
		break;
	}
}

struct fake_call *record_new(int cmd, const void *attr, size_t size)
{
	struct fake_call *call = calloc(1, sizeof(*call));

	if (!call || vec_push(&calls, call))
		abort();
	call->cmd = cmd;
	call->size = size;
	memcpy(&call->attr, attr, MIN(size, sizeof(call->attr)));
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_MAP_FREEZE:
		record_elem(call);
		break;
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
		record_batch(call);
		break;
	case BPF_PROG_LOAD:
		record_prog_load(call);
		break;
	case BPF_BTF_LOAD:
		call->btf = copy(call->attr.btf_load.btf, call->attr.btf_load.btf_size);
		break;
	case BPF_OBJ_PIN:
	case BPF_OBJ_GET:
		call->text = copy_text(call->attr.obj.pathname);
		break;
	case BPF_RAW_TRACEPOINT_OPEN:
		call->text = copy_text(call->attr.raw_tracepoint.name);
		break;
	case BPF_LINK_CREATE:
		record_link_create(call);
		break;
	case FAKE_PERF_EVENT_OPEN:
		/* A PMU of probes has its path here; the generic types have other things. */
		if (call->attr.perf_open.attr.type >= PERF_TYPE_MAX)
			call->text = copy_text(call->attr.perf_open.attr.uprobe_path);
		break;
	}
	return call;
}

void record_reset(void)
{
	vec_for_each (it, &calls) {
		struct fake_call *call = *it;

		free(call->insns);
		free(call->license);
		free(call->func_info);
		free(call->line_info);
		free(call->fd_array);
		free(call->btf);
		free(call->key);
		free(call->value);
		free(call->text);
		free(call->offsets);
		free(call->ref_ctr_offsets);
		free(call->cookies);
		free(call->iter_info);
		free(call);
	}
	vec_deinit(&calls);
}

size_t fake_sys_n_calls(int cmd)
{
	size_t n = 0;

	vec_for_each (call, &calls)
		n += cmd < 0 || (*call)->cmd == cmd;
	return n;
}

const struct fake_call *fake_sys_call(int cmd, size_t i)
{
	vec_for_each (call, &calls) {
		if ((cmd < 0 || (*call)->cmd == cmd) && i-- == 0)
			return *call;
	}
	return NULL;
}

const struct fake_call *fake_sys_last(int cmd)
{
	size_t n = fake_sys_n_calls(cmd);

	return n ? fake_sys_call(cmd, n - 1) : NULL;
}
