/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/names.h"

#include <ctype.h>
#include <stdio.h>

#include "bpf/abi.h"
#include "tests/unit/test.h"

struct table {
	const char *(*name)(uint32_t type);
	int (*parse)(const char *word);
	uint32_t n;
};

static const struct table tables[] = {
	{ prog_type_name, prog_type_parse, ABI_N_PROG_TYPES },
	{ map_type_name, map_type_parse, ABI_N_MAP_TYPES },
	{ attach_type_name, attach_type_parse, ABI_N_ATTACH_TYPES },
	{ link_type_name, NULL, ABI_N_LINK_TYPES },
};
enum { N_TABLES = sizeof(tables) / sizeof(tables[0]) };

TEST(every_number_has_a_word_of_its_own)
{
	for (int t = 0; t < N_TABLES; t++) {
		for (uint32_t i = 0; i < tables[t].n; i++) {
			const char *word = tables[t].name(i);

			if (!word)
				FAIL("table %d has no word for %u", t, i);
			for (const char *c = word; *c; c++)
				CHECK(islower(*c) || isdigit(*c) || *c == '_');
			for (uint32_t j = 0; j < i; j++)
				CHECK(strcmp(word, tables[t].name(j)));
		}
	}
}

TEST(words_lead_back_to_their_numbers)
{
	for (int t = 0; t < N_TABLES; t++)
		for (uint32_t i = 0; tables[t].parse && i < tables[t].n; i++)
			CHECK_EQ(tables[t].parse(tables[t].name(i)), i);
}

TEST(tables_reach_as_far_as_they_should)
{
	CHECK(ABI_N_ATTACH_TYPES > 58);
	CHECK(ABI_N_LINK_TYPES > 14);
	CHECK(ABI_N_MAP_TYPES > 34);
	CHECK(ABI_N_PROG_TYPES > 32);
}

TEST(unknown_numbers_have_no_word)
{
	for (int t = 0; t < N_TABLES; t++) {
		CHECK(!tables[t].name(tables[t].n));
		CHECK(!tables[t].name(UINT32_MAX));
	}
}

/* Written down by number, apart from the table: a row in the wrong place shows. */
TEST(spelling_is_that_of_the_enums)
{
	CHECK_STR(prog_type_name(1), "socket_filter");
	CHECK_STR(prog_type_name(3), "sched_cls");
	CHECK_STR(prog_type_name(18), "cgroup_sock_addr");
	CHECK_STR(prog_type_name(24), "raw_tracepoint_writable");
	CHECK_STR(prog_type_name(31), "syscall");
	CHECK_STR(prog_type_name(32), "netfilter");
	CHECK_STR(map_type_name(10), "lru_percpu_hash");
	CHECK_STR(map_type_name(19), "cgroup_storage");
	CHECK_STR(map_type_name(21), "percpu_cgroup_storage");
	CHECK_STR(map_type_name(31), "user_ringbuf");
	CHECK_STR(map_type_name(34), "insn_array");
	CHECK_STR(attach_type_name(0), "cgroup_inet_ingress");
	CHECK_STR(attach_type_name(4), "sk_skb_stream_parser");
	CHECK_STR(attach_type_name(23), "trace_raw_tp");
	CHECK_STR(attach_type_name(37), "xdp");
	CHECK_STR(attach_type_name(41), "perf_event");
	CHECK_STR(attach_type_name(48), "trace_uprobe_multi");
	CHECK_STR(attach_type_name(53), "cgroup_unix_getsockname");
	CHECK_STR(attach_type_name(58), "trace_fsession");
	CHECK_STR(link_type_name(0), "unspec");
	CHECK_STR(link_type_name(7), "perf_event");
	CHECK_STR(link_type_name(12), "uprobe_multi");
	CHECK_STR(link_type_name(14), "sockmap");
}

TEST(numbers_stand_for_themselves)
{
	CHECK_EQ(prog_type_parse("0"), 0);
	CHECK_EQ(map_type_parse("27"), 27);
	CHECK_EQ(attach_type_parse("4711"), 4711);
	CHECK_EQ(attach_type_parse("0000000000047"), 47);
	CHECK_EQ(attach_type_parse("2147483647"), INT32_MAX);
}

TEST(what_is_no_word_is_refused)
{
	static const char *const words[] = {
		"",    "hash ", "HASH", "-1",	      "+1",
		"0x1", "1a",	" 1",	"2147483648", "99999999999999999999999999",
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (map_type_parse(words[i]) != -1)
			FAIL("\"%s\" is taken", words[i]);
	CHECK_EQ(prog_type_parse("hash"), -1);
	CHECK_EQ(attach_type_parse("BPF_XDP"), -1);
}
