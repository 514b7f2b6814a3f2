/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/image.h"

#include <elf.h>
#include <errno.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/vec.h"

/*
 * libelf finds the headers and turns the other byte order into ours; it does not
 * vouch for what they say. Everything that is handed out was compared with the
 * size of the file here, so that nobody else has to.
 */

#ifndef EM_BPF
#define EM_BPF 247
#endif

/* Names are compared and sorted: long ones that share a beginning would make that slow. */
enum { RELOC_SIZE = 16, SYMBOL_SIZE = 24, NAME_LEN_MAX = 511 };

typedef VEC(struct image_reloc) reloc_vec;

struct image {
	const uint8_t *data;
	size_t len;
	Elf *elf;
	bool big_endian;

	struct image_section *sections; /* [0] is empty */
	reloc_vec *relocs;		/* one for each section */
	uint32_t n_sections;

	struct image_symbol *symbols;
	uint32_t n_symbols;
};

/* A table of NUL-terminated names: any offset up to the last NUL is good. */
struct names {
	const char *text;
	size_t good;
};

static struct names names_of(const void *data, size_t len)
{
	const char *last = data ? memrchr(data, '\0', len) : NULL;

	return (struct names){ .text = data, .good = last ? last - (const char *)data + 1 : 0 };
}

static bool is_native(bool big_endian)
{
	return big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static int check_ident(const uint8_t *data, size_t len, struct report *rp)
{
	if (len < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG))
		return report(rp, -ENOEXEC, "no ELF file: a BPF object starts with \\x7fELF");
	if (data[EI_CLASS] != ELFCLASS64)
		return report(rp, -ENOEXEC, "ELF class %u: a BPF object is ELF64", data[EI_CLASS]);
	if (data[EI_DATA] != ELFDATA2LSB && data[EI_DATA] != ELFDATA2MSB)
		return report(rp, -ENOEXEC, "ELF byte order %u is not known", data[EI_DATA]);
	if (data[EI_VERSION] != EV_CURRENT)
		return report(rp, -ENOEXEC, "ELF version %u is not known", data[EI_VERSION]);
	if (len < sizeof(Elf64_Ehdr))
		return report(rp, -ENOEXEC, "the ELF header is cut short: %zu bytes", len);
	return 0;
}

static int check_header(const struct image *img, const Elf64_Ehdr *eh, struct report *rp)
{
	if (eh->e_type != ET_REL)
		return report(rp, -ENOEXEC,
			      "ELF type %u: a BPF object is relocatable, as clang -c writes it",
			      eh->e_type);
	if (eh->e_machine != EM_BPF && eh->e_machine != EM_NONE)
		return report(rp, -ENOEXEC,
			      "ELF machine %u is not BPF (247): compile with clang -target bpf",
			      eh->e_machine);
	if (!eh->e_shoff || !eh->e_shnum)
		return report(rp, -ENOEXEC, "no ELF section headers");
	if (eh->e_shentsize != sizeof(Elf64_Shdr))
		return report(rp, -EBADMSG, "ELF section headers have %u bytes instead of %zu",
			      eh->e_shentsize, sizeof(Elf64_Shdr));
	if (!range_fits(eh->e_shoff, (uint64_t)eh->e_shnum * eh->e_shentsize, img->len))
		return report(
			rp, -ENOEXEC,
			"cut short: section headers at 0x%llx end behind the file's %zu bytes",
			(unsigned long long)eh->e_shoff, img->len);
	if (eh->e_shstrndx >= eh->e_shnum)
		return report(rp, -EBADMSG, "section names are in section %u of %u", eh->e_shstrndx,
			      eh->e_shnum);
	return 0;
}

/* A copy, for headers of a hostile file may stand at any address. */
static bool get_header(const struct image *img, uint32_t index, Elf64_Shdr *ret)
{
	const void *sh = elf64_getshdr(elf_getscn(img->elf, index));

	if (sh)
		memcpy(ret, sh, sizeof(*ret));
	return sh;
}

