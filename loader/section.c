/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/section.h"

#include <string.h>

#include "base/str.h"
#include "bpf/abi.h"
#include "loader/attach.h"

/* Short names for the columns, of this file only. */
#define EXACT SECTION_EXACT
#define BOTH  SECTION_BOTH

enum {
	S = SECTION_SLEEPABLE,
	B = SECTION_ATTACH_BTF,
	O = SECTION_TYPE_OPTIONAL,
	X = SECTION_XDP_FRAGS,
	U = SECTION_USDT,
	A = SECTION_AUTO,
};

#define PROG(name)   BPF_PROG_TYPE_##name
#define CGROUP(name) BPF_CGROUP_##name

/* Rows that differ in little. */
#define UPROBES(name, type, flags)                                          \
	{                                                                   \
		name, BOTH, PROG(KPROBE), type, flags, &attach_uprobe_multi \
	}
#define SOCK(name, type, flags)                                                       \
	{                                                                             \
		"cgroup/" name, EXACT, PROG(CGROUP_SOCK), type, flags, &attach_cgroup \
	}
#define SOCK_ADDR(name, type)                                                          \
	{                                                                              \
		"cgroup/" name, EXACT, PROG(CGROUP_SOCK_ADDR), type, 0, &attach_cgroup \
	}
#define SOCKOPT(name, type)                                                          \
	{                                                                            \
		"cgroup/" name, EXACT, PROG(CGROUP_SOCKOPT), type, 0, &attach_cgroup \
	}

