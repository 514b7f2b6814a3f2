/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two ways to the symbols: section headers, and for a binary that has none the
 * dynamic segment that its loader would use.
 *
 * Nothing in the file is trusted. Each table is bounded by the file's size and by
 * TABLE_MAX, and names may overlap only so far that reading them all stays linear
 * in the file's size: a million symbols that all point into one long string would
 * otherwise take a day.
 */
#include "loader/symbol_priv.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"

enum {
	TABLE_MAX = 512 << 20,
	SECTIONS_MAX = 1 << 20,
	SEGMENTS_MAX = 1 << 16,
	CHUNK = 1 << 18,
	NAME_OVERLAP = 8, /* suffixes share bytes; real files stay below 2 */
	HASH_CHAIN_MAX = 1 << 16,
};

/* The two parts of an entry of .gnu.version */
enum { VERSYM_INDEX = 0x7fff, VERSYM_NOT_DEFAULT = 0x8000 };

/* What a section header says, as far as it matters here. */
struct section {
	uint32_t type, link;
	uint64_t addr, offset, size;
};

struct segment {
	uint64_t offset, vaddr, filesz;
};

struct binary {
	int fd;
	const char *path;
	struct report *rp;
	uint64_t size;
	bool is64, swap;
	struct section *sections;
	uint32_t n_sections;
	struct segment *loads; /* sorted by vaddr */
	uint32_t n_loads;
	struct segment dynamic; /* filesz 0: none */
};

/* Where a table of symbols lies, whichever way it was found. */
struct symbol_source {
	uint64_t symbols, n_symbols;
	uint64_t strings, n_strings;
	uint64_t versym;	   /* 0: none */
	uint64_t verdef, n_verdef; /* bytes; 0: none */
};

static uint64_t number(const struct binary *e, const void *p, size_t size)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case 1:
		return *(const uint8_t *)p;
	case 2:
		memcpy(&u16, p, 2);
		return e->swap ? __builtin_bswap16(u16) : u16;
	case 4:
		memcpy(&u32, p, 4);
		return e->swap ? __builtin_bswap32(u32) : u32;
	default:
		memcpy(&u64, p, 8);
		return e->swap ? __builtin_bswap64(u64) : u64;
	}
}

