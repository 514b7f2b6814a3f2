/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/image.h"

#include <stdlib.h>

#include "bpf/insn.h"
#include "tests/gen/elf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

/* Opens a copy of exactly @len bytes, so that a sanitizer sees any step outside. */
static int open_bytes(const void *data, size_t len, struct image **img, void **copy)
{
	*copy = calloc(1, len ? len : 1);
	memcpy(*copy, data, len);
	rp = (struct report)REPORT_INIT(NULL, NULL);
	return image_open(*copy, len, &rp, img);
}

static void refuses(struct elf_gen *g, size_t len, int err, const char *part)
{
	struct image *img = NULL;
	void *copy;

	CHECK_EQ(open_bytes(g->blob.data, len, &img, &copy), err);
	CHECK(!img);
	CHECK_EQ(rp.err, err);
	CHECK_HAS(rp.text, part);
	free(copy);
}

static void refuses_whole(struct elf_gen *g, int err, const char *part)
{
	refuses(g, g->blob.len, err, part);
	gen_elf_deinit(g);
}

/* A good object of everything that images have. */
static struct elf_gen sample(void)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 0, 0), INSN_MOV64_IMM(0, 0), INSN_EXIT() };
	struct elf_gen g = {};
	uint32_t code = gen_insns(&g, "xdp", insns, 4);
	uint32_t bss = gen_data(&g, ".bss", NULL, 4096), var;

	gen_data(&g, "license", "GPL", 4);
	gen_section(&g, ".debug_str", SHT_PROGBITS, 0, "debug", 6);
	gen_symbol(&g, "", code, 0, 0, GEN_SECTION);
	var = gen_symbol(&g, "counter", bss, 8, 4, GEN_GLOBAL_OBJECT);
	gen_symbol(&g, "prog", code, 0, 32, GEN_GLOBAL_FUNC);
	gen_rel(&g, code, 0, var);
	gen_elf_finish(&g);
	return g;
}

TEST(shows_sections_symbols_and_relocations)
{
	struct elf_gen g = sample();
	const struct image_section *s;
	const struct image_symbol *sym;
	const struct image_reloc *relocs;
	struct image *img = NULL;
	uint32_t n;
	void *copy;

	CHECK_EQ(open_bytes(g.blob.data, g.blob.len, &img, &copy), 0);
	CHECK(!image_is_foreign(img));
	CHECK_EQ(image_n_sections(img), 8);
	CHECK(!image_section(img, 0));
	CHECK(!image_section(img, 8));
	s = image_section_by_name(img, "xdp");
	CHECK(s);
	CHECK_EQ(s->index, 1);
	CHECK_EQ(s->size, 32);
	CHECK_EQ(s->type, SHT_PROGBITS);
	CHECK(s->flags & SHF_EXECINSTR);
	CHECK(s->data == (char *)copy + 64);
	s = image_section_by_name(img, ".bss");
	CHECK_EQ(s->size, 4096);
	CHECK(!s->data);
	CHECK(!image_section_by_name(img, ".data"));
	CHECK_EQ(image_n_symbols(img), 4);
	sym = image_symbol(img, 2);
	CHECK_STR(sym->name, "counter");
	CHECK_EQ(sym->value, 8);
	CHECK_EQ(sym->size, 4);
	CHECK_EQ(sym->type, STT_OBJECT);
	CHECK_EQ(sym->bind, STB_GLOBAL);
	CHECK_EQ(sym->shndx, 2);
	CHECK_STR(image_symbol(img, 1)->name, "");
	CHECK(!image_symbol(img, 4));
	relocs = image_relocs(img, 1, &n);
	CHECK_EQ(n, 1);
	CHECK_EQ(relocs[0].offset, 0);
	CHECK_EQ(relocs[0].symbol, 2);
	CHECK(!image_relocs(img, 2, &n));
	CHECK_EQ(n, 0);
	CHECK(!image_relocs(img, 99, &n));
	image_free(img);
	free(copy);
	gen_elf_deinit(&g);
}

