/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* insn - builders and predicates for BPF instructions. */
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

#define INSN(code_, dst, src, off_, imm_)                                                          \
	((struct bpf_insn){                                                                        \
		.code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_) })
#define INSN_MOV64_IMM(dst, imm)      INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define INSN_MOV64_REG(dst, src)      INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define INSN_ALU64_IMM(op, dst, imm)  INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define INSN_LDX_MEM(size, d, s, off) INSN(BPF_LDX | (size) | BPF_MEM, d, s, off, 0)
#define INSN_ST_MEM(size, d, off, v)  INSN(BPF_ST | (size) | BPF_MEM, d, 0, off, v)
#define INSN_STX_MEM(size, d, s, off) INSN(BPF_STX | (size) | BPF_MEM, d, s, off, 0)
#define INSN_CALL(helper)	      INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define INSN_EXIT()		      INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Two instructions. @src: 0 or BPF_PSEUDO_… */
#define INSN_LD_IMM64(dst, src, lo, hi)                                                            \
	INSN(BPF_LD | BPF_DW | BPF_IMM, dst, src, 0, lo), INSN(0, 0, 0, 0, hi)

static inline bool insn_is_ldimm64(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}
/* A call of a subprogram of the same object. */
static inline bool insn_is_subprog_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}
/* The first half of a 64-bit load whose value is a function's address. */
static inline bool insn_is_pseudo_func(const struct bpf_insn *insn)
{
	return insn_is_ldimm64(insn) && insn->src_reg == BPF_PSEUDO_FUNC;
}
static inline bool insn_is_helper_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == 0;
}
