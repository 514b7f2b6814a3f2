/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * btf_ext - the .BTF.ext section: which function, which source line and which
 * CO-RE relocation belongs to which instruction.
 *
 * Everything is copied out and checked against the object's BTF; instruction
 * numbers count from the start of the ELF section. Records longer than we know
 * are cut, as the format provides.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"

struct btf;

struct ext_func { /* struct bpf_func_info of the kernel */
	uint32_t insn;
	uint32_t type_id; /* a BTF_KIND_FUNC */
};

struct ext_line { /* struct bpf_line_info of the kernel */
	uint32_t insn;
	uint32_t file_name_off, line_off; /* valid string offsets */
	uint32_t line_col;		  /* line << 10 | column */
};

struct ext_core {
	uint32_t insn;
	uint32_t type_id;    /* exists in the object's BTF */
	uint32_t access_off; /* valid string offset: "0:1:2" */
	uint32_t kind;	     /* enum bpf_core_relo_kind */
};

/* All that the section says of one ELF section, each array sorted by instruction. */
struct ext_section {
	char *name;
	struct ext_func *funcs;
	struct ext_line *lines;
	struct ext_core *cores;
	uint32_t n_funcs, n_lines, n_cores;
};

struct btf_ext {
	struct ext_section *sections;
	uint32_t n_sections;
};

/* Parts of the section, to be or-ed. */
enum btf_ext_tables {
	BTF_EXT_FUNCS = 1,
	BTF_EXT_LINES = 2,
	BTF_EXT_CORES = 4,
	BTF_EXT_ALL = 7,
};

/**
 * btf_ext_parse() - take .BTF.ext apart
 * @tables: which parts to read; 0: only check the header
 * @swap:   it has the other byte order
 *
 * Return: 0; -EBADMSG with ".BTF.ext+0xOFFSET: …"; -EOPNOTSUPP for a newer
 * version; -ENOMEM.
 */
int btf_ext_parse(const void *data, size_t len, unsigned tables, bool swap, const struct btf *btf,
		  struct report *rp, struct btf_ext **ret);
void btf_ext_free(struct btf_ext *ext);
DEFINE_CLEANUP(struct btf_ext, btf_ext_free)

/* NULL if nothing is said of the ELF section @name. */
const struct ext_section *btf_ext_section(const struct btf_ext *ext, const char *name);