TEST(sorts_relocations_by_offset)
{
	struct elf_gen g = {};
	const struct image_reloc *relocs;
	struct image *img = NULL;
	uint32_t code = gen_code(&g, "xdp", 8), sym, n;
	void *copy;

	sym = gen_symbol(&g, "x", 0, 0, 0, GEN_EXTERN);
	gen_rel(&g, code, 24, sym);
	gen_rel(&g, code, 0, sym);
	gen_rel(&g, code, 8, sym);
	gen_elf_finish(&g);
	CHECK_EQ(open_bytes(g.blob.data, g.blob.len, &img, &copy), 0);
	relocs = image_relocs(img, code, &n);
	CHECK_EQ(n, 3);
	CHECK_EQ(relocs[0].offset, 0);
	CHECK_EQ(relocs[1].offset, 8);
	CHECK_EQ(relocs[2].offset, 24);
	image_free(img);
	free(copy);
	gen_elf_deinit(&g);
}

TEST(reads_the_other_byte_order)
{
	struct elf_gen g = sample();
	const struct image_reloc *relocs;
	struct image *img = NULL;
	uint32_t n;
	void *copy;

	gen_elf_swap(&g);
	CHECK_EQ(open_bytes(g.blob.data, g.blob.len, &img, &copy), 0);
	CHECK(image_is_foreign(img));
	CHECK(image_is_big_endian(img) == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__));
	CHECK_EQ(image_section_by_name(img, ".bss")->size, 4096);
	CHECK_STR(image_symbol(img, 2)->name, "counter");
	CHECK_EQ(image_symbol(img, 2)->value, 8);
	relocs = image_relocs(img, 1, &n);
	CHECK_EQ(n, 1);
	CHECK_EQ(relocs[0].symbol, 2);
	image_free(img);
	free(copy);
	gen_elf_deinit(&g);
}

TEST(reads_headers_at_any_address)
{
	struct elf_gen g = sample();
	size_t len = g.n_sections * sizeof(Elf64_Shdr);
	struct image *img = NULL;
	char *headers = malloc(len);
	void *copy;

	memcpy(headers, gen_elf_section(&g, 0), len);
	str_add(&g.blob, "odd");
	gen_elf_header(&g)->e_shoff = g.blob.len;
	str_add_mem(&g.blob, headers, len);
	free(headers);
	CHECK_EQ(open_bytes(g.blob.data, g.blob.len, &img, &copy), 0);
	CHECK_EQ(image_section_by_name(img, ".bss")->size, 4096);
	CHECK_STR(image_symbol(img, 2)->name, "counter");
	image_free(img);
	free(copy);
	gen_elf_deinit(&g);
}

TEST(accepts_machine_none)
{
	struct elf_gen g = sample();
	struct image *img = NULL;
	void *copy;

	gen_elf_header(&g)->e_machine = EM_NONE;
	CHECK_EQ(open_bytes(g.blob.data, g.blob.len, &img, &copy), 0);
	image_free(img);
	free(copy);
	gen_elf_deinit(&g);
}

TEST(refuses_what_is_no_elf_file)
{
	struct elf_gen g = sample();

	g.blob.data[1] = 'e';
	refuses_whole(&g, -ENOEXEC, "no ELF file");
}

TEST(refuses_an_empty_file)
{
	struct image *img = NULL;
	void *copy;

	CHECK_EQ(open_bytes("", 0, &img, &copy), -ENOEXEC);
	CHECK_HAS(rp.text, "no ELF file");
	free(copy);
}

TEST(refuses_32_bit_objects)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_ident[EI_CLASS] = ELFCLASS32;
	refuses_whole(&g, -ENOEXEC, "ELF64");
}

TEST(refuses_unknown_byte_order)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_ident[EI_DATA] = 3;
	refuses_whole(&g, -ENOEXEC, "byte order 3");
}

TEST(refuses_unknown_elf_version)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_ident[EI_VERSION] = 2;
	refuses_whole(&g, -ENOEXEC, "version 2");
}

TEST(refuses_a_program_that_was_linked)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_type = ET_DYN;
	refuses_whole(&g, -ENOEXEC, "relocatable");
}

TEST(refuses_another_machine)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_machine = EM_X86_64;
	refuses_whole(&g, -ENOEXEC, "machine 62");
}

TEST(refuses_a_header_cut_short)
{
	struct elf_gen g = sample();

	refuses(&g, 63, -ENOEXEC, "header is cut short");
	gen_elf_deinit(&g);
}

