/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * abi - the bpf(2) interface as this project needs it.
 *
 * The installed kernel headers may be as old as Linux 6.1, so what came later is
 * declared here under names of our own (ABI_…). Each command has its own struct
 * instead of one union: a command sends exactly the bytes it uses (sizeof, or up
 * to a named field), because an old kernel refuses non-zero bytes that it does
 * not know and because padding that nobody wrote must not reach it.
 *
 * Layout follows include/uapi/linux/bpf.h; the field names are the kernel's.
 */
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of @type up to and including @field: the size to pass when later fields are zero. */
#define ABI_SIZE(type, field) (offsetof(type, field) + sizeof(((type *)NULL)->field))

/* enum bpf_attach_type past Linux 6.1 */
enum {
	ABI_STRUCT_OPS = 44,
	ABI_NETFILTER = 45,	      /* 6.4 */
	ABI_TCX_INGRESS = 46,	      /* 6.6 */
	ABI_TCX_EGRESS = 47,	      /* 6.6 */
	ABI_TRACE_UPROBE_MULTI = 48,  /* 6.6 */
	ABI_CGROUP_UNIX_CONNECT = 49, /* 6.7 */
	ABI_CGROUP_UNIX_SENDMSG = 50,
	ABI_CGROUP_UNIX_RECVMSG = 51,
	ABI_CGROUP_UNIX_GETPEERNAME = 52,
	ABI_CGROUP_UNIX_GETSOCKNAME = 53,
	ABI_NETKIT_PRIMARY = 54, /* 6.7 */
	ABI_NETKIT_PEER = 55,
	ABI_TRACE_KPROBE_SESSION = 56, /* 6.10 */
	ABI_TRACE_UPROBE_SESSION = 57, /* 6.13 */
	ABI_TRACE_FSESSION = 58,       /* 7.0 */
	ABI_TRACE_FENTRY_MULTI = 59,   /* after 7.0 */
	ABI_TRACE_FEXIT_MULTI = 60,
	ABI_TRACE_FSESSION_MULTI = 61,
	ABI_N_ATTACH_TYPES
};

/* enum bpf_link_type past Linux 6.1 */
enum {
	ABI_LINK_NETFILTER = 10,
	ABI_LINK_TCX = 11,
	ABI_LINK_UPROBE_MULTI = 12,
	ABI_LINK_NETKIT = 13,
	ABI_LINK_SOCKMAP = 14,
	ABI_N_LINK_TYPES
};

/* enum bpf_prog_type and enum bpf_map_type past Linux 6.1 */
enum {
	ABI_PROG_TYPE_NETFILTER = 32,
	ABI_N_PROG_TYPES,
	ABI_MAP_TYPE_CGRP_STORAGE = 32, /* 6.2 */
	ABI_MAP_TYPE_ARENA = 33,	/* 6.9 */
	ABI_MAP_TYPE_INSN_ARRAY = 34,	/* 6.19 */
	ABI_N_MAP_TYPES,
};

/* Flags past Linux 6.1 */
enum {
	ABI_F_PATH_FD = 1u << 14,	     /* map, pin, get: path_fd is set; 6.5 */
	ABI_F_VTYPE_BTF_OBJ_FD = 1u << 15,   /* map create; 6.9 */
	ABI_F_TOKEN_FD = 1u << 16,	     /* map, prog, btf; 6.9 */
	ABI_F_UPROBE_MULTI_RETURN = 1u << 0, /* link create */
	ABI_F_BEFORE = 1u << 3,		     /* link create: a place among others; 6.6, cgroup 6.17 */
	ABI_F_AFTER = 1u << 4,
	ABI_F_ID = 1u << 5,    /* relative to an id, not a descriptor */
	ABI_F_LINK = 1u << 13, /* relative to a link, not a program */
	ABI_F_XDP_DEV_BOUND_ONLY = 1u << 6,
};

/* bpf(2) commands, each with the struct that it takes */
struct abi_map_create { /* BPF_MAP_CREATE */
	uint32_t map_type, key_size, value_size, max_entries, map_flags;
	uint32_t inner_map_fd, numa_node;
	char map_name[BPF_OBJ_NAME_LEN];
	uint32_t map_ifindex, btf_fd, btf_key_type_id, btf_value_type_id;
	uint32_t btf_vmlinux_value_type_id;
	uint64_t map_extra;
	int32_t value_type_btf_obj_fd, map_token_fd; /* 6.9 */
};

struct abi_map_elem { /* BPF_MAP_{LOOKUP,UPDATE,DELETE,LOOKUP_AND_DELETE}_ELEM, _GET_NEXT_KEY, _FREEZE */
	uint32_t map_fd, pad;
	uint64_t key, value /* or next_key */, flags;
};

struct abi_map_batch { /* BPF_MAP_*_BATCH */
	uint64_t in_batch, out_batch, keys, values;
	uint32_t count, map_fd;
	uint64_t elem_flags, flags;
};

struct abi_prog_load { /* BPF_PROG_LOAD */
	uint32_t prog_type, insn_cnt;
	uint64_t insns, license;
	uint32_t log_level, log_size;
	uint64_t log_buf;
	uint32_t kern_version, prog_flags;
	char prog_name[BPF_OBJ_NAME_LEN];
	uint32_t prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size;
	uint64_t func_info;
	uint32_t func_info_cnt, line_info_rec_size;
	uint64_t line_info;
	uint32_t line_info_cnt, attach_btf_id;
	uint32_t attach_prog_fd /* or attach_btf_obj_fd */, core_relo_cnt;
	uint64_t fd_array, core_relos;
	uint32_t core_relo_rec_size, log_true_size; /* 6.4: how long the log wanted to be */
	int32_t prog_token_fd;			    /* 6.9 */
	uint32_t fd_array_cnt;			    /* 6.14 */
};