/* clang-format off */
const struct section_rule section_rules[] = {
	{ "socket", EXACT, PROG(SOCKET_FILTER), 0, 0, NULL },
	{ "sk_reuseport/migrate", EXACT, PROG(SK_REUSEPORT),
	  BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, 0, NULL },
	{ "sk_reuseport", EXACT, PROG(SK_REUSEPORT), BPF_SK_REUSEPORT_SELECT, 0, NULL },

	/* probes */
	{ "kprobe", BOTH, PROG(KPROBE), 0, A, NULL },
	{ "kretprobe", BOTH, PROG(KPROBE), 0, A, NULL },
	{ "uprobe", BOTH, PROG(KPROBE), 0, A, &attach_uprobe },
	{ "uretprobe", BOTH, PROG(KPROBE), 0, A, &attach_uprobe },
	{ "uprobe.s", BOTH, PROG(KPROBE), 0, A | S, &attach_uprobe },
	{ "uretprobe.s", BOTH, PROG(KPROBE), 0, A | S, &attach_uprobe },
	{ "ksyscall", BOTH, PROG(KPROBE), 0, A, NULL },
	{ "kretsyscall", BOTH, PROG(KPROBE), 0, A, NULL },
	{ "usdt", BOTH, PROG(KPROBE), 0, A | U, NULL },
	{ "usdt.s", BOTH, PROG(KPROBE), 0, A | U | S, NULL },
	{ "kprobe.multi", BOTH, PROG(KPROBE), BPF_TRACE_KPROBE_MULTI, A, NULL },
	{ "kretprobe.multi", BOTH, PROG(KPROBE), BPF_TRACE_KPROBE_MULTI, A, NULL },
	{ "kprobe.session", BOTH, PROG(KPROBE), ABI_TRACE_KPROBE_SESSION, A, NULL },
	UPROBES("uprobe.multi", ABI_TRACE_UPROBE_MULTI, A),
	UPROBES("uretprobe.multi", ABI_TRACE_UPROBE_MULTI, A),
	UPROBES("uprobe.multi.s", ABI_TRACE_UPROBE_MULTI, A | S),
	UPROBES("uretprobe.multi.s", ABI_TRACE_UPROBE_MULTI, A | S),
	UPROBES("uprobe.session", ABI_TRACE_UPROBE_SESSION, A),
	UPROBES("uprobe.session.s", ABI_TRACE_UPROBE_SESSION, A | S),

	/* traffic control */
	{ "tc/ingress", EXACT, PROG(SCHED_CLS), ABI_TCX_INGRESS, 0, NULL },
	{ "tc/egress", EXACT, PROG(SCHED_CLS), ABI_TCX_EGRESS, 0, NULL },
	{ "tcx/ingress", EXACT, PROG(SCHED_CLS), ABI_TCX_INGRESS, 0, NULL },
	{ "tcx/egress", EXACT, PROG(SCHED_CLS), ABI_TCX_EGRESS, 0, NULL },
	{ "tc", EXACT, PROG(SCHED_CLS), 0, 0, NULL },
	{ "classifier", EXACT, PROG(SCHED_CLS), 0, 0, NULL },
	{ "action", EXACT, PROG(SCHED_ACT), 0, 0, NULL },
	{ "netkit/primary", EXACT, PROG(SCHED_CLS), ABI_NETKIT_PRIMARY, 0, NULL },
	{ "netkit/peer", EXACT, PROG(SCHED_CLS), ABI_NETKIT_PEER, 0, NULL },

	/* tracepoints */
	{ "tracepoint", BOTH, PROG(TRACEPOINT), 0, A, &attach_tracepoint },
	{ "tp", BOTH, PROG(TRACEPOINT), 0, A, &attach_tracepoint },
	{ "tracepoint.s", BOTH, PROG(TRACEPOINT), 0, A | S, &attach_tracepoint },
	{ "tp.s", BOTH, PROG(TRACEPOINT), 0, A | S, &attach_tracepoint },
	{ "raw_tracepoint", BOTH, PROG(RAW_TRACEPOINT), 0, A, &attach_raw_tp },
	{ "raw_tp", BOTH, PROG(RAW_TRACEPOINT), 0, A, &attach_raw_tp },
	{ "raw_tracepoint.s", BOTH, PROG(RAW_TRACEPOINT), 0, A | S, &attach_raw_tp },
	{ "raw_tp.s", BOTH, PROG(RAW_TRACEPOINT), 0, A | S, &attach_raw_tp },
	{ "raw_tracepoint.w", BOTH, PROG(RAW_TRACEPOINT_WRITABLE), 0, A, &attach_raw_tp },
	{ "raw_tp.w", BOTH, PROG(RAW_TRACEPOINT_WRITABLE), 0, A, &attach_raw_tp },

	/* functions and types of the kernel's BTF */
	{ "tp_btf", BOTH, PROG(TRACING), BPF_TRACE_RAW_TP, A | B, NULL },
	{ "tp_btf.s", BOTH, PROG(TRACING), BPF_TRACE_RAW_TP, A | B | S, NULL },
	{ "fentry", BOTH, PROG(TRACING), BPF_TRACE_FENTRY, A | B, NULL },
	{ "fentry.s", BOTH, PROG(TRACING), BPF_TRACE_FENTRY, A | B | S, NULL },
	{ "fexit", BOTH, PROG(TRACING), BPF_TRACE_FEXIT, A | B, NULL },
	{ "fexit.s", BOTH, PROG(TRACING), BPF_TRACE_FEXIT, A | B | S, NULL },
	{ "fmod_ret", BOTH, PROG(TRACING), BPF_MODIFY_RETURN, A | B, NULL },
	{ "fmod_ret.s", BOTH, PROG(TRACING), BPF_MODIFY_RETURN, A | B | S, NULL },
	{ "fsession", BOTH, PROG(TRACING), ABI_TRACE_FSESSION, A | B, NULL },
	{ "fsession.s", BOTH, PROG(TRACING), ABI_TRACE_FSESSION, A | B | S, NULL },
	{ "fentry.multi", BOTH, PROG(TRACING), ABI_TRACE_FENTRY_MULTI, A, NULL },
	{ "fentry.multi.s", BOTH, PROG(TRACING), ABI_TRACE_FENTRY_MULTI, A | S, NULL },
	{ "fexit.multi", BOTH, PROG(TRACING), ABI_TRACE_FEXIT_MULTI, A, NULL },
	{ "fexit.multi.s", BOTH, PROG(TRACING), ABI_TRACE_FEXIT_MULTI, A | S, NULL },
	{ "fsession.multi", BOTH, PROG(TRACING), ABI_TRACE_FSESSION_MULTI, A, NULL },
	{ "fsession.multi.s", BOTH, PROG(TRACING), ABI_TRACE_FSESSION_MULTI, A | S, NULL },
	{ "iter", BOTH, PROG(TRACING), BPF_TRACE_ITER, A | B, NULL },
	{ "iter.s", BOTH, PROG(TRACING), BPF_TRACE_ITER, A | B | S, NULL },
	{ "freplace", BOTH, PROG(EXT), 0, A | B, NULL },
	{ "lsm", BOTH, PROG(LSM), BPF_LSM_MAC, A | B, NULL },
	{ "lsm.s", BOTH, PROG(LSM), BPF_LSM_MAC, A | B | S, NULL },
	{ "lsm_cgroup", BOTH, PROG(LSM), BPF_LSM_CGROUP, B, NULL },

	{ "syscall", EXACT, PROG(SYSCALL), 0, S, NULL },
	{ "struct_ops", BOTH, PROG(STRUCT_OPS), 0, 0, NULL },
	{ "struct_ops.s", BOTH, PROG(STRUCT_OPS), 0, S, NULL },
	{ "perf_event", EXACT, PROG(PERF_EVENT), 0, 0, NULL },

	/* network devices and sockets */
	{ "xdp.frags/devmap", EXACT, PROG(XDP), BPF_XDP_DEVMAP, X, NULL },
	{ "xdp/devmap", EXACT, PROG(XDP), BPF_XDP_DEVMAP, 0, NULL },
	{ "xdp.frags/cpumap", EXACT, PROG(XDP), BPF_XDP_CPUMAP, X, NULL },
	{ "xdp/cpumap", EXACT, PROG(XDP), BPF_XDP_CPUMAP, 0, NULL },
	{ "xdp.frags", EXACT, PROG(XDP), BPF_XDP, X, &attach_xdp },
	{ "xdp", EXACT, PROG(XDP), BPF_XDP, O, &attach_xdp },
	{ "lwt_in", EXACT, PROG(LWT_IN), 0, 0, NULL },
	{ "lwt_out", EXACT, PROG(LWT_OUT), 0, 0, NULL },
	{ "lwt_xmit", EXACT, PROG(LWT_XMIT), 0, 0, NULL },
	{ "lwt_seg6local", EXACT, PROG(LWT_SEG6LOCAL), 0, 0, NULL },
	{ "sockops", EXACT, PROG(SOCK_OPS), CGROUP(SOCK_OPS), O, &attach_cgroup },
	{ "sk_skb/stream_parser", EXACT, PROG(SK_SKB), BPF_SK_SKB_STREAM_PARSER, O, NULL },
	{ "sk_skb/stream_verdict", EXACT, PROG(SK_SKB), BPF_SK_SKB_STREAM_VERDICT, O, NULL },
	{ "sk_skb/verdict", EXACT, PROG(SK_SKB), BPF_SK_SKB_VERDICT, O, NULL },
	{ "sk_skb", EXACT, PROG(SK_SKB), 0, 0, NULL },
	{ "sk_msg", EXACT, PROG(SK_MSG), BPF_SK_MSG_VERDICT, O, NULL },
	{ "lirc_mode2", EXACT, PROG(LIRC_MODE2), BPF_LIRC_MODE2, O, NULL },
	{ "flow_dissector", EXACT, PROG(FLOW_DISSECTOR), BPF_FLOW_DISSECTOR, O, NULL },
	{ "sk_lookup", EXACT, PROG(SK_LOOKUP), BPF_SK_LOOKUP, 0, NULL },
	{ "netfilter", EXACT, ABI_PROG_TYPE_NETFILTER, ABI_NETFILTER, 0, NULL },

	/* control groups */
	{ "cgroup_skb/ingress", EXACT, PROG(CGROUP_SKB), CGROUP(INET_INGRESS), O, &attach_cgroup },
	{ "cgroup_skb/egress", EXACT, PROG(CGROUP_SKB), CGROUP(INET_EGRESS), O, &attach_cgroup },
	{ "cgroup/skb", EXACT, PROG(CGROUP_SKB), 0, 0, &attach_cgroup },
	SOCK("sock_create", CGROUP(INET_SOCK_CREATE), 0),
	SOCK("sock_release", CGROUP(INET_SOCK_RELEASE), 0),
	SOCK("sock", CGROUP(INET_SOCK_CREATE), O),
	SOCK("post_bind4", CGROUP(INET4_POST_BIND), 0),
	SOCK("post_bind6", CGROUP(INET6_POST_BIND), 0),
	SOCK_ADDR("bind4", CGROUP(INET4_BIND)),
	SOCK_ADDR("bind6", CGROUP(INET6_BIND)),
	SOCK_ADDR("connect4", CGROUP(INET4_CONNECT)),
	SOCK_ADDR("connect6", CGROUP(INET6_CONNECT)),
	SOCK_ADDR("connect_unix", ABI_CGROUP_UNIX_CONNECT),
	SOCK_ADDR("sendmsg4", CGROUP(UDP4_SENDMSG)),
	SOCK_ADDR("sendmsg6", CGROUP(UDP6_SENDMSG)),
	SOCK_ADDR("sendmsg_unix", ABI_CGROUP_UNIX_SENDMSG),
	SOCK_ADDR("recvmsg4", CGROUP(UDP4_RECVMSG)),
	SOCK_ADDR("recvmsg6", CGROUP(UDP6_RECVMSG)),
	SOCK_ADDR("recvmsg_unix", ABI_CGROUP_UNIX_RECVMSG),
	SOCK_ADDR("getpeername4", CGROUP(INET4_GETPEERNAME)),
	SOCK_ADDR("getpeername6", CGROUP(INET6_GETPEERNAME)),
	SOCK_ADDR("getpeername_unix", ABI_CGROUP_UNIX_GETPEERNAME),
	SOCK_ADDR("getsockname4", CGROUP(INET4_GETSOCKNAME)),
	SOCK_ADDR("getsockname6", CGROUP(INET6_GETSOCKNAME)),
	SOCK_ADDR("getsockname_unix", ABI_CGROUP_UNIX_GETSOCKNAME),
	{ "cgroup/sysctl", EXACT, PROG(CGROUP_SYSCTL), CGROUP(SYSCTL), 0, &attach_cgroup },
	SOCKOPT("getsockopt", CGROUP(GETSOCKOPT)),
	SOCKOPT("setsockopt", CGROUP(SETSOCKOPT)),
	{ "cgroup/dev", EXACT, PROG(CGROUP_DEVICE), CGROUP(DEVICE), O, &attach_cgroup },
	{ NULL, EXACT, 0, 0, 0, NULL },
};
/* clang-format on */

