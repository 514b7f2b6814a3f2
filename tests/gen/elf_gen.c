/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/gen/elf_gen.h"

#include <stdio.h>
#include <stdlib.h>

#include "bpf/insn.h"

#ifndef EM_BPF
#define EM_BPF 247
#endif

enum { RELOC_TYPE = 1 }; /* R_BPF_64_64: the loader does not look at it */

static void must(bool ok)
{
	if (!ok)
		abort();
}

static uint32_t add_name(struct elf_gen *g, const char *name)
{
	uint32_t at;

	if (!g->names.len)
		str_add_char(&g->names, '\0');
	at = g->names.len;
	if (!*name)
		return 0;
	str_add_mem(&g->names, name, strlen(name) + 1);
	return at;
}

uint32_t gen_section(struct elf_gen *g, const char *name, uint32_t type, uint64_t flags,
		     const void *data, size_t len)
{
	uint32_t index;

	if (!g->n_sections)
		g->n_sections = 1;
	index = g->n_sections++;
	must(g->n_sections <= GEN_MAX_SECTIONS);
	g->sections[index] = (Elf64_Shdr){
		.sh_name = add_name(g, name),
		.sh_type = type,
		.sh_flags = flags,
		.sh_size = len,
		.sh_addralign = 8,
	};
	if (type != SHT_NOBITS && len)
		str_add_mem(&g->contents[index], data, len);
	return index;
}

uint32_t gen_data(struct elf_gen *g, const char *name, const void *data, size_t len)
{
	return gen_section(g, name, data ? SHT_PROGBITS : SHT_NOBITS, SHF_ALLOC | SHF_WRITE, data,
			   len);
}

uint32_t gen_insns(struct elf_gen *g, const char *name, const struct bpf_insn *insns,
		   uint32_t n_insns)
{
	return gen_section(g, name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, insns,
			   n_insns * sizeof(*insns));
}

uint32_t gen_code(struct elf_gen *g, const char *name, uint32_t n_insns)
{
	struct bpf_insn *insns = calloc(n_insns, sizeof(*insns));
	uint32_t section;

	must(insns != NULL);
	for (uint32_t i = 0; i < n_insns; i++)
		insns[i] = i + 1 < n_insns ? INSN_MOV64_IMM(0, 0) : INSN_EXIT();
	section = gen_insns(g, name, insns, n_insns);
	free(insns);
	return section;
}

uint32_t gen_symbol(struct elf_gen *g, const char *name, uint32_t section, uint64_t value,
		    uint64_t size, uint32_t info)
{
	uint32_t index;

	if (!g->n_symbols)
		g->n_symbols = 1;
	index = g->n_symbols++;
	must(g->n_symbols <= GEN_MAX_SYMBOLS);
	g->symbols[index] = (Elf64_Sym){
		.st_name = add_name(g, name),
		.st_info = info,
		.st_shndx = section,
		.st_value = value,
		.st_size = size,
	};
	return index;
}

void gen_rel(struct elf_gen *g, uint32_t section, uint64_t offset, uint32_t symbol)
{
	Elf64_Rel rel = {
		.r_offset = offset,
		.r_info = ELF64_R_INFO((uint64_t)symbol, RELOC_TYPE),
	};
	uint32_t index = 0;
	char name[128];

	for (uint32_t i = 1; i < g->n_sections; i++) {
		if (g->sections[i].sh_type == SHT_REL && g->sections[i].sh_info == section)
			index = i;
	}
	if (!index) {
		snprintf(name, sizeof(name), ".rel%s",
			 g->names.data + g->sections[section].sh_name);
		index = gen_section(g, name, SHT_REL, 0, NULL, 0);
		g->sections[index].sh_info = section;
		g->sections[index].sh_entsize = sizeof(rel);
	}
	str_add_mem(&g->contents[index], &rel, sizeof(rel));
}

void gen_small(struct elf_gen *g)
{
	uint32_t code = gen_code(g, "socket", 2);

	gen_symbol(g, "prog", code, 0, 16, GEN_GLOBAL_FUNC);
	gen_data(g, "license", "GPL", 4);
}

static void align_blob(struct elf_gen *g)
{
	while (g->blob.len % 8)
		str_add_char(&g->blob, '\0');
}

static void place(struct elf_gen *g, uint32_t index, const void *data, size_t len)
{
	align_blob(g);
	g->sections[index].sh_offset = g->blob.len;
	g->sections[index].sh_size = len;
	str_add_mem(&g->blob, data, len);
}