TEST(refuses_section_headers_cut_short)
{
	struct elf_gen g = sample();

	refuses(&g, g.blob.len - 1, -ENOEXEC, "cut short: section headers");
	gen_elf_deinit(&g);
}

TEST(refuses_no_section_headers)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_shnum = 0;
	refuses_whole(&g, -ENOEXEC, "no ELF section headers");
}

TEST(refuses_section_headers_of_another_size)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_shentsize = 56;
	refuses_whole(&g, -EBADMSG, "56 bytes");
}

TEST(refuses_section_headers_at_the_end_of_the_address_space)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_shoff = UINT64_MAX - 7;
	refuses_whole(&g, -ENOEXEC, "cut short");
}

TEST(refuses_a_section_behind_the_end)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, "license")->sh_size = g.blob.len;
	refuses_whole(&g, -ENOEXEC, "section 3");
}

TEST(refuses_a_section_whose_end_overflows)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, "license")->sh_size = UINT64_MAX;
	refuses_whole(&g, -ENOEXEC, "section 3");
}

TEST(refuses_sections_that_share_bytes)
{
	struct elf_gen g = sample();

	for (uint32_t i = 1; i < g.n_sections; i++) {
		if (gen_elf_section(&g, i)->sh_type != SHT_PROGBITS)
			continue;
		gen_elf_section(&g, i)->sh_offset = 0;
		gen_elf_section(&g, i)->sh_size = g.blob.len / 2;
	}
	refuses_whole(&g, -EBADMSG, "overlap");
}

TEST(refuses_section_names_in_no_section)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_shstrndx = 99;
	refuses_whole(&g, -EBADMSG, "section 99");
}

TEST(refuses_section_names_in_code)
{
	struct elf_gen g = sample();

	gen_elf_header(&g)->e_shstrndx = 1;
	refuses_whole(&g, -EBADMSG, "no string table");
}

TEST(refuses_a_section_name_outside_of_the_table)
{
	struct elf_gen g = sample();

	gen_elf_section(&g, 2)->sh_name = 0x7fffffff;
	refuses_whole(&g, -EBADMSG, "section 2: its name at 0x7fffffff");
}

TEST(refuses_a_name_without_an_end)
{
	struct elf_gen g = sample();
	Elf64_Shdr *strtab = gen_elf_section_named(&g, ".strtab");

	/* The table's last NUL is gone: its last name has no end. */
	strtab->sh_size--;
	refuses_whole(&g, -EBADMSG, "its name at");
}

TEST(refuses_an_overlong_name)
{
	struct elf_gen g = {};
	char name[600] = "";

	memset(name, 'x', sizeof(name) - 1);
	gen_small(&g);
	gen_symbol(&g, name, 1, 0, 0, GEN_EXTERN);
	gen_elf_finish(&g);
	refuses_whole(&g, -EBADMSG, "more than 511 bytes");
}

TEST(refuses_a_stripped_object)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".symtab")->sh_type = SHT_PROGBITS;
	refuses_whole(&g, -ENOEXEC, "no symbol table");
}

TEST(refuses_two_symbol_tables)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".debug_str")->sh_type = SHT_SYMTAB;
	refuses_whole(&g, -EBADMSG, "two symbol tables");
}

TEST(refuses_symbols_of_another_size)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".symtab")->sh_entsize = 16;
	refuses_whole(&g, -EBADMSG, "entries of 16 bytes");
}

TEST(refuses_half_a_symbol)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".symtab")->sh_size -= 4;
	refuses_whole(&g, -EBADMSG, "symbol table '.symtab'");
}

TEST(refuses_symbol_names_in_no_table)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".symtab")->sh_link = 3;
	refuses_whole(&g, -EBADMSG, "its string table");
}

/* The one that stands for "no symbol": linkers and others leave anything in it. */
TEST(ignores_the_first_symbol)
{
	struct elf_gen g = {};
	struct image *img = NULL;

	gen_small(&g);
	gen_elf_finish(&g);
	*gen_elf_symbol(&g, 0) = (Elf64_Sym){ .st_name = 0x10000, .st_shndx = 0x1000 };
	CHECK_EQ(image_open(g.blob.data, g.blob.len, &rp, &img), 0);
	CHECK_STR(image_symbol(img, 0)->name, "");
	image_free(img);
	gen_elf_deinit(&g);
}

