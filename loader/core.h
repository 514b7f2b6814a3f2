/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * core - CO-RE: make a program's ideas of the kernel's types true.
 *
 * A relocation says "this instruction uses field 0:1:2 of my struct task_struct".
 * core_spec.c turns the access string into a path of members, core_match.c finds
 * the types of the running kernel that match it, core_patch.c computes the value
 * asked for and writes it into the instruction.
 *
 *   core_relo ──core_spec──> path in local BTF ──core_match──> path in kernel BTF
 *                                            └──core_patch──> insn
 *
 * Rules that are easy to get wrong: all candidates that match must agree on the
 * value, and those that did not match are out for later relocations of the same
 * type; no match is an answer (0) for "exists", "matches" and the id and size of
 * a type, and poison for the others (a call of a helper that does not exist,
 * CORE_POISON_CALL: fine in code that the verifier proves dead); candidates come
 * from vmlinux, and from modules only if it has none.
 */
#include <stdint.h>

#include "base/report.h"
#include "bpf/abi.h"
#include "loader/btf_ext.h"

struct btf;
struct kernel_btf;

/* Helper number of poisoned instructions; the log summary recognises it. */
enum { CORE_POISON_CALL = 195896080 }; /* 0xbad2310: "bad relo" */

struct core; /* candidates found so far, for one object against one kernel */

/**
 * core_new() - start relocating one object
 * @local: the object's BTF; outlives it
 * @kernel: where candidates come from; its vmlinux is opened at the first need
 * @custom: NULL, or types that replace the kernel's altogether (no modules then)
 */
struct core *core_new(const struct btf *local, struct kernel_btf *kernel, struct btf *custom);
void core_free(struct core *c);
DEFINE_CLEANUP(struct core, core_free)

/**
 * core_relocate() - apply one relocation
 * @prog:    for sentences
 * @insns:   the program's @n_insns instructions, changed in place
 * @insn:    the index that @relo means in @insns (its own counts in the ELF section)
 *
 * Return: 0; -EINVAL if the relocation is malformed, does not fit the
 * instruction, or candidates disagree (sentence names program, instruction,
 * type and field); -EOPNOTSUPP for a kind that is not known; -E2BIG if types
 * are so tangled that comparing them does not end; what kernel_btf_get() said;
 * -ENOMEM.
 */
int core_relocate(struct core *c, const char *prog, struct bpf_insn *insns, uint32_t n_insns,
		  uint32_t insn, const struct ext_core *relo, struct report *rp);

/**
 * core_describe() - a relocation in words: "<byte_off> [12] struct task_struct.pid (0:3)"
 *
 * For logs: what a poisoned instruction wanted. Writes at most @size bytes.
 */
void core_describe(const struct btf *local, const struct ext_core *relo, char *buf, size_t size);
