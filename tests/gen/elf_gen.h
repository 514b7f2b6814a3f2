/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * elf_gen - write BPF ELF objects for tests, good or with one defect.
 *
 *	struct elf_gen g = {};
 *	uint32_t code = gen_code(&g, "socket", 2);
 *	gen_symbol(&g, "prog", code, 0, 16, GEN_GLOBAL_FUNC);
 *	gen_elf_finish(&g);		a whole, good object: g.blob
 *	gen_elf_header(&g)->e_type = ET_EXEC;	the defect
 *
 * Sections may be given any contents, symbols and relocations any numbers;
 * nothing is checked. The finished file has: header, sections in the order in
 * which they were added, relocations, symbols, strings, section headers. Running
 * out of memory ends the test.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { GEN_MAX_SECTIONS = 40, GEN_MAX_SYMBOLS = 256 };

struct elf_gen {
	Elf64_Shdr sections[GEN_MAX_SECTIONS]; /* sh_offset, sh_size are filled in by finishing */
	struct str contents[GEN_MAX_SECTIONS];
	uint32_t n_sections; /* the null section included, once one was added */
	Elf64_Sym symbols[GEN_MAX_SYMBOLS];
	uint32_t n_symbols;
	struct str names;	 /* one string table for all */
	uint32_t symtab, strtab; /* indices, once finished */
	struct str blob;
};

/* Each adds a section and returns its index. @data NULL: NOBITS of @len bytes. */
uint32_t gen_section(struct elf_gen *g, const char *name, uint32_t type, uint64_t flags,
		     const void *data, size_t len);
uint32_t gen_data(struct elf_gen *g, const char *name, const void *data, size_t len);
/* Code that returns 0: @n_insns - 1 times "r0 = 0", then "exit". */
uint32_t gen_code(struct elf_gen *g, const char *name, uint32_t n_insns);
/* Code of one's own. */
struct bpf_insn;
uint32_t gen_insns(struct elf_gen *g, const char *name, const struct bpf_insn *insns,
		   uint32_t n_insns);

/* st_info of the usual symbols */
enum {
	GEN_GLOBAL_FUNC = STB_GLOBAL << 4 | STT_FUNC,
	GEN_LOCAL_FUNC = STB_LOCAL << 4 | STT_FUNC,
	GEN_GLOBAL_OBJECT = STB_GLOBAL << 4 | STT_OBJECT,
	GEN_SECTION = STB_LOCAL << 4 | STT_SECTION,
	GEN_EXTERN = STB_GLOBAL << 4 | STT_NOTYPE,
};
/* Adds a symbol and returns its index. */
uint32_t gen_symbol(struct elf_gen *g, const char *name, uint32_t section, uint64_t value,
		    uint64_t size, uint32_t info);
/* A relocation of section @section at @offset, in ".rel" and the section's name. */
void gen_rel(struct elf_gen *g, uint32_t section, uint64_t offset, uint32_t symbol);

/* The smallest object: program "prog" of two instructions in section "socket", and a license. */
void gen_small(struct elf_gen *g);

/* Make @blob of what there is. */
void gen_elf_finish(struct elf_gen *g);
/* In the finished blob, to be spoiled: */
Elf64_Ehdr *gen_elf_header(struct elf_gen *g);
Elf64_Shdr *gen_elf_section(struct elf_gen *g, uint32_t index);
Elf64_Shdr *gen_elf_section_named(struct elf_gen *g, const char *name);
Elf64_Sym *gen_elf_symbol(struct elf_gen *g, uint32_t index);
void *gen_elf_contents(struct elf_gen *g, uint32_t index);
/* Turn headers, symbols, relocations and code of the finished blob into the other byte order. */
void gen_elf_swap(struct elf_gen *g);
void gen_elf_deinit(struct elf_gen *g);
