/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/section.h"

#include "bpf/abi.h"
#include "loader/attach.h"
#include "tests/unit/test.h"

enum { N_RULES = 116 };

static void check_rule(const char *sec, uint32_t prog_type, uint32_t attach_type, unsigned flags,
		       const char *extra)
{
	const char *its_extra = "untouched";
	const struct section_rule *rule = section_find(sec, &its_extra);

	if (!rule)
		FAIL("no rule for '%s'", sec);
	if (rule->prog_type != prog_type || rule->attach_type != attach_type ||
	    rule->flags != flags)
		FAIL("'%s' is type %u, attach type %u, flags 0x%x", sec, rule->prog_type,
		     rule->attach_type, rule->flags);
	if (!extra)
		CHECK(!its_extra);
	else
		CHECK_STR(its_extra, extra);
}

static void check_none(const char *sec)
{
	const char *extra;

	if (section_find(sec, &extra))
		FAIL("'%s' has a rule", sec);
	CHECK(!extra);
}

TEST(finds_rules_by_the_whole_name)
{
	check_rule("socket", BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, NULL);
	check_rule("xdp", BPF_PROG_TYPE_XDP, BPF_XDP, SECTION_TYPE_OPTIONAL, NULL);
	check_rule("xdp.frags", BPF_PROG_TYPE_XDP, BPF_XDP, SECTION_XDP_FRAGS, NULL);
	check_rule("xdp/devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, 0, NULL);
	check_rule("xdp.frags/cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, SECTION_XDP_FRAGS, NULL);
	check_rule("syscall", BPF_PROG_TYPE_SYSCALL, 0, SECTION_SLEEPABLE, NULL);
	check_rule("sk_reuseport/migrate", BPF_PROG_TYPE_SK_REUSEPORT,
		   BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, 0, NULL);
	check_rule("cgroup/getsockname_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		   ABI_CGROUP_UNIX_GETSOCKNAME, 0, NULL);
	check_rule("netfilter", ABI_PROG_TYPE_NETFILTER, ABI_NETFILTER, 0, NULL);
}

TEST(finds_rules_with_a_target)
{
	check_rule("kprobe/do_unlinkat", BPF_PROG_TYPE_KPROBE, 0, SECTION_AUTO, "do_unlinkat");
	check_rule("tp/syscalls/sys_enter_execve", BPF_PROG_TYPE_TRACEPOINT, 0, SECTION_AUTO,
		   "syscalls/sys_enter_execve");
	check_rule("fentry.s/vfs_read", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY,
		   SECTION_AUTO | SECTION_ATTACH_BTF | SECTION_SLEEPABLE, "vfs_read");
	check_rule("uprobe.multi.s//bin/bash:read*", BPF_PROG_TYPE_KPROBE, ABI_TRACE_UPROBE_MULTI,
		   SECTION_AUTO | SECTION_SLEEPABLE, "/bin/bash:read*");
	check_rule("lsm_cgroup/socket_bind", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, SECTION_ATTACH_BTF,
		   "socket_bind");
	check_rule("usdt/x:y:z", BPF_PROG_TYPE_KPROBE, 0, SECTION_AUTO | SECTION_USDT, "x:y:z");
	check_rule("fsession.multi.s/a*", BPF_PROG_TYPE_TRACING, ABI_TRACE_FSESSION_MULTI,
		   SECTION_AUTO | SECTION_SLEEPABLE, "a*");
}

TEST(tells_a_bare_name_from_an_empty_target)
{
	check_rule("kprobe", BPF_PROG_TYPE_KPROBE, 0, SECTION_AUTO, NULL);
	check_rule("kprobe/", BPF_PROG_TYPE_KPROBE, 0, SECTION_AUTO, "");
}

TEST(does_not_match_more_than_rules_say)
{
	check_none("");
	check_none("socket/x");
	check_none("xdp/eth0");
	check_none("kprobes/x");
	check_none("kprobe.x/y");
	check_none("socke");
	check_none("?socket");
	check_none("cgroup/connect5");
	check_none("lirc_mode2/rc6");
	check_none(".text");
}

TEST(each_rule_is_reached_by_its_own_name)
{
	unsigned n = 0;

	for (const struct section_rule *rule = section_rules; rule->name; rule++, n++) {
		char target[128];
		const char *extra;

		if (section_find(rule->name, &extra) != rule)
			FAIL("'%s' finds another rule", rule->name);
		strcpy(target, rule->name);
		strcat(target, "/x");
		if (rule->match != SECTION_EXACT && section_find(target, &extra) != rule)
			FAIL("'%s' finds another rule", target);
		if (rule->match == SECTION_EXACT && section_find(target, &extra) == rule)
			FAIL("'%s' finds a rule that takes no target", target);
	}
	CHECK_EQ(n, N_RULES);
}

TEST(sleepable_is_what_the_name_says)
{
	for (const struct section_rule *rule = section_rules; rule->name; rule++) {
		size_t len = strlen(rule->name);
		bool named = len > 2 && !strcmp(rule->name + len - 2, ".s");

		/* SEC("syscall") sleeps without saying so. */
		if (!strcmp(rule->name, "syscall"))
			continue;
		if (named != !!(rule->flags & SECTION_SLEEPABLE))
			FAIL("'%s' has flags 0x%x", rule->name, rule->flags);
	}
}

TEST(kinds_stand_where_something_attaches)
{
	static const struct {
		const char *sec;
		const struct attach_kind *kind;
	} rows[] = {
		{ "tp/a/b", &attach_tracepoint },
		{ "tracepoint.s/a/b", &attach_tracepoint },
		{ "raw_tp/x", &attach_raw_tp },
		{ "raw_tracepoint.w/x", &attach_raw_tp },
		{ "uprobe/x:y", &attach_uprobe },
		{ "uretprobe.s/x:y", &attach_uprobe },
		{ "uprobe.session/x:y", &attach_uprobe_multi },
		{ "uretprobe.multi/x:y", &attach_uprobe_multi },
		{ "xdp", &attach_xdp },
		{ "xdp.frags", &attach_xdp },
		{ "sockops", &attach_cgroup },
		{ "cgroup/dev", &attach_cgroup },
		{ "cgroup_skb/ingress", &attach_cgroup },
		{ "xdp/devmap", NULL },
		{ "kprobe/x", NULL },
	};
	const char *extra;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (section_find(rows[i].sec, &extra)->kind != rows[i].kind)
			FAIL("'%s' has another kind", rows[i].sec);
	}
	for (const struct section_rule *rule = section_rules; rule->name; rule++) {
		if (!strncmp(rule->name, "cgroup", 6) && rule->kind != &attach_cgroup)
			FAIL("'%s' does not attach to a cgroup", rule->name);
	}
}

TEST(knows_data_sections)
{
	CHECK_EQ(section_data_kind(".data"), DATA_DATA);
	CHECK_EQ(section_data_kind(".data.hot"), DATA_DATA);
	CHECK_EQ(section_data_kind(".rodata.str1.1"), DATA_RODATA);
	CHECK_EQ(section_data_kind(".bss"), DATA_BSS);
	CHECK_EQ(section_data_kind(".bss.x"), DATA_BSS);
	CHECK_EQ(section_data_kind(".kconfig"), DATA_KCONFIG);
	CHECK_EQ(section_data_kind(".ksyms"), DATA_KSYMS);
	CHECK_EQ(section_data_kind(".struct_ops"), DATA_STRUCT_OPS);
	CHECK_EQ(section_data_kind("?.struct_ops.link"), DATA_STRUCT_OPS_LINK);
	CHECK_EQ(section_data_kind(".addr_space.1"), DATA_ARENA);
	CHECK_EQ(section_data_kind(".database"), DATA_NONE);
	CHECK_EQ(section_data_kind(".maps"), DATA_NONE);
	CHECK_EQ(section_data_kind("data"), DATA_NONE);
	CHECK_EQ(section_data_kind(".struct_ops.x"), DATA_NONE);
	CHECK_EQ(section_data_kind(""), DATA_NONE);
}