struct abi_btf_load { /* BPF_BTF_LOAD */
	uint64_t btf, btf_log_buf;
	uint32_t btf_size, btf_log_size, btf_log_level, btf_log_true_size;
	uint32_t btf_flags;
	int32_t btf_token_fd;
};

struct abi_obj { /* BPF_OBJ_PIN, BPF_OBJ_GET */
	uint64_t pathname;
	uint32_t bpf_fd, file_flags;
	int32_t path_fd;
	uint32_t pad;
};

struct abi_get_id { /* BPF_*_GET_NEXT_ID, BPF_*_GET_FD_BY_ID */
	uint32_t id, next_id, open_flags;
};

struct abi_info { /* BPF_OBJ_GET_INFO_BY_FD */
	uint32_t bpf_fd, info_len;
	uint64_t info;
};

struct abi_raw_tracepoint { /* BPF_RAW_TRACEPOINT_OPEN */
	uint64_t name;
	uint32_t prog_fd, pad;
	uint64_t cookie; /* 6.10 */
};

struct abi_prog_test_run { /* BPF_PROG_TEST_RUN */
	uint32_t prog_fd, retval, data_size_in, data_size_out;
	uint64_t data_in, data_out;
	uint32_t repeat, duration, ctx_size_in, ctx_size_out;
	uint64_t ctx_in, ctx_out;
	uint32_t flags, cpu, batch_size, pad;
};

struct abi_link_create { /* BPF_LINK_CREATE */
	uint32_t prog_fd /* or map_fd */, target_fd /* or target_ifindex */, attach_type, flags;
	union {
		uint32_t target_btf_id;
		struct {
			uint64_t iter_info;
			uint32_t iter_info_len;
		} iter;
		struct {
			uint64_t bpf_cookie;
		} perf_event;
		struct {
			uint32_t flags, cnt;
			uint64_t syms, addrs, cookies;
		} kprobe_multi;
		struct {
			uint32_t target_btf_id, pad;
			uint64_t cookie;
		} tracing;
		struct {
			uint32_t pf, hooknum;
			int32_t priority;
			uint32_t flags;
		} netfilter;
		struct {
			uint32_t relative_fd /* or _id */, pad;
			uint64_t expected_revision;
		} mprog; /* tcx, netkit, cgroup */
		struct {
			uint64_t path, offsets, ref_ctr_offsets, cookies;
			uint32_t cnt, flags, pid;
		} uprobe_multi;
	};
};

struct abi_link_update { /* BPF_LINK_UPDATE */
	uint32_t link_fd, new_prog_fd, flags, old_prog_fd;
};

struct abi_link_fd { /* BPF_LINK_DETACH, BPF_ITER_CREATE */
	uint32_t link_fd, flags;
};

struct abi_prog_bind_map { /* BPF_PROG_BIND_MAP */
	uint32_t prog_fd, map_fd, flags;
};

struct abi_enable_stats { /* BPF_ENABLE_STATS */
	uint32_t type;
};

/* What BPF_OBJ_GET_INFO_BY_FD tells of a link. Buffers are the caller's: set address and length. */
struct abi_link_info {
	uint32_t type, id, prog_id, pad;
	union {
		struct {
			uint64_t tp_name;
			uint32_t tp_name_len, pad;
			uint64_t cookie; /* 6.17 */
		} raw_tracepoint;
		struct {
			uint32_t attach_type, target_obj_id, target_btf_id, pad;
			uint64_t cookie;
		} tracing;
		struct {
			uint64_t cgroup_id;
			uint32_t attach_type;
		} cgroup;
		struct {
			uint64_t target_name;
			uint32_t target_name_len, map_id;
			union {
				struct {
					uint64_t cgroup_id;
					uint32_t order;
				} cgroup;
				struct {
					uint32_t tid, pid;
				} task;
			};
		} iter;
		struct {
			uint32_t netns_ino, attach_type;
		} netns;
		struct {
			uint32_t ifindex;
		} xdp;
		struct {
			uint32_t map_id;
		} struct_ops;
		struct {
			uint32_t pf, hooknum;
			int32_t priority;
			uint32_t flags;
		} netfilter;
		struct { /* 6.6 */
			uint64_t addrs;
			uint32_t count, flags;
			uint64_t missed, cookies;
		} kprobe_multi;
		struct { /* 6.8 */
			uint64_t path, offsets, ref_ctr_offsets, cookies;
			uint32_t path_size, count, flags, pid;
		} uprobe_multi;
		struct { /* 6.6 */
			uint32_t type, pad;
			union {
				struct {
					uint64_t file_name;
					uint32_t name_len, offset;
					uint64_t cookie, ref_ctr_offset;
				} uprobe;
				struct {
					uint64_t func_name;
					uint32_t name_len, offset;
					uint64_t addr, missed, cookie;
				} kprobe;
				struct {
					uint64_t tp_name;
					uint32_t name_len, pad;
					uint64_t cookie;
				} tracepoint;
				struct {
					uint64_t config;
					uint32_t type, pad;
					uint64_t cookie;
				} event;
			};
		} perf_event;
		struct {
			uint32_t ifindex, attach_type;
		} dev; /* tcx, netkit */
		struct {
			uint32_t map_id, attach_type;
		} sockmap;
		uint8_t room[64];
	};
};

/* abi_link_info.perf_event.type */
enum {
	ABI_PERF_EVENT_UNSPEC,
	ABI_PERF_EVENT_UPROBE,
	ABI_PERF_EVENT_URETPROBE,
	ABI_PERF_EVENT_KPROBE,
	ABI_PERF_EVENT_KRETPROBE,
	ABI_PERF_EVENT_TRACEPOINT,
	ABI_PERF_EVENT_EVENT,
};
