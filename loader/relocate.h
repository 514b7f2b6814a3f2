/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * relocate - a program as the kernel will get it.
 *
 * For one program: its instructions with CO-RE applied, the subprograms that it
 * reaches appended once each (subprog.c), calls and function addresses pointing
 * at them, map descriptors and data offsets filled in, func and line info of all
 * the pieces shifted to where they now stand (line_info.c).
 *
 * Nothing here enters the kernel; CO-RE reads the kernel's BTF.
 */
#include <stdint.h>

#include "base/report.h"
#include "loader/object.h"

struct core;

struct prog_code {
	struct bpf_insn *insns;
	uint32_t n_insns;
	struct bpf_func_info *funcs; /* empty if the object has none for all pieces */
	struct bpf_line_info *lines;
	uint32_t n_funcs, n_lines;
	/* CO-RE relocations that found nothing, for the log: instruction and relocation. */
	struct poisoned {
		uint32_t insn;
		const struct ext_core *relo;
	} *poisoned;
	uint32_t n_poisoned;
};

/* Helper number of an instruction that wanted map I when I was not created: this plus I. */
enum { RELOC_POISON_MAP = 2001000000 };

/**
 * relocate_program() - build the code of obj->programs[@prog]
 * @map_fds: a descriptor for each map, -1 for one that is not created: its uses
 *           become calls of RELOC_POISON_MAP + index, fine in code proved dead
 * @core:    NULL if the object has no CO-RE relocations
 *
 * Return: 0; -EINVAL, -EBADMSG with a sentence; what core_relocate() said; -ENOMEM.
 */
int relocate_program(const struct object *obj, uint32_t prog, const int *map_fds, struct core *core,
		     struct report *rp, struct prog_code *ret);
void prog_code_deinit(struct prog_code *code);