const struct section_rule *section_find(const char *sec, const char **ret_extra)
{
	*ret_extra = NULL;
	for (const struct section_rule *rule = section_rules; rule->name; rule++) {
		size_t len = strlen(rule->name);

		if (strncmp(sec, rule->name, len))
			continue;
		if (!sec[len] && rule->match != SECTION_PREFIX)
			return rule;
		if (sec[len] == '/' && rule->match != SECTION_EXACT) {
			*ret_extra = sec + len + 1;
			return rule;
		}
	}
	return NULL;
}

/* The kinds of data sections: a name, and whether more may follow after a dot. */
static const struct {
	const char *name;
	bool dotted;
	enum data_kind kind;
} data_sections[] = {
	{ ".data", true, DATA_DATA },
	{ ".rodata", true, DATA_RODATA },
	{ ".bss", true, DATA_BSS },
	{ ".kconfig", false, DATA_KCONFIG },
	{ ".ksyms", false, DATA_KSYMS },
	{ ".struct_ops", false, DATA_STRUCT_OPS },
	{ "?.struct_ops", false, DATA_STRUCT_OPS },
	{ ".struct_ops.link", false, DATA_STRUCT_OPS_LINK },
	{ "?.struct_ops.link", false, DATA_STRUCT_OPS_LINK },
	{ ".addr_space.1", false, DATA_ARENA },
	{ NULL, false, DATA_NONE },
};

enum data_kind section_data_kind(const char *name)
{
	for (size_t i = 0; data_sections[i].name; i++) {
		size_t len = strlen(data_sections[i].name);

		if (strncmp(name, data_sections[i].name, len))
			continue;
		if (!name[len] || (data_sections[i].dotted && name[len] == '.'))
			return data_sections[i].kind;
	}
	return DATA_NONE;
}
