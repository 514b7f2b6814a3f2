/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/btf.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

/* A finished blob with struct point as type 2. */
static struct btf_gen sample_new(void)
{
	struct btf_gen g = {};

	gen_struct(&g, "point", 4, M("x", gen_int(&g, "int", 4, 0), 0));
	gen_finish(&g);
	return g;
}

/* A file of these bytes, under a name that is gone when it is closed. */
static int file_of(const void *data, size_t len, char *path, size_t size)
{
	char name[] = "/tmp/test_btf.XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(write(fd, data, len), (ssize_t)len);
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}

TEST(vmlinux_read_is_as_vmlinux_mapped)
{
	struct btf *mapped, *read_;
	const void *data;
	size_t len, read_len;
	char path[64];
	int fd;

	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		SKIP("this kernel has no BTF");
	CHECK_EQ(btf_parse_file("/sys/kernel/btf/vmlinux", NULL, &rp, &mapped), 0);
	data = btf_bytes(mapped, &len);
	fd = file_of(data, len, path, sizeof(path));
	CHECK_EQ(btf_parse_file(path, NULL, &rp, &read_), 0);
	CHECK(!memcmp(btf_bytes(read_, &read_len), data, len));
	CHECK_EQ(read_len, len);
	btf_unref(read_);
	btf_unref(mapped);
	close(fd);
}

/* The least ELF file with a section .BTF. */
struct tiny_elf {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
	struct {
		uint32_t name, type;
		uint64_t flags, addr, offset, size;
		uint32_t link, info;
		uint64_t align, entsize;
	} sections[3];
	char names[16];
};

static struct tiny_elf tiny_elf(size_t btf_len)
{
	struct tiny_elf e = {
		.ident = { 0x7f, 'E', 'L', 'F', 2, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 2 : 1,
			   1 },
		.shoff = offsetof(struct tiny_elf, sections),
		.shentsize = 64,
		.shnum = 3,
		.shstrndx = 1,
		.names = "\0.BTF\0.names",
	};

	e.sections[1].name = 6;
	e.sections[1].type = 3;
	e.sections[1].offset = offsetof(struct tiny_elf, names);
	e.sections[1].size = sizeof(e.names);
	e.sections[2].name = 1;
	e.sections[2].type = 1;
	e.sections[2].offset = sizeof(e);
	e.sections[2].size = btf_len;
	return e;
}

static int parse_elf(const struct tiny_elf *e, const struct btf_gen *g, struct btf **ret)
{
	struct str all = {};
	char path[64];
	int fd, r;

	str_add_mem(&all, e, sizeof(*e));
	str_add_mem(&all, g->blob.data, g->blob.len);
	fd = file_of(all.data, all.len, path, sizeof(path));
	r = btf_parse_file(path, NULL, &rp, ret);
	close(fd);
	str_deinit(&all);
	return r;
}

TEST(elf_files_are_opened_at_their_btf)
{
	struct btf_gen g = sample_new();
	struct tiny_elf e = tiny_elf(g.blob.len);
	struct btf *btf;

	CHECK_EQ(parse_elf(&e, &g, &btf), 0);
	CHECK_EQ(btf_find(btf, "point", BTF_KIND_STRUCT), 2);
	btf_unref(btf);
	e.names[1] = 'x';
	CHECK_EQ(parse_elf(&e, &g, &btf), -ENOENT);
	CHECK_HAS(rp.text, "without .BTF");
	gen_deinit(&g);
}

TEST(broken_elf_files_are_refused)
{
	struct btf_gen g = sample_new();
	struct tiny_elf good = tiny_elf(g.blob.len), e = good;
	struct btf *btf;

	e.shoff = 1ull << 62;
	CHECK_EQ(parse_elf(&e, &g, &btf), -EBADMSG);
	e = good;
	e.shnum = 0xff00;
	CHECK_EQ(parse_elf(&e, &g, &btf), -EBADMSG);
	e = good;
	e.shstrndx = 3;
	CHECK_EQ(parse_elf(&e, &g, &btf), -EBADMSG);
	e = good;
	e.sections[2].size++;
	CHECK_EQ(parse_elf(&e, &g, &btf), -EBADMSG);
	e = good;
	e.sections[2].name = 1000;
	CHECK_EQ(parse_elf(&e, &g, &btf), -EBADMSG);
	e = good;
	e.shentsize = 8;
	CHECK_EQ(parse_elf(&e, &g, &btf), -EBADMSG);
	e = good;
	e.ident[4] = 9;
	CHECK_EQ(parse_elf(&e, &g, &btf), -EBADMSG);
	gen_deinit(&g);
}

TEST(files_that_are_no_files_are_refused)
{
	struct btf *btf;
	char path[64];
	int fd;

	CHECK_EQ(btf_parse_file("/does/not/exist", NULL, &rp, &btf), -ENOENT);
	CHECK_HAS(rp.text, "/does/not/exist");
	CHECK_EQ(btf_parse_file("/tmp", NULL, &rp, &btf), -EINVAL);
	CHECK_EQ(btf_parse_file("/dev/null", NULL, &rp, &btf), -EINVAL);
	fd = file_of("", 0, path, sizeof(path));
	CHECK_EQ(btf_parse_file(path, NULL, &rp, &btf), -EBADMSG);
	close(fd);
	fd = file_of("\177ELF", 4, path, sizeof(path));
	CHECK_EQ(btf_parse_file(path, NULL, &rp, &btf), -EBADMSG);
	close(fd);
}
