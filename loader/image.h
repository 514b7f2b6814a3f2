/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * image - a BPF ELF object as sections, symbols and relocations.
 *
 * The one user of libelf for objects. The gate: ELF64, ET_REL, e_machine BPF (or
 * none), known byte order, exactly one symbol table with a string table. All
 * names are checked to end inside their table, all sections to lie inside the
 * file, all symbol and relocation indices to exist. Nothing is copied: the bytes
 * must outlive the image, the image everything that it hands out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"

struct image;

struct image_section {
	const char *name;
	uint32_t index, type; /* SHT_… */
	uint64_t flags;	      /* SHF_… */
	uint64_t size, align;
	const void *data; /* NULL for NOBITS and for size 0 */
};

struct image_symbol {
	const char *name; /* "" for section symbols */
	uint64_t value, size;
	uint8_t type, bind, visibility; /* STT_…, STB_…, STV_… */
	uint16_t shndx;			/* section index, SHN_UNDEF, SHN_COMMON, SHN_ABS */
};

struct image_reloc {
	uint64_t offset; /* in the section it applies to */
	uint32_t symbol; /* index for image_symbol() */
	uint32_t type;	 /* R_BPF_… */
};

/**
 * image_open() - look at the bytes of an object
 *
 * Return: 0; -ENOEXEC if this is no BPF object (no ELF, another machine or
 * class, cut short, no symbol table); -EBADMSG if it is one but inconsistent.
 */
int image_open(const void *data, size_t len, struct report *rp, struct image **ret);
void image_free(struct image *img);
DEFINE_CLEANUP(struct image, image_free)

/* Is the byte order not this machine's? Such an object can be looked at, not loaded. */
bool image_is_foreign(const struct image *img);
bool image_is_big_endian(const struct image *img);

uint32_t image_n_sections(const struct image *img);
/* NULL if there is no such section. Index 0 is the null section, never returned. */
const struct image_section *image_section(const struct image *img, uint32_t index);
const struct image_section *image_section_by_name(const struct image *img, const char *name);

uint32_t image_n_symbols(const struct image *img);
const struct image_symbol *image_symbol(const struct image *img, uint32_t index);

/* The relocations that apply to section @index, in offset order; NULL and 0 if there are none. */
const struct image_reloc *image_relocs(const struct image *img, uint32_t index, uint32_t *ret_n);

/**
 * image_extent() - how many bytes a growing file must have to be whole
 * @ret: largest end of the section header table and of all sections with bytes
 *
 * Looks only at bytes that are there, so that it can be asked after each write.
 *
 * Return: 0; -EAGAIN while the ELF header or the section header table is not
 * there or still zero (writers patch the header last); -ENOEXEC if it can never
 * become an ELF file (the first bytes are there and wrong).
 */
int image_extent(const void *data, size_t len, uint64_t *ret);
