/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF from a file. An ELF file (a vmlinux with debug information has hundreds of
 * megabytes) is read in pieces: header, section headers, their names, .BTF. libelf is
 * not needed for that, and image.c knows only BPF objects.
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bits.h"
#include "loader/btf_priv.h"
#include "loader/reader.h"

struct file {
	int fd;
	uint64_t size;
	const char *path;
	struct report *rp;
};

struct section {
	uint32_t name, type;
	uint64_t flags, offset, size;
	uint32_t link;
};

struct elf {
	bool is64, swap;
	uint64_t shoff;
	uint32_t shentsize, shnum, shstrndx;
};

/* @len bytes at @offset, malloc'ed. */
static int read_range(const struct file *f, uint64_t offset, uint64_t len, void **ret)
{
	_cleanup_free_ uint8_t *buf = NULL;
	uint64_t got = 0;

	if (!range_fits(offset, len, f->size))
		return report(f->rp, -EBADMSG, "%s+0x%llx: need %llu bytes, the file has 0x%llx",
			      f->path, (unsigned long long)offset, (unsigned long long)len,
			      (unsigned long long)f->size);
	buf = malloc(len ? len : 1);
	if (!buf)
		return report(f->rp, -ENOMEM, "%s: out of memory", f->path);
	while (got < len) {
		ssize_t n = pread(f->fd, buf + got, len - got, offset + got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return report(f->rp, -errno, "cannot read %s", f->path);
		if (!n)
			return report(f->rp, -EBADMSG, "%s+0x%llx: the file became shorter",
				      f->path, (unsigned long long)(offset + got));
		got += n;
	}
	*ret = take_ptr(buf);
	return 0;
}

/* A field as wide as an address of the file. */
static int read_word(struct reader *rd, const struct elf *e, uint64_t *ret)
{
	uint32_t v;
	int r;

	if (e->is64)
		return reader_u64(rd, ret);
	r = reader_u32(rd, &v);
	if (r == 0)
		*ret = v;
	return r;
}

static int read_section(struct reader *rd, const struct elf *e, struct section *ret)
{
	uint64_t addr;
	int r;

	r = reader_u32(rd, &ret->name);
	if (r == 0)
		r = reader_u32(rd, &ret->type);
	if (r == 0)
		r = read_word(rd, e, &ret->flags);
	if (r == 0)
		r = read_word(rd, e, &addr);
	if (r == 0)
		r = read_word(rd, e, &ret->offset);
	if (r == 0)
		r = read_word(rd, e, &ret->size);
	return r == 0 ? reader_u32(rd, &ret->link) : r;
}

static int read_elf_header(const struct file *f, struct elf *ret)
{
	_cleanup_free_ void *head = NULL;
	const uint8_t *ident;
	uint16_t shentsize, shnum, shstrndx;
	struct reader rd;
	size_t min;
	int r;

	r = read_range(f, 0, MIN(f->size, sizeof(Elf64_Ehdr)), &head);
	if (r < 0)
		return r;
	ident = head;
	reader_init(&rd, head, MIN(f->size, sizeof(Elf64_Ehdr)), false, f->path, f->rp);
	r = reader_seek(&rd, EI_NIDENT);
	if (r < 0)
		return r;
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return report(f->rp, -EBADMSG, "%s+0x4: ELF class %u is not known", f->path,
			      ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return report(f->rp, -EBADMSG, "%s+0x5: ELF byte order %u is not known", f->path,
			      ident[EI_DATA]);
	ret->is64 = ident[EI_CLASS] == ELFCLASS64;
	ret->swap = (ident[EI_DATA] == ELFDATA2MSB) != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	min = ret->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	rd.swap = ret->swap;
	r = reader_seek(&rd,
			ret->is64 ? offsetof(Elf64_Ehdr, e_shoff) : offsetof(Elf32_Ehdr, e_shoff));
	if (r == 0)
		r = read_word(&rd, ret, &ret->shoff);
	if (r == 0)
		r = reader_seek(&rd, ret->is64 ? offsetof(Elf64_Ehdr, e_shentsize)
					       : offsetof(Elf32_Ehdr, e_shentsize));
	if (r == 0)
		r = reader_u16(&rd, &shentsize);
	if (r == 0)
		r = reader_u16(&rd, &shnum);
	if (r == 0)
		r = reader_u16(&rd, &shstrndx);
	if (r < 0)
		return r;
	if (shentsize < min)
		return report(f->rp, -EBADMSG, "%s: section headers of %u bytes", f->path,
			      shentsize);
	ret->shentsize = shentsize;
	ret->shnum = shnum;
	ret->shstrndx = shstrndx;
	return 0;
}

/* Numbers too large for the ELF header are in section 0. */
static int read_extended(const struct file *f, struct elf *e)
{
	_cleanup_free_ void *first = NULL;
	struct section s;
	struct reader rd;
	int r;

	if (e->shnum && e->shstrndx != SHN_XINDEX)
		return 0;
	r = read_range(f, e->shoff, e->shentsize, &first);
	if (r < 0)
		return r;
	reader_init(&rd, first, e->shentsize, e->swap, f->path, f->rp);
	r = read_section(&rd, e, &s);
	if (r < 0)
		return r;
	if (!e->shnum && s.size > UINT32_MAX)
		return report(f->rp, -EBADMSG, "%s: too many sections", f->path);
	if (!e->shnum)
		e->shnum = s.size;
	if (e->shstrndx == SHN_XINDEX)
		e->shstrndx = s.link;
	return 0;
}

static int find_btf_section(const struct file *f, const struct elf *e, struct section *ret)
{
	_cleanup_free_ void *headers = NULL, *names = NULL;
	struct reader rd, strings;
	struct section s;
	int r;

	r = read_range(f, e->shoff, (uint64_t)e->shnum * e->shentsize, &headers);
	if (r < 0)
		return r;
	reader_init(&rd, headers, (size_t)e->shnum * e->shentsize, e->swap, f->path, f->rp);
	r = reader_seek(&rd, (size_t)e->shstrndx * e->shentsize);
	if (r == 0)
		r = read_section(&rd, e, &s);
	if (r == 0)
		r = read_range(f, s.offset, s.size, &names);
	if (r < 0)
		return r;
	reader_init(&strings, names, s.size, false, "section names", f->rp);
	for (uint32_t i = 1; i < e->shnum; i++) {
		const char *name;

		r = reader_seek(&rd, (size_t)i * e->shentsize);
		if (r == 0)
			r = read_section(&rd, e, &s);
		if (r == 0)
			r = reader_seek(&strings, s.name);
		if (r == 0)
			r = reader_cstr(&strings, &name);
		if (r < 0)
			return r;
		if (strcmp(name, ".BTF") != 0 || s.type == SHT_NOBITS)
			continue;
		if (s.flags & SHF_COMPRESSED)
			return report(f->rp, -EOPNOTSUPP, "%s: its .BTF is compressed", f->path);
		*ret = s;
		return 0;
	}
	return report(f->rp, -ENOENT, "%s: an ELF file without .BTF section", f->path);
}

static int parse_elf(const struct file *f, struct btf *base, struct btf **ret)
{
	_cleanup_free_ void *data = NULL;
	struct section s = {};
	struct elf e;
	int r;

	r = read_elf_header(f, &e);
	if (r == 0)
		r = read_extended(f, &e);
	if (r == 0)
		r = find_btf_section(f, &e, &s);
	if (r == 0)
		r = read_range(f, s.offset, s.size, &data);
	return r == 0 ? btf_parse(data, s.size, f->path, base, f->rp, ret) : r;
}

/*
 * Only the kernel's own blobs are constant: a regular file could be written or
 * truncated under the mapping after the checks. -EAGAIN if it has to be read.
 */
static int parse_mapped(const struct file *f, struct btf *base, struct btf **ret)
{
	struct statfs fs;
	void *map;
	int r;

	if (fstatfs(f->fd, &fs) < 0 || fs.f_type != SYSFS_MAGIC)
		return -EAGAIN;
	map = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, f->fd, 0);
	if (map == MAP_FAILED)
		return -EAGAIN;
	r = btf_parse_mapping(map, f->size, f->path, base, f->rp, ret);
	if (r < 0)
		munmap(map, f->size);
	return r;
}

int btf_parse_file(const char *path, struct btf *base, struct report *rp, struct btf **ret)
{
	struct file f = { .path = path, .rp = rp };
	_cleanup_close_ int fd = -1;
	_cleanup_free_ void *data = NULL;
	struct stat st;
	char magic[SELFMAG];
	int r;

	/* Not blocking, in case it is a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return report(rp, -errno, "cannot open %s: %s", path, strerrordesc_np(errno));
	if (fstat(fd, &st) < 0)
		return report(rp, -errno, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return report(rp, -EINVAL, "%s is no regular file", path);
	if (!st.st_size)
		return report(rp, -EBADMSG, "%s is empty", path);
	f.fd = fd;
	f.size = st.st_size;
	if (pread(fd, magic, sizeof(magic), 0) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG))
		return parse_elf(&f, base, ret);
	r = parse_mapped(&f, base, ret);
	if (r != -EAGAIN)
		return r;
	r = read_range(&f, 0, f.size, &data);
	return r < 0 ? r : btf_parse(data, f.size, path, base, rp, ret);
}