TEST(refuses_a_symbol_name_outside_of_the_table)
{
	struct elf_gen g = sample();

	gen_elf_symbol(&g, 2)->st_name = 0x10000;
	refuses_whole(&g, -EBADMSG, "symbol 2: its name at 0x10000");
}

TEST(refuses_a_symbol_of_no_section)
{
	struct elf_gen g = sample();

	gen_elf_symbol(&g, 2)->st_shndx = 77;
	refuses_whole(&g, -EBADMSG, "symbol 2 'counter': there is no section 77");
}

TEST(refuses_relocations_for_no_section)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".relxdp")->sh_info = 50;
	refuses_whole(&g, -EBADMSG, "'.relxdp' is for section 50");
}

TEST(refuses_relocations_of_another_size)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".relxdp")->sh_entsize = 24;
	refuses_whole(&g, -EBADMSG, "'.relxdp': entries of 24 bytes");
}

TEST(refuses_relocations_with_addend)
{
	struct elf_gen g = sample();

	gen_elf_section_named(&g, ".relxdp")->sh_type = SHT_RELA;
	refuses_whole(&g, -EBADMSG, "'.relxdp' has relocations with addend");
}

TEST(refuses_a_relocation_with_no_symbol)
{
	struct elf_gen g = sample();
	Elf64_Shdr *sh = gen_elf_section_named(&g, ".relxdp");

	((Elf64_Rel *)(g.blob.data + sh->sh_offset))->r_info = ELF64_R_INFO(1000ull, 1);
	refuses_whole(&g, -EBADMSG, "'.relxdp', relocation 0: there is no symbol 1000");
}

TEST(refuses_a_relocation_behind_the_section)
{
	struct elf_gen g = sample();
	Elf64_Shdr *sh = gen_elf_section_named(&g, ".relxdp");

	((Elf64_Rel *)(g.blob.data + sh->sh_offset))->r_offset = 32;
	refuses_whole(&g, -EBADMSG, "offset 0x20 is behind the end of 'xdp'");
}

TEST(leaves_relocations_of_debug_information_alone)
{
	struct elf_gen g = sample();
	struct image *img = NULL;
	void *copy;

	/* .debug_str is not loaded: whatever its relocations say is no matter. */
	gen_elf_section_named(&g, ".relxdp")->sh_info = 4;
	gen_elf_section_named(&g, ".relxdp")->sh_entsize = 1;
	CHECK_EQ(open_bytes(g.blob.data, g.blob.len, &img, &copy), 0);
	image_free(img);
	free(copy);
	gen_elf_deinit(&g);
}

TEST(survives_every_cut)
{
	struct elf_gen g = sample();

	for (size_t len = 0; len < g.blob.len; len++) {
		struct image *img = NULL;
		void *copy;

		CHECK(open_bytes(g.blob.data, len, &img, &copy) < 0);
		CHECK(rp.text[0]);
		free(copy);
	}
	gen_elf_deinit(&g);
}

TEST(survives_every_flipped_byte)
{
	struct elf_gen g = sample();

	for (size_t i = 0; i < g.blob.len; i++) {
		static const uint8_t flips[] = { 0x01, 0x80, 0xff };

		for (size_t j = 0; j < sizeof(flips); j++) {
			struct image *img = NULL;
			void *copy;
			int r;

			g.blob.data[i] ^= flips[j];
			r = open_bytes(g.blob.data, g.blob.len, &img, &copy);
			CHECK(r == 0 || r == -ENOEXEC || r == -EBADMSG);
			CHECK(!r == !!img);
			image_free(img);
			free(copy);
			g.blob.data[i] ^= flips[j];
		}
	}
	gen_elf_deinit(&g);
}

/* image_extent() of a copy of exactly @len bytes */
static int extent(const void *data, size_t len, uint64_t *ret)
{
	void *copy = calloc(1, len ? len : 1);
	int r;

	memcpy(copy, data, len);
	r = image_extent(copy, len, ret);
	free(copy);
	return r;
}

