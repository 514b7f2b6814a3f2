/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs as kernels have written them; what they say in one sentence. */
#include <stdio.h>

#include "loader/load.h"
#include "tests/unit/test.h"

static char sentence[256], source[256];
static int32_t insn;

static void summarize(const char *log)
{
	verifier_summary(log, sentence, sizeof(sentence), &insn, source, sizeof(source));
}

static void check(const char *log, const char *want, int32_t want_insn, const char *want_source)
{
	summarize(log);
	CHECK_STR(sentence, want);
	CHECK_EQ(insn, want_insn);
	CHECK_STR(source, want_source);
}

#define STATS                                                                                   \
	"processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 " \
	"mark_read 0\n"

TEST(takes_the_line_behind_the_last_instruction)
{
	check("arg#0 reference type('UNKNOWN ') size cannot be determined: -22\n"
	      "0: R1=ctx() R10=fp0\n"
	      "; __u64 *value = bpf_map_lookup_elem(&table, &key); @ x.bpf.c:29\n"
	      "6: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=m,ks=4,vs=8)\n"
	      "; return *value; @ x.bpf.c:31\n"
	      "7: (79) r0 = *(u64 *)(r0 +0)\n"
	      "R0 invalid mem access 'map_value_or_null'\n" STATS,
	      "R0 invalid mem access 'map_value_or_null'", 7, "return *value; @ x.bpf.c:31");
}

TEST(takes_two_lines_where_there_are_two)
{
	check("8: (79) r6 = *(u64 *)(r0 +24)\n"
	      "invalid access to map value, value_size=8 off=24 size=8\n"
	      "R0 min value is outside of the allowed memory range\n" STATS,
	      "invalid access to map value, value_size=8 off=24 size=8; R0 min value is outside of "
	      "the "
	      "allowed memory range",
	      8, "");
}

TEST(skips_sources_that_are_only_places)
{
	check("; first(); @ x.bpf.c:6\n"
	      "2: (bf) r2 = r10\n"
	      ";  @ x.bpf.c:0\n"
	      "3: (07) r2 += -4\n"
	      "R9 !read_ok\n",
	      "R9 !read_ok", 3, "first(); @ x.bpf.c:6");
}

TEST(finds_endless_loops_at_the_end_of_an_instruction)
{
	check("; for (i = 0; i < skb->len; i++) @ x.bpf.c:50\n"
	      "5: (61) r2 = *(u32 *)(r10 -4)         ; R2=scalar() R10=fp0 fp-8=mmmm????\n"
	      "9: (2d) if r1 > r2 goto pc-5 infinite loop detected at insn 5\n"
	      "cur state: R1=scalar() R10=fp0\n"
	      "old state: R1=scalar() R10=fp0\n" STATS,
	      "infinite loop detected at insn 5", 5, "for (i = 0; i < skb->len; i++) @ x.bpf.c:50");
}

TEST(finds_endless_loops_on_a_line_of_their_own)
{
	check("9: (2d) if r1 > r2 goto pc-5\n"
	      " R1=inv(id=0) R2=inv(id=0) R10=fp0\n"
	      "infinite loop detected at insn 5\n" STATS,
	      "infinite loop detected at insn 5", 9, "");
}

TEST(finds_checks_before_the_first_instruction)
{
	check("unreachable insn 12\n" STATS, "unreachable insn 12", 12, "");
	check("last insn is not an exit or jmp\n" STATS, "last insn is not an exit or jmp", -1, "");
	check("back-edge from insn 7 to 3\n", "back-edge from insn 7 to 3", 7, "");
	check("jump out of range from insn 4 to 400\n", "jump out of range from insn 4 to 400", 4,
	      "");
	check("combined stack size of 2 calls is 800. Too large\n" STATS,
	      "combined stack size of 2 calls is 800. Too large", -1, "");
}

TEST(finds_checks_of_helpers)
{
	check("0: (85) call unknown#9999\ninvalid func unknown#9999\n" STATS,
	      "invalid func unknown#9999", 0, "");
	check("1: (85) call bpf_xdp_adjust_head#44\n"
	      "program of this type cannot use helper bpf_xdp_adjust_head#44\n" STATS,
	      "program of this type cannot use helper bpf_xdp_adjust_head#44", 1, "");
	check("3: (85) call bpf_trace_printk#6\n"
	      "cannot call GPL-restricted function from non-GPL compatible program\n" STATS,
	      "cannot call GPL-restricted function from non-GPL compatible program", 3, "");
	check("3: (85) call bpf_map_lookup_elem#1\n"
	      "R2 type=ctx expected=fp, pkt, pkt_meta, map_key, map_value, mem\n" STATS,
	      "R2 type=ctx expected=fp, pkt, pkt_meta, map_key, map_value, mem", 3, "");
}