void gen_elf_finish(struct elf_gen *g)
{
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_BPF,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(eh),
		.e_shentsize = sizeof(Elf64_Shdr),
	};

	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		eh.e_ident[EI_DATA] = ELFDATA2MSB;
	if (!g->n_symbols)
		g->n_symbols = 1;
	g->symtab = gen_section(g, ".symtab", SHT_SYMTAB, 0, NULL, 0);
	g->strtab = gen_section(g, ".strtab", SHT_STRTAB, 0, NULL, 0);
	g->sections[g->symtab].sh_link = g->strtab;
	g->sections[g->symtab].sh_entsize = sizeof(Elf64_Sym);
	str_add_mem(&g->blob, &eh, sizeof(eh));
	for (uint32_t i = 1; i < g->n_sections; i++) {
		if (g->sections[i].sh_type == SHT_NOBITS || i == g->symtab || i == g->strtab)
			continue;
		if (g->sections[i].sh_type == SHT_REL)
			g->sections[i].sh_link = g->symtab;
		place(g, i, g->contents[i].data, g->contents[i].len);
	}
	place(g, g->symtab, g->symbols, g->n_symbols * sizeof(Elf64_Sym));
	place(g, g->strtab, g->names.data, g->names.len);
	align_blob(g);
	eh.e_shoff = g->blob.len;
	eh.e_shnum = g->n_sections;
	eh.e_shstrndx = g->strtab;
	str_add_mem(&g->blob, g->sections, g->n_sections * sizeof(Elf64_Shdr));
	must(!str_error(&g->blob) && !str_error(&g->names));
	memcpy(g->blob.data, &eh, sizeof(eh));
}

Elf64_Ehdr *gen_elf_header(struct elf_gen *g)
{
	return (Elf64_Ehdr *)g->blob.data;
}

Elf64_Shdr *gen_elf_section(struct elf_gen *g, uint32_t index)
{
	return (Elf64_Shdr *)(g->blob.data + gen_elf_header(g)->e_shoff) + index;
}

Elf64_Shdr *gen_elf_section_named(struct elf_gen *g, const char *name)
{
	for (uint32_t i = 1; i < g->n_sections; i++) {
		if (!strcmp(g->names.data + g->sections[i].sh_name, name))
			return gen_elf_section(g, i);
	}
	abort();
}

Elf64_Sym *gen_elf_symbol(struct elf_gen *g, uint32_t index)
{
	return (Elf64_Sym *)gen_elf_contents(g, g->symtab) + index;
}

void *gen_elf_contents(struct elf_gen *g, uint32_t index)
{
	return g->blob.data + g->sections[index].sh_offset;
}

static void swap_bytes(void *at, size_t size)
{
	uint8_t *bytes = at;

	for (size_t i = 0; i < size / 2; i++) {
		uint8_t b = bytes[i];

		bytes[i] = bytes[size - 1 - i];
		bytes[size - 1 - i] = b;
	}
}

/* Fields of @sizes bytes each, one after the other, 0 at the end. */
static void swap_fields(void *at, const uint8_t *sizes)
{
	uint8_t *pos = at;

	for (; *sizes; pos += *sizes++)
		swap_bytes(pos, *sizes);
}

static void swap_contents(struct elf_gen *g, uint32_t index)
{
	static const uint8_t rel[] = { 8, 8, 0 }, sym[] = { 4, 1, 1, 2, 8, 8, 0 };
	static const uint8_t insn[] = { 1, 1, 2, 4, 0 };
	const Elf64_Shdr *sh = &g->sections[index];
	uint8_t *data = gen_elf_contents(g, index);

	if (sh->sh_type == SHT_NOBITS)
		return;
	for (uint64_t at = 0; sh->sh_type == SHT_REL && at < sh->sh_size; at += 16)
		swap_fields(data + at, rel);
	for (uint64_t at = 0; sh->sh_type == SHT_SYMTAB && at < sh->sh_size; at += 24)
		swap_fields(data + at, sym);
	for (uint64_t at = 0; (sh->sh_flags & SHF_EXECINSTR) && at + 8 <= sh->sh_size; at += 8) {
		swap_fields(data + at, insn);
		data[at + 1] = data[at + 1] << 4 | data[at + 1] >> 4;
	}
}

void gen_elf_swap(struct elf_gen *g)
{
	static const uint8_t header[] = { 2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2, 0 };
	static const uint8_t section[] = { 4, 4, 8, 8, 8, 8, 4, 4, 8, 8, 0 };
	Elf64_Ehdr *eh = gen_elf_header(g);

	for (uint32_t i = 1; i < g->n_sections; i++)
		swap_contents(g, i);
	for (uint32_t i = 0; i < g->n_sections; i++)
		swap_fields(gen_elf_section(g, i), section);
	eh->e_ident[EI_DATA] = eh->e_ident[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
	swap_fields(&eh->e_type, header);
}

void gen_elf_deinit(struct elf_gen *g)
{
	for (uint32_t i = 0; i < GEN_MAX_SECTIONS; i++)
		str_deinit(&g->contents[i]);
	str_deinit(&g->names);
	str_deinit(&g->blob);
}