/* A field of a structure of the file's class and byte order. */
#define FIELD(e, type, p, field)                                                    \
	((e)->is64 ? number((e), (const char *)(p) + offsetof(Elf64_##type, field), \
			    sizeof(((Elf64_##type *)0)->field))                     \
		   : number((e), (const char *)(p) + offsetof(Elf32_##type, field), \
			    sizeof(((Elf32_##type *)0)->field)))
#define SIZE_OF(e, type) ((e)->is64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

static int read_at(const struct binary *e, const char *what, uint64_t off, void *to, size_t len)
{
	if (!range_fits(off, len, e->size))
		return report(e->rp, -EBADMSG, "%s: %s at 0x%llx lies outside of the file", e->path,
			      what, (unsigned long long)off);
	while (len) {
		ssize_t n = pread(e->fd, to, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return report(e->rp, -errno, "%s: cannot read: %s", e->path,
				      strerror(errno));
		if (n == 0)
			return report(e->rp, -EBADMSG, "%s: the file shrank while it was read",
				      e->path);
		to = (char *)to + n;
		off += n;
		len -= n;
	}
	return 0;
}

/* malloc'ed, with a NUL behind it. */
static int read_table(const struct binary *e, const char *what, uint64_t off, uint64_t len,
		      char **ret)
{
	_cleanup_free_ char *data = NULL;
	int r;

	/* Before memory is asked for: the length is the file's own claim. */
	if (!range_fits(off, len, e->size))
		return report(e->rp, -EBADMSG, "%s: %s at 0x%llx lies outside of the file", e->path,
			      what, (unsigned long long)off);
	if (len > TABLE_MAX)
		return report(e->rp, -EFBIG, "%s: %s is larger than %d MiB", e->path, what,
			      TABLE_MAX >> 20);
	data = malloc(len + 1);
	if (!data)
		return -ENOMEM;
	r = read_at(e, what, off, data, len);
	if (r < 0)
		return r;
	data[len] = '\0';
	*ret = take_ptr(data);
	return 0;
}

/* From an address to where its byte lies in the file; false if it does not. */
static bool offset_by_segment(const struct binary *e, uint64_t vaddr, uint64_t *ret)
{
	uint32_t low = 0, high = e->n_loads;
	const struct segment *s;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (e->loads[mid].vaddr <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	s = &e->loads[low - 1];
	if (vaddr - s->vaddr >= s->filesz ||
	    __builtin_add_overflow(s->offset, vaddr - s->vaddr, ret))
		return false;
	return *ret < e->size;
}

static bool offset_by_section(const struct binary *e, uint32_t shndx, uint64_t vaddr, uint64_t *ret)
{
	const struct section *s;

	/* SHN_XINDEX: more sections than the field can count; the segments know as well. */
	if (shndx >= e->n_sections || shndx >= SHN_LORESERVE)
		return offset_by_segment(e, vaddr, ret);
	s = &e->sections[shndx];
	if (s->type == SHT_NOBITS)
		return false;
	if (vaddr < s->addr || vaddr - s->addr >= s->size)
		return offset_by_segment(e, vaddr, ret);
	return !__builtin_add_overflow(s->offset, vaddr - s->addr, ret) && *ret < e->size;
}

/* The names of versions by their index, as offsets in the strings. */
struct versions {
	uint32_t *names; /* 0: none */
	uint32_t n;
	uint8_t *versym; /* two bytes a symbol */
};

static void versions_deinit(struct versions *v)
{
	free(v->names);
	free(v->versym);
}

/*
 * .gnu.version_d is a chain of offsets that may lead anywhere, also in circles: it
 * is followed forward only, and for as many steps as there can be versions.
 * (What a binary needs from others, .gnu.version_r, names no function of its own.)
 */
static int read_verdef(const struct binary *e, const struct symbol_source *src, struct versions *v)
{
	_cleanup_free_ char *data = NULL;
	uint64_t at = 0, aux, next, name;
	uint32_t ndx;
	int r;

	r = read_table(e, "the version table", src->verdef, src->n_verdef, &data);
	if (r < 0)
		return r;
	v->n = VERSYM_INDEX + 1;
	v->names = calloc(v->n, sizeof(*v->names));
	if (!v->names)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->n; i++) {
		/* Both classes have the same layout here. */
		if (!range_fits(at, sizeof(Elf64_Verdef), src->n_verdef))
			break;
		ndx = FIELD(e, Verdef, data + at, vd_ndx) & VERSYM_INDEX;
		aux = at + FIELD(e, Verdef, data + at, vd_aux);
		if (range_fits(aux, sizeof(Elf64_Verdaux), src->n_verdef)) {
			name = FIELD(e, Verdaux, data + aux, vda_name);
			if (name < src->n_strings)
				v->names[ndx] = name;
		}
		next = FIELD(e, Verdef, data + at, vd_next);
		if (!next)
			break;
		at += next;
	}
	/* The file's own name, not a version. */
	v->names[VER_NDX_LOCAL] = v->names[VER_NDX_GLOBAL] = 0;
	return 0;
}

static int read_versions(const struct binary *e, const struct symbol_source *src,
			 struct versions *v)
{
	int r;

	if (!src->versym || !src->n_verdef)
		return 0;
	r = read_verdef(e, src, v);
	if (r < 0)
		return r;
	return read_table(e, "the table of symbol versions", src->versym, src->n_symbols * 2,
			  (char **)&v->versym);
}

/* "memcpy@@GLIBC_2.14" in .symtab, or what .gnu.version says of symbol @i in .dynsym. */
static void set_version(const struct binary *e, const struct versions *v, uint64_t i,
			const char *strings, struct function *fn)
{
	const char *name = strings + fn->name, *at = memchr(name, '@', fn->name_len);
	uint32_t word;

	fn->is_default = true;
	if (at && at > name) {
		fn->is_default = at[1] == '@';
		fn->version = at + 1 + fn->is_default - strings;
		fn->name_len = at - name;
	} else if (v->versym) {
		word = number(e, v->versym + i * 2, 2);
		fn->version = v->names[word & VERSYM_INDEX];
		fn->is_default = !(word & VERSYM_NOT_DEFAULT);
	}
}

typedef VEC(struct function) function_vec;

/* One symbol, if it is a function with a name and an address. */
static int read_symbol(const struct binary *e, const void *p, uint64_t i, const struct versions *v,
		       struct symbol_file *f, struct function_table *t, uint64_t *name_budget,
		       function_vec *functions)
{
	uint32_t info = FIELD(e, Sym, p, st_info), shndx = FIELD(e, Sym, p, st_shndx);
	uint64_t name = FIELD(e, Sym, p, st_name), value = FIELD(e, Sym, p, st_value);
	/* The bits are the same in both classes. */
	uint32_t type = ELF64_ST_TYPE(info);
	struct function fn = {
		.name = name,
		.is_weak = ELF64_ST_BIND(info) == STB_WEAK,
		.is_ifunc = type == STT_GNU_IFUNC,
	};
	size_t len;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || !value || shndx == SHN_UNDEF ||
	    shndx == SHN_ABS || shndx == SHN_COMMON)
		return 0;
	if (name >= t->n_strings)
		return report(e->rp, -EBADMSG,
			      "%s: the name of symbol %llu lies outside of the strings", e->path,
			      (unsigned long long)i);
	len = strnlen(t->strings + name, *name_budget + 1);
	if (len > *name_budget)
		return report(e->rp, -EBADMSG, "%s: the names of symbols overlap too much",
			      e->path);
	*name_budget -= len;
	if (!len)
		return 0;
	fn.name_len = len;
	if (!offset_by_section(e, shndx, value, &fn.offset)) {
		f->n_elsewhere++;
		return 0;
	}
	set_version(e, v, i, t->strings, &fn);
	return vec_push(functions, fn);
}

/* Chains by name, so that a lookup does not walk a million symbols. */
static int index_functions(struct function_table *t)
{
	uint32_t n = 16;

	if (!t->n_functions)
		return 0;
	while (n < t->n_functions)
		n *= 2;
	t->slots = calloc(n, sizeof(*t->slots));
	if (!t->slots)
		return -ENOMEM;
	t->n_slots = n;
	for (uint32_t i = 0; i < t->n_functions; i++) {
		struct function *fn = &t->functions[i];
		uint64_t hash = hash_bytes(t->strings + fn->name, fn->name_len, 0);

		fn->next = t->slots[hash & (n - 1)];
		t->slots[hash & (n - 1)] = i + 1;
	}
	return 0;
}

static int read_symbols(const struct binary *e, const struct symbol_source *src,
			struct symbol_file *f, struct function_table *t)
{
	_cleanup_(versions_deinit) struct versions v = {};
	_cleanup_free_ char *chunk = malloc(CHUNK);
	size_t size = SIZE_OF(e, Sym);
	uint64_t budget = src->n_strings * NAME_OVERLAP + CHUNK, step;
	function_vec functions = {};
	int r;

	if (!chunk)
		return -ENOMEM;
	if (src->n_symbols > TABLE_MAX / size)
		return report(e->rp, -EFBIG, "%s: the symbol table is larger than %d MiB", e->path,
			      TABLE_MAX >> 20);
	r = read_table(e, "the string table", src->strings, src->n_strings, &t->strings);
	if (r < 0)
		return r;
	t->n_strings = src->n_strings;
	r = read_versions(e, src, &v);
	for (uint64_t i = 0; i < src->n_symbols && r == 0; i += step) {
		step = MIN(src->n_symbols - i, (uint64_t)(CHUNK / size));
		r = read_at(e, "the symbol table", src->symbols + i * size, chunk, step * size);
		for (uint64_t k = 0; k < step && r == 0; k++)
			r = read_symbol(e, chunk + k * size, i + k, &v, f, t, &budget, &functions);
	}
	t->functions = functions.data;
	t->n_functions = functions.len;
	return r < 0 ? r : index_functions(t);
}

static int compare_segments(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static int read_segments(struct binary *e, const char *ehdr, uint64_t n)
{
	uint64_t off = FIELD(e, Ehdr, ehdr, e_phoff), size = SIZE_OF(e, Phdr);
	_cleanup_free_ char *data = NULL;
	int r;

	if (!off || !n)
		return 0;
	if (n > SEGMENTS_MAX || FIELD(e, Ehdr, ehdr, e_phentsize) != size)
		return report(e->rp, -EBADMSG, "%s: the program headers are malformed", e->path);
	r = read_table(e, "the program header table", off, n * size, &data);
	if (r < 0)
		return r;
	e->loads = calloc(n, sizeof(*e->loads));
	if (!e->loads)
		return -ENOMEM;
	for (const char *p = data; p < data + n * size; p += size) {
		struct segment s = { FIELD(e, Phdr, p, p_offset), FIELD(e, Phdr, p, p_vaddr),
				     FIELD(e, Phdr, p, p_filesz) };

		if (FIELD(e, Phdr, p, p_type) == PT_LOAD)
			e->loads[e->n_loads++] = s;
		else if (FIELD(e, Phdr, p, p_type) == PT_DYNAMIC)
			e->dynamic = s;
	}
	qsort(e->loads, e->n_loads, sizeof(*e->loads), compare_segments);
	return 0;
}

static void parse_section(const struct binary *e, const char *p, struct section *ret)
{
	*ret = (struct section){
		.type = FIELD(e, Shdr, p, sh_type),
		.link = FIELD(e, Shdr, p, sh_link),
		.addr = FIELD(e, Shdr, p, sh_addr),
		.offset = FIELD(e, Shdr, p, sh_offset),
		.size = FIELD(e, Shdr, p, sh_size),
	};
}

/* Section 0 holds the counts that do not fit into the ELF header's 16 bits. */
static int read_sections(struct binary *e, const char *ehdr, uint64_t *n_segments)
{
	uint64_t off = FIELD(e, Ehdr, ehdr, e_shoff), n = FIELD(e, Ehdr, ehdr, e_shnum);
	uint64_t size = SIZE_OF(e, Shdr);
	char first[sizeof(Elf64_Shdr)];
	_cleanup_free_ char *data = NULL;
	int r;

	if (!off)
		return 0;
	if (FIELD(e, Ehdr, ehdr, e_shentsize) != size)
		return report(e->rp, -EBADMSG, "%s: the section headers are malformed", e->path);
	r = read_at(e, "the section header table", off, first, size);
	if (r < 0)
		return r;
	if (!n)
		n = FIELD(e, Shdr, first, sh_size);
	if (*n_segments == PN_XNUM)
		*n_segments = FIELD(e, Shdr, first, sh_info);
	if (n > SECTIONS_MAX)
		return report(e->rp, -EBADMSG, "%s: %llu sections are too many", e->path,
			      (unsigned long long)n);
	r = read_table(e, "the section header table", off, n * size, &data);
	if (r < 0)
		return r;
	e->sections = calloc(n ? n : 1, sizeof(*e->sections));
	if (!e->sections)
		return -ENOMEM;
	e->n_sections = n;
	for (uint64_t i = 0; i < n; i++)
		parse_section(e, data + i * size, &e->sections[i]);
	return 0;
}

static const struct section *find_section(const struct binary *e, uint32_t type)
{
	for (uint32_t i = 1; i < e->n_sections; i++)
		if (e->sections[i].type == type)
			return &e->sections[i];
	return NULL;
}

/* Read the symbols of the first section of @type (SHT_DYNSYM or SHT_SYMTAB), if there is one. */
static int read_symbol_section(const struct binary *e, uint32_t type, struct symbol_file *f,
			       struct function_table *t)
{
	const struct section *symbols = find_section(e, type), *strings, *s;
	struct symbol_source src = {};

	if (!symbols)
		return 0;
	if (symbols->link >= e->n_sections)
		return report(e->rp, -EBADMSG,
			      "%s: the symbol table's strings are in section %u of %u", e->path,
			      symbols->link, e->n_sections);
	strings = &e->sections[symbols->link];
	/* A file of debug information has .dynsym's header and none of its bytes. */
	if (strings->type != SHT_STRTAB)
		return 0;
	src.symbols = symbols->offset;
	src.n_symbols = symbols->size / SIZE_OF(e, Sym);
	src.strings = strings->offset;
	src.n_strings = strings->size;
	s = type == SHT_DYNSYM ? find_section(e, SHT_GNU_versym) : NULL;
	if (s && s->size / 2 >= src.n_symbols)
		src.versym = s->offset;
	s = src.versym ? find_section(e, SHT_GNU_verdef) : NULL;
	if (s && s->link == symbols->link) {
		src.verdef = s->offset;
		src.n_verdef = s->size;
	}
	return read_symbols(e, &src, f, t);
}

/*
 * How many symbols .gnu.hash reaches: the highest that starts a chain, and on to
 * that chain's end, whose word has its lowest bit set.
 */
static int count_gnu_hash(const struct binary *e, uint64_t off, uint64_t *ret)
{
	unsigned char header[16], word[4];
	uint64_t n_buckets, first, bloom, chains, last = 0;
	_cleanup_free_ char *buckets = NULL;
	int r = read_at(e, "the hash table", off, header, sizeof(header));

	if (r < 0)
		return r;
	n_buckets = number(e, header, 4);
	first = number(e, header + 4, 4);
	bloom = number(e, header + 8, 4) * (e->is64 ? 8 : 4);
	r = read_table(e, "the hash table", off + 16 + bloom, n_buckets * 4, &buckets);
	if (r < 0)
		return r;
	for (uint64_t i = 0; i < n_buckets; i++)
		last = MAX(last, number(e, buckets + i * 4, 4));
	*ret = 0;
	if (last < first)
		return 0;
	chains = off + 16 + bloom + n_buckets * 4;
	for (unsigned i = 0; i < HASH_CHAIN_MAX; i++) {
		r = read_at(e, "the hash table", chains + (last++ - first) * 4, word, 4);
		if (r < 0)
			return r;
		if (number(e, word, 4) & 1) {
			*ret = last;
			return 0;
		}
	}
	return report(e->rp, -EBADMSG, "%s: a chain of the hash table has no end", e->path);
}

enum { DYN_STRTAB, DYN_SYMTAB, DYN_STRSZ, DYN_HASH, DYN_GNU_HASH, DYN_VERSYM, DYN_VERDEF, N_DYN };

/* The values of the tags that matter, addresses already turned into offsets; 0 where absent. */
static int read_dynamic(const struct binary *e, uint64_t values[static N_DYN])
{
	static const int64_t tags[N_DYN] = { DT_STRTAB,	  DT_SYMTAB, DT_STRSZ, DT_HASH,
					     DT_GNU_HASH, DT_VERSYM, DT_VERDEF };
	uint64_t size = SIZE_OF(e, Dyn);
	_cleanup_free_ char *data = NULL;
	int r = read_table(e, "the dynamic segment", e->dynamic.offset, e->dynamic.filesz, &data);

	if (r < 0)
		return r;
	memset(values, 0, N_DYN * sizeof(*values));
	for (uint64_t i = 0; i < e->dynamic.filesz / size; i++) {
		int64_t tag = FIELD(e, Dyn, data + i * size, d_tag);

		if (!e->is64)
			tag = (int32_t)tag;
		if (tag == DT_NULL)
			break;
		for (int k = 0; k < N_DYN; k++)
			if (tag == tags[k])
				values[k] = FIELD(e, Dyn, data + i * size, d_un.d_val);
	}
	for (int k = 0; k < N_DYN; k++)
		if (k != DYN_STRSZ && values[k] && !offset_by_segment(e, values[k], &values[k]))
			values[k] = 0;
	return 0;
}

/* A binary without section headers: what its dynamic loader uses is still there. */
static int read_dynamic_symbols(const struct binary *e, struct symbol_file *f,
				struct function_table *t)
{
	struct symbol_source src = {};
	uint64_t values[N_DYN];
	unsigned char words[8];
	int r;

	if (!e->dynamic.filesz)
		return 0;
	r = read_dynamic(e, values);
	if (r < 0)
		return r;
	if (!values[DYN_SYMTAB] || !values[DYN_STRTAB])
		return 0;
	if (values[DYN_HASH]) {
		r = read_at(e, "the hash table", values[DYN_HASH], words, sizeof(words));
		src.n_symbols = r < 0 ? 0 : number(e, words + 4, 4);
	} else if (values[DYN_GNU_HASH]) {
		r = count_gnu_hash(e, values[DYN_GNU_HASH], &src.n_symbols);
	}
	if (r < 0)
		return r;
	src.symbols = values[DYN_SYMTAB];
	src.strings = values[DYN_STRTAB];
	src.n_strings = values[DYN_STRSZ];
	src.versym = values[DYN_VERSYM];
	src.verdef = values[DYN_VERDEF];
	/* Nothing says how long it is; what lies behind it is not reached by its chain. */
	if (src.verdef)
		src.n_verdef = MIN(e->size - src.verdef, (uint64_t)CHUNK);
	return read_symbols(e, &src, f, t);
}

static int open_binary(struct binary *e, char ehdr[static sizeof(Elf64_Ehdr)])
{
	struct stat st;
	uint32_t type;
	int r;

	if (fstat(e->fd, &st) < 0)
		return report(e->rp, -errno, "%s: %s", e->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return report(e->rp, -ENOEXEC, "%s is no regular file", e->path);
	e->size = st.st_size;
	if (e->size < sizeof(Elf32_Ehdr))
		return report(e->rp, -ENOEXEC, "%s is no ELF binary", e->path);
	r = read_at(e, "the ELF header", 0, ehdr, MIN(e->size, sizeof(Elf64_Ehdr)));
	if (r < 0)
		return r;
	if (memcmp(ehdr, ELFMAG, SELFMAG))
		return report(e->rp, -ENOEXEC, "%s is no ELF binary%s", e->path,
			      ehdr[0] == '#' && ehdr[1] == '!'
				      ? " but a script: name the interpreter that runs it"
				      : "");
	if ((ehdr[EI_CLASS] != ELFCLASS32 && ehdr[EI_CLASS] != ELFCLASS64) ||
	    (ehdr[EI_DATA] != ELFDATA2LSB && ehdr[EI_DATA] != ELFDATA2MSB))
		return report(e->rp, -EBADMSG,
			      "%s: the ELF header has an unknown class or byte order", e->path);
	e->is64 = ehdr[EI_CLASS] == ELFCLASS64;
	e->swap = (ehdr[EI_DATA] == ELFDATA2LSB) != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
	if (e->size < SIZE_OF(e, Ehdr))
		return report(e->rp, -EBADMSG, "%s: the ELF header is cut short", e->path);
	type = FIELD(e, Ehdr, ehdr, e_type);
	if (type != ET_EXEC && type != ET_DYN)
		return report(e->rp, -ENOEXEC,
			      "%s is an ELF file, but neither an executable nor a shared library",
			      e->path);
	return 0;
}

static void close_binary(struct binary *e)
{
	free(e->sections);
	free(e->loads);
}

int symbol_read(int fd, struct report *rp, struct symbol_file *f)
{
	_cleanup_(close_binary) struct binary e = { .fd = fd, .path = f->path, .rp = rp };
	char ehdr[sizeof(Elf64_Ehdr)] = {};
	uint64_t n_segments;
	int r;

	r = open_binary(&e, ehdr);
	if (r < 0)
		return r;
	n_segments = FIELD(&e, Ehdr, ehdr, e_phnum);
	r = read_sections(&e, ehdr, &n_segments);
	if (r < 0)
		return r;
	r = read_segments(&e, ehdr, n_segments);
	if (r < 0)
		return r;
	f->is_stripped = !find_section(&e, SHT_SYMTAB);
	if (!e.n_sections)
		return read_dynamic_symbols(&e, f, &f->tables[TABLE_DYNSYM]);
	r = read_symbol_section(&e, SHT_DYNSYM, f, &f->tables[TABLE_DYNSYM]);
	if (r < 0)
		return r;
	return read_symbol_section(&e, SHT_SYMTAB, f, &f->tables[TABLE_SYMTAB]);
}