TEST(finds_checks_of_size)
{
	check("; sum += skb->len; @ x.bpf.c:98\n"
	      "6: (67) r3 <<= 32                     ; R3=0x2bde7800000000\n"
	      "7: (77) r3 >>= 32\n"
	      "BPF program is too large. Processed 1000001 insn\n"
	      "processed 1000001 insns (limit 1000000) max_states_per_insn 4 total_states 12501\n",
	      "BPF program is too large. Processed 1000001 insn", 7,
	      "sum += skb->len; @ x.bpf.c:98");
	check("7: (05) goto pc-8\nThe sequence of 8193 jumps is too complex.\n" STATS,
	      "The sequence of 8193 jumps is too complex", 7, "");
}

TEST(finds_checks_at_the_end_of_a_program)
{
	check("; return 77; @ x.bpf.c:6\n"
	      "0: (b7) r0 = 77                       ; R0=77\n"
	      "1: (95) exit\n"
	      "At program exit the register R0 has smin=77 smax=77 should have been in [0, "
	      "3]\n" STATS,
	      "At program exit the register R0 has smin=77 smax=77 should have been in [0, 3]", 1,
	      "return 77; @ x.bpf.c:6");
	check("6: (95) exit\n"
	      "Unreleased reference id=2 alloc_insn=4\n"
	      "BPF_EXIT instruction in main prog would lead to reference leak\n" STATS,
	      "Unreleased reference id=2 alloc_insn=4; BPF_EXIT instruction in main prog would "
	      "lead to "
	      "reference leak",
	      6, "");
}

TEST(knows_the_logs_of_functions)
{
	check("Validating global_one() func#1...\n"
	      "2: R1=ctx() R10=fp0\n"
	      "; return *(int *)((char *)skb + 4000); @ x.bpf.c:5\n"
	      "2: (61) r0 = *(u32 *)(r1 +4000)\n"
	      "invalid bpf_context access off=4000 size=4\n" STATS,
	      "invalid bpf_context access off=4000 size=4", 2,
	      "return *(int *)((char *)skb + 4000); @ x.bpf.c:5");
}

TEST(knows_the_logs_of_older_kernels)
{
	/* 5.4: state after each instruction on its own line, no place behind the source */
	check("0: (b7) r1 = 0\n"
	      "1: (63) *(u32 *)(r10 -4) = r1\n"
	      "last_idx 1 first_idx 0\n"
	      "regs=2 stack=0 before 0: (b7) r1 = 0\n"
	      "6: (85) call bpf_map_lookup_elem#1\n"
	      " R0_w=map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0) R10=fp0 fp-8=0000mmmm\n"
	      "; return *value;\n"
	      "7: (79) r0 = *(u64 *)(r0 +0)\n"
	      "R0 invalid mem access 'map_value_or_null'\n"
	      "verification time 58 usec\n"
	      "stack depth 4\n"
	      "processed 7 insns (limit 1000000) max_states_per_insn 0\n",
	      "R0 invalid mem access 'map_value_or_null'", 7, "return *value;");
}

TEST(knows_the_logs_of_level_2)
{
	check("func#0 @0\n"
	      "Live regs before insn:\n"
	      "  0: .1........ (bf) r2 = r1\n"
	      "0: R1=ctx() R10=fp0\n"
	      "7: (15) if r0 == 0x0 goto pc+1        ; R0=map_value(map=m,ks=4,vs=8)\n"
	      "8: (79) r6 = *(u64 *)(r0 +24)\n"
	      "mark_precise: frame0: last_idx 8 first_idx 0 subseq_idx -1\n"
	      "mark_precise: frame0: regs=r1 stack= before 7: (15) if r0 == 0x0 goto pc+1\n"
	      "R0 unbounded memory access, make sure to bounds check any such access\n"
	      "verification time 100 usec\n" STATS,
	      "R0 unbounded memory access, make sure to bounds check any such access", 8, "");
	/* a path that was safe is no reason */
	check("3: (95) exit\n"
	      "from 2 to 5: R0=0 R10=fp0\n"
	      "5: R0=0 R10=fp0\n"
	      "5: (95) exit\n"
	      "from 4 to 6: safe\n"
	      "R3 !read_ok\n",
	      "R3 !read_ok", 5, "");
}

TEST(says_nothing_of_logs_that_say_nothing)
{
	check("", "", -1, "");
	check(STATS, "", -1, "");
	check("0: R1=ctx() R10=fp0\n; return 0;\n0: (b7) r0 = 0\n1: (95) exit\n" STATS, "", -1, "");
}

TEST(survives_lines_that_are_no_text)
{
	check("0: (95) exit\nbad\001\033[31mthing\t!\n", "bad  [31mthing !", 0, "");
	check("7", "7", -1, "");
	check(": (\n", ": (", -1, "");
	check("99999999999999999999: (95) exit\n", "99999999999999999999: (95) exit", -1, "");
	check(";\n;;\n; \nx", "x", -1, "");
}

TEST(cuts_what_does_not_fit)
{
	char small[8], src[4];
	int32_t at;

	verifier_summary("; source line\n4: (95) exit\nR0 !read_ok at all\n", small, sizeof(small),
			 &at, src, sizeof(src));
	CHECK_STR(small, "R0 !rea");
	CHECK_STR(src, "sou");
	CHECK_EQ(at, 4);
}