static int read_sections(struct image *img, const Elf64_Ehdr *eh, struct report *rp)
{
	uint64_t total = 0;

	img->sections = calloc(eh->e_shnum, sizeof(*img->sections));
	img->relocs = calloc(eh->e_shnum, sizeof(*img->relocs));
	if (!img->sections || !img->relocs)
		return -ENOMEM;
	img->n_sections = eh->e_shnum;
	for (uint32_t i = 1; i < img->n_sections; i++) {
		struct image_section *s = &img->sections[i];
		Elf64_Shdr sh = {};

		if (!get_header(img, i, &sh))
			return report(rp, -EBADMSG, "section %u: %s", i, elf_errmsg(-1));
		s->name = "";
		s->index = i;
		s->type = sh.sh_type;
		s->flags = sh.sh_flags;
		s->size = sh.sh_size;
		s->align = sh.sh_addralign;
		if (s->type == SHT_NOBITS || s->type == SHT_NULL)
			continue;
		if (!range_fits(sh.sh_offset, sh.sh_size, img->len))
			return report(
				rp, -ENOEXEC,
				"cut short: section %u at 0x%llx of %llu bytes ends behind the "
				"file's %zu bytes",
				i, (unsigned long long)sh.sh_offset, (unsigned long long)sh.sh_size,
				img->len);
		if (s->size)
			s->data = img->data + sh.sh_offset;
		/* A file may not claim its bytes many times over: others copy sections. */
		total += s->size;
		if (total > img->len)
			return report(rp, -EBADMSG,
				      "sections overlap: section %u and those before "
				      "it have more bytes than the file",
				      i);
	}
	return 0;
}

static int name_sections(struct image *img, uint32_t shstrndx, struct report *rp)
{
	const struct image_section *table = &img->sections[shstrndx];
	struct names names = names_of(table->data, table->data ? table->size : 0);

	if (table->type != SHT_STRTAB)
		return report(rp, -EBADMSG,
			      "section %u should hold section names but is no string table",
			      shstrndx);
	for (uint32_t i = 1; i < img->n_sections; i++) {
		Elf64_Shdr sh = {};

		if (!get_header(img, i, &sh) || sh.sh_name >= names.good)
			return report(rp, -EBADMSG,
				      "section %u: its name at 0x%x is not in the name table", i,
				      sh.sh_name);
		img->sections[i].name = names.text + sh.sh_name;
		if (strnlen(img->sections[i].name, NAME_LEN_MAX + 1) > NAME_LEN_MAX)
			return report(rp, -EBADMSG, "section %u: its name has more than %d bytes",
				      i, NAME_LEN_MAX);
	}
	return 0;
}

static int read_symbol(struct image *img, const struct names *names, const Elf64_Sym *from,
		       uint32_t i, struct report *rp)
{
	struct image_symbol *to = &img->symbols[i];

	/* Nothing of the first one means anything. */
	if (!i) {
		to->name = "";
		return 0;
	}
	if (from->st_name >= names->good && from->st_name)
		return report(rp, -EBADMSG,
			      "symbol %u: its name at 0x%x is not in the string table", i,
			      from->st_name);
	*to = (struct image_symbol){
		.name = from->st_name < names->good ? names->text + from->st_name : "",
		.value = from->st_value,
		.size = from->st_size,
		.type = ELF64_ST_TYPE(from->st_info),
		.bind = ELF64_ST_BIND(from->st_info),
		.visibility = ELF64_ST_VISIBILITY(from->st_other),
		.shndx = from->st_shndx,
	};
	if (strnlen(to->name, NAME_LEN_MAX + 1) > NAME_LEN_MAX)
		return report(rp, -EBADMSG, "symbol %u: its name has more than %d bytes", i,
			      NAME_LEN_MAX);
	/* A section's symbol has the section's name where it has a name at all. */
	if (to->type == STT_SECTION)
		to->name = "";
	if (to->shndx == SHN_UNDEF || to->shndx == SHN_ABS || to->shndx == SHN_COMMON)
		return 0;
	if (to->shndx >= img->n_sections)
		return report(rp, -EBADMSG, "symbol %u '%.64s': there is no section %u", i,
			      to->name, to->shndx);
	return 0;
}