TEST(extent_of_a_growing_file_is_unknown_until_its_end)
{
	struct elf_gen g = sample();
	uint64_t end = 12345;

	/* The section headers stand last. */
	for (size_t len = 0; len < g.blob.len; len++)
		CHECK_EQ(extent(g.blob.data, len, &end), -EAGAIN);
	CHECK_EQ(end, 12345);
	CHECK_EQ(extent(g.blob.data, g.blob.len, &end), 0);
	CHECK_EQ(end, g.blob.len);
	gen_elf_deinit(&g);
}

TEST(extent_ignores_trailing_bytes)
{
	struct elf_gen g = sample();
	size_t len = g.blob.len;
	uint64_t end;

	str_add(&g.blob, "trailing");
	CHECK_EQ(extent(g.blob.data, g.blob.len, &end), 0);
	CHECK_EQ(end, len);
	gen_elf_deinit(&g);
}

TEST(extent_is_told_before_sections_behind_the_headers_are_there)
{
	struct elf_gen g = sample();
	size_t len = g.blob.len;
	uint64_t end;

	/* As a linker may lay it out: a section behind the section headers. */
	gen_elf_section_named(&g, "license")->sh_offset = len + 1000;
	CHECK_EQ(extent(g.blob.data, len, &end), 0);
	CHECK_EQ(end, len + 1004);
	gen_elf_deinit(&g);
}

TEST(extent_does_not_count_bss)
{
	struct elf_gen g = sample();
	uint64_t end;

	gen_elf_section_named(&g, ".bss")->sh_size = 1ull << 40;
	CHECK_EQ(extent(g.blob.data, g.blob.len, &end), 0);
	CHECK_EQ(end, g.blob.len);
	gen_elf_deinit(&g);
}

TEST(extent_waits_for_a_header_that_is_written_last)
{
	struct elf_gen g = sample();
	char header[64];
	uint64_t end;

	memcpy(header, g.blob.data, sizeof(header));
	memset(g.blob.data, 0, sizeof(header));
	CHECK_EQ(extent(g.blob.data, g.blob.len, &end), -EAGAIN);
	/* the magic first, then byte by byte */
	for (size_t i = 0; i < sizeof(header); i++) {
		int r;

		g.blob.data[i] = header[i];
		r = extent(g.blob.data, g.blob.len, &end);
		/* Once offset and number of headers are there, all is known. */
		CHECK_EQ(r, i < 60 ? -EAGAIN : 0);
	}
	gen_elf_deinit(&g);
}

TEST(extent_waits_for_section_headers_that_are_still_zero)
{
	struct elf_gen g = sample();
	uint64_t end;

	memset(gen_elf_section(&g, 0), 0, g.n_sections * sizeof(Elf64_Shdr));
	CHECK_EQ(extent(g.blob.data, g.blob.len, &end), -EAGAIN);
	gen_elf_deinit(&g);
}

TEST(extent_refuses_what_can_never_become_an_object)
{
	struct elf_gen g = sample();
	uint64_t end;

	CHECK_EQ(extent("#!/bin/sh\n", 10, &end), -ENOEXEC);
	CHECK_EQ(extent("\x7f"
			"EX",
			3, &end),
		 -ENOEXEC);
	CHECK_EQ(extent("\x7f"
			"EL",
			3, &end),
		 -EAGAIN);
	CHECK_EQ(extent("\0\0\0\0", 4, &end), -EAGAIN);
	CHECK_EQ(extent("\x7f"
			"ELF\1",
			5, &end),
		 -ENOEXEC);
	CHECK_EQ(extent("\x7f"
			"ELF\2\7",
			6, &end),
		 -ENOEXEC);
	gen_elf_section_named(&g, "license")->sh_offset = UINT64_MAX;
	CHECK_EQ(extent(g.blob.data, g.blob.len, &end), -ENOEXEC);
	gen_elf_deinit(&g);
}

TEST(extent_reads_the_other_byte_order)
{
	struct elf_gen g = sample();
	uint64_t end;

	gen_elf_swap(&g);
	CHECK_EQ(extent(g.blob.data, g.blob.len, &end), 0);
	CHECK_EQ(end, g.blob.len);
	gen_elf_deinit(&g);
}