static int read_symbols(struct image *img, struct report *rp)
{
	const struct image_section *names_section;
	Elf64_Shdr sh = {};
	struct names names;
	uint32_t index = 0;
	Elf_Data *data;

	for (uint32_t i = 1; i < img->n_sections; i++) {
		if (img->sections[i].type != SHT_SYMTAB)
			continue;
		if (index)
			return report(rp, -EBADMSG, "two symbol tables, sections %u and %u", index,
				      i);
		index = i;
	}
	if (!index)
		return report(rp, -ENOEXEC,
			      "no symbol table: it was stripped, or is no BPF object");
	if (!get_header(img, index, &sh) || sh.sh_entsize != SYMBOL_SIZE ||
	    sh.sh_size % SYMBOL_SIZE)
		return report(rp, -EBADMSG,
			      "symbol table '%s': entries of %llu bytes in %llu bytes",
			      img->sections[index].name, (unsigned long long)sh.sh_entsize,
			      (unsigned long long)sh.sh_size);
	names_section = image_section(img, sh.sh_link);
	if (!names_section || names_section->type != SHT_STRTAB)
		return report(rp, -EBADMSG,
			      "symbol table '%s': its string table, section %u, is none",
			      img->sections[index].name, sh.sh_link);
	names = names_of(names_section->data, names_section->data ? names_section->size : 0);
	if (!sh.sh_size)
		return 0;
	data = elf_getdata(elf_getscn(img->elf, index), NULL);
	if (!data || !data->d_buf || data->d_size != sh.sh_size)
		return report(rp, -EBADMSG, "symbol table '%s': %s", img->sections[index].name,
			      elf_errmsg(-1));
	img->symbols = calloc(sh.sh_size / SYMBOL_SIZE, sizeof(*img->symbols));
	if (!img->symbols)
		return -ENOMEM;
	img->n_symbols = sh.sh_size / SYMBOL_SIZE;
	for (uint32_t i = 0; i < img->n_symbols; i++) {
		Elf64_Sym sym;
		int r;

		memcpy(&sym, (const char *)data->d_buf + (size_t)i * sizeof(sym), sizeof(sym));
		r = read_symbol(img, &names, &sym, i, rp);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_relocs(const void *a, const void *b)
{
	const struct image_reloc *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int read_reloc_section(struct image *img, uint32_t index, struct report *rp)
{
	const struct image_section *s = &img->sections[index], *target;
	Elf64_Shdr sh = {};
	reloc_vec *to;
	Elf_Data *data;

	if (!get_header(img, index, &sh))
		return report(rp, -EBADMSG, "section %u: %s", index, elf_errmsg(-1));
	target = image_section(img, sh.sh_info);
	if (!target)
		return report(rp, -EBADMSG, "'%s' is for section %u, which is not there", s->name,
			      sh.sh_info);
	/* Those of debug information and BTF are for linkers. */
	if (!(target->flags & SHF_ALLOC) || !s->size)
		return 0;
	if (s->type != SHT_REL)
		return report(rp, -EBADMSG,
			      "'%s' has relocations with addend, which BPF objects do not use",
			      s->name);
	if (sh.sh_entsize != RELOC_SIZE || s->size % RELOC_SIZE)
		return report(rp, -EBADMSG, "'%s': entries of %llu bytes in %llu bytes", s->name,
			      (unsigned long long)sh.sh_entsize, (unsigned long long)s->size);
	data = elf_getdata(elf_getscn(img->elf, index), NULL);
	if (!data || !data->d_buf || data->d_size != s->size)
		return report(rp, -EBADMSG, "'%s': %s", s->name, elf_errmsg(-1));
	to = &img->relocs[target->index];
	if (vec_reserve(to, s->size / RELOC_SIZE))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->size / RELOC_SIZE; i++) {
		struct image_reloc reloc;
		Elf64_Rel rel;

		memcpy(&rel, (const char *)data->d_buf + (size_t)i * sizeof(rel), sizeof(rel));
		reloc = (struct image_reloc){
			.offset = rel.r_offset,
			.symbol = ELF64_R_SYM(rel.r_info),
			.type = ELF64_R_TYPE(rel.r_info),
		};
		if (reloc.symbol >= img->n_symbols)
			return report(rp, -EBADMSG, "'%s', relocation %u: there is no symbol %u",
				      s->name, i, reloc.symbol);
		if (reloc.offset >= target->size)
			return report(
				rp, -EBADMSG,
				"'%s', relocation %u: offset 0x%llx is behind the end of '%s'",
				s->name, i, (unsigned long long)reloc.offset, target->name);
		to->data[to->len++] = reloc;
	}
	return 0;
}

static int read_relocs(struct image *img, struct report *rp)
{
	for (uint32_t i = 1; i < img->n_sections; i++) {
		int r;

		if (img->sections[i].type != SHT_REL && img->sections[i].type != SHT_RELA)
			continue;
		r = read_reloc_section(img, i, rp);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 1; i < img->n_sections; i++) {
		if (img->relocs[i].len)
			qsort(img->relocs[i].data, img->relocs[i].len, sizeof(struct image_reloc),
			      compare_relocs);
	}
	return 0;
}

int image_open(const void *data, size_t len, struct report *rp, struct image **ret)
{
	_cleanup_(image_freep) struct image *img = NULL;
	const Elf64_Ehdr *eh;
	int r;

	r = check_ident(data, len, rp);
	if (r < 0)
		return r;
	img = calloc(1, sizeof(*img));
	if (!img)
		return -ENOMEM;
	img->data = data;
	img->len = len;
	img->big_endian = img->data[EI_DATA] == ELFDATA2MSB;
	elf_version(EV_CURRENT);
	/* It takes char * but only reads. */
	img->elf = elf_memory((char *)(uintptr_t)data, len);
	eh = img->elf ? elf64_getehdr(img->elf) : NULL;
	if (!eh)
		return report(rp, -ENOEXEC, "no ELF object: %s", elf_errmsg(-1));
	r = check_header(img, eh, rp);
	r = r ? r : read_sections(img, eh, rp);
	r = r ? r : name_sections(img, eh->e_shstrndx, rp);
	r = r ? r : read_symbols(img, rp);
	r = r ? r : read_relocs(img, rp);
	if (r < 0)
		return r;
	*ret = take_ptr(img);
	return 0;
}

void image_free(struct image *img)
{
	if (!img)
		return;
	for (uint32_t i = 0; i < img->n_sections && img->relocs; i++)
		vec_deinit(&img->relocs[i]);
	free(img->relocs);
	free(img->sections);
	free(img->symbols);
	elf_end(img->elf);
	free(img);
}

bool image_is_foreign(const struct image *img)
{
	return !is_native(img->big_endian);
}

bool image_is_big_endian(const struct image *img)
{
	return img->big_endian;
}

uint32_t image_n_sections(const struct image *img)
{
	return img->n_sections;
}

const struct image_section *image_section(const struct image *img, uint32_t index)
{
	return index && index < img->n_sections ? &img->sections[index] : NULL;
}

const struct image_section *image_section_by_name(const struct image *img, const char *name)
{
	for (uint32_t i = 1; i < img->n_sections; i++) {
		if (!strcmp(img->sections[i].name, name))
			return &img->sections[i];
	}
	return NULL;
}

uint32_t image_n_symbols(const struct image *img)
{
	return img->n_symbols;
}

const struct image_symbol *image_symbol(const struct image *img, uint32_t index)
{
	return index < img->n_symbols ? &img->symbols[index] : NULL;
}

const struct image_reloc *image_relocs(const struct image *img, uint32_t index, uint32_t *ret_n)
{
	if (index >= img->n_sections) {
		*ret_n = 0;
		return NULL;
	}
	*ret_n = img->relocs[index].len;
	return img->relocs[index].data;
}

/* A number of @size bytes in the file's byte order. */
static uint64_t get(const uint8_t *at, size_t size, bool big_endian)
{
	uint64_t v = 0;

	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)at[big_endian ? size - 1 - i : i] << (8 * i);
	return v;
}
#define GET(base, type, field, big) \
	get((base) + offsetof(type, field), sizeof(((type *)NULL)->field), big)

/* 0: an ELF64 header; -EAGAIN: some of it is not there yet; -ENOEXEC: it is something else. */
static int extent_ident(const uint8_t *data, size_t len)
{
	static const uint8_t magic[SELFMAG] = { 0x7f, 'E', 'L', 'F' };
	bool open = len < sizeof(Elf64_Ehdr);

	for (size_t i = 0; i < SELFMAG && i < len; i++) {
		if (data[i] && data[i] != magic[i])
			return -ENOEXEC;
		open = open || !data[i];
	}
	if (len > EI_CLASS && data[EI_CLASS] != ELFCLASS64) {
		if (data[EI_CLASS])
			return -ENOEXEC;
		open = true;
	}
	if (len > EI_DATA && data[EI_DATA] != ELFDATA2LSB && data[EI_DATA] != ELFDATA2MSB) {
		if (data[EI_DATA])
			return -ENOEXEC;
		open = true;
	}
	return open ? -EAGAIN : 0;
}

int image_extent(const void *data, size_t len, uint64_t *ret)
{
	const uint8_t *file = data, *table;
	uint64_t shoff, shnum, end;
	bool big, written = false;
	int r = extent_ident(file, len);

	if (r < 0)
		return r;
	big = file[EI_DATA] == ELFDATA2MSB;
	shoff = GET(file, Elf64_Ehdr, e_shoff, big);
	shnum = GET(file, Elf64_Ehdr, e_shnum, big);
	if (!shoff || !shnum)
		return -EAGAIN;
	if (__builtin_add_overflow(shoff, shnum * sizeof(Elf64_Shdr), &end))
		return -ENOEXEC;
	if (end > len)
		return -EAGAIN;
	table = file + shoff;
	for (uint64_t i = 1; i < shnum; i++) {
		const uint8_t *sh = table + i * sizeof(Elf64_Shdr);
		uint64_t type = GET(sh, Elf64_Shdr, sh_type, big);
		uint64_t section_end;

		if (type == SHT_NULL)
			continue;
		written = true;
		if (type == SHT_NOBITS)
			continue;
		if (__builtin_add_overflow(GET(sh, Elf64_Shdr, sh_offset, big),
					   GET(sh, Elf64_Shdr, sh_size, big), &section_end))
			return -ENOEXEC;
		end = MAX(end, section_end);
	}
	if (!written)
		return -EAGAIN;
	*ret = end;
	return 0;
}
