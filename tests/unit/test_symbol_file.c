/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On binaries that the test compiles. Where a function really is, the tests know
 * from a source of their own: each function starts with a mark of 8 bytes in its
 * code, and an offset is right if the mark is what lies there.
 */
#include "loader/symbol_file.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bits.h"
#include "base/str.h"
#include "tests/unit/test.h"

static char dir[] = "/tmp/test_symbol_file.XXXXXX";

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", dir);
}

/* A directory that goes with the test's process, also when a CHECK fails. */
static void make_dir(void)
{
	static pid_t owner;
	int status;

	if (!mkdtemp(dir))
		FAIL("mkdtemp: %s", strerror(errno));
	/* A failed CHECK leaves by _exit(): a parent process of our own cleans up. */
	owner = fork();
	if (owner == 0) {
		alarm(50);
		return;
	}
	waitpid(owner, &status, 0);
	remove_dir();
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	CHECK(f);
	fputs(text, f);
	fclose(f);
}

/* Run a shell command in the directory; false if it fails. */
static bool run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static bool run(const char *fmt, ...)
{
	_cleanup_str_ struct str command = {};
	va_list ap;

	str_printf(&command, "cd %s && exec 2>>log && ", dir);
	va_start(ap, fmt);
	str_vprintf(&command, fmt, ap);
	va_end(ap);
	return system(str_text(&command)) == 0;
}

static void compile(const char *name, const char *flags, const char *source)
{
	const char *cc = getenv("CC");
	char file[64];

	snprintf(file, sizeof(file), "%s.c", name);
	write_file(file, source);
	if (!run("${CC:-cc} -O1 %s -o %s %s.c", flags, name, name))
		SKIP("%s cannot compile %s", cc ? cc : "cc", flags);
}

static int open_in_dir(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		FAIL("%s: %s", path, strerror(errno));
	return fd;
}

static struct symbol_file *open_symbols(const char *name)
{
	_cleanup_close_ int fd = open_in_dir(name);
	struct report rp = REPORT_INIT(NULL, NULL);
	struct symbol_file *f = NULL;

	if (symbol_file_open(fd, name, &rp, &f) < 0)
		FAIL("%s: %s", name, rp.text);
	return f;
}

#if defined(__x86_64__) || defined(__i386__)
#define JUMP "jmp"
#elif defined(__riscv)
#define JUMP "j"
#else
#define JUMP "b"
#endif

/*
 * A function whose code has the mark 0xbeef0000 + @n at its start (behind what the
 * compiler puts in front). The bytes are never run.
 */
#define MARKED(head, n)                                                 \
	head "{ __asm__ volatile(\"" JUMP " 1f; .long 0xbeef0000 + " #n \
	     "; 1:\" ::: \"memory\"); }\n"

/* Does the function at @offset of @name carry mark @n? */
static bool has_mark(const char *name, uint64_t offset, uint32_t n)
{
	_cleanup_close_ int fd = open_in_dir(name);
	uint32_t mark = 0xbeef0000 + n;
	/* Not so many that the next function's mark is among them. */
	char code[12];

	if (pread(fd, code, sizeof(code), offset) != sizeof(code))
		return false;
	return memmem(code, sizeof(code), &mark, sizeof(mark));
}

static void check_mark(const char *binary, const char *symbol, uint32_t n)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = open_symbols(binary);
	struct report rp = REPORT_INIT(NULL, NULL);
	uint64_t offset;
	int r = symbol_file_find(f, symbol, &rp, &offset);

	if (r < 0)
		FAIL("%s:%s: %s", binary, symbol, rp.text);
	if (!has_mark(binary, offset, n))
		FAIL("%s:%s: 0x%llx is not the place", binary, symbol, (unsigned long long)offset);
}

static void refuse(const char *binary, const char *symbol, int err, const char *part)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = open_symbols(binary);
	struct report rp = REPORT_INIT(NULL, NULL);
	uint64_t offset = 7;
	int r = symbol_file_find(f, symbol, &rp, &offset);

	if (r != err)
		FAIL("%s:%s gave %d (%s), not %d", binary, symbol, r, rp.text, err);
	CHECK_HAS(rp.text, part);
	CHECK_EQ(offset, 7);
}

static const char program[] = MARKED("static __attribute__((noinline,used)) void hidden(void)", 1)
	MARKED("__attribute__((noinline)) void shown(void)",
	       2) "int data_object = 3;\n"
		  "int main(void) { hidden(); shown(); return 0; }\n";

TEST(finds_functions_of_a_pie)
{
	make_dir();
	compile("pie", "-fPIE -pie", program);
	check_mark("pie", "hidden", 1);
	check_mark("pie", "shown", 2);
}

TEST(finds_functions_of_a_program_at_a_fixed_address)
{
	make_dir();
	compile("fixed", "-fno-pie -no-pie", program);
	check_mark("fixed", "hidden", 1);
	check_mark("fixed", "shown", 2);
}

/* An address that is not its offset: what tools that subtract the load address get wrong. */
TEST(addresses_go_through_the_section)
{
	make_dir();
	compile("moved", "-fno-pie -no-pie -Wl,-Ttext=0x7654000", program);
	check_mark("moved", "shown", 2);
}

TEST(finds_functions_of_32_bit)
{
	make_dir();
	compile("small", "-m32 -nostdlib -static -Wl,-e,main", program);
	check_mark("small", "hidden", 1);
	check_mark("small", "shown", 2);
}

TEST(data_and_undefined_symbols_are_no_functions)
{
	make_dir();
	compile("prog", "", program);
	refuse("prog", "data_object", -ENOENT, "no symbol 'data_object' in prog");
	refuse("prog", "__libc_start_main", -ENOENT, "no symbol");
}

TEST(says_what_comes_close)
{
	make_dir();
	compile("prog", "", program);
	refuse("prog", "showm", -ENOENT, "no symbol 'showm' in prog; close: shown");
	refuse("prog", "", -ENOENT, "no symbol ''");
	refuse("prog", "shown@V1", -ENOENT, "no symbol 'shown@V1'");
}

TEST(says_that_a_binary_is_stripped)
{
	make_dir();
	compile("prog", "-s", program);
	refuse("prog", "shown", -ENOENT, "it is stripped");
}

TEST(a_stripped_library_keeps_what_it_exports)
{
	make_dir();
	compile("lib.so", "-shared -fPIC -s", program);
	check_mark("lib.so", "shown", 2);
	refuse("lib.so", "hidden", -ENOENT, "it is stripped");
}

TEST(a_file_of_debug_information_has_no_code)
{
	make_dir();
	compile("prog", "-g", program);
	if (!run("objcopy --only-keep-debug prog prog.debug"))
		SKIP("no objcopy");
	refuse("prog.debug", "shown", -ENOENT, "code that is in another file");
}

/* Two versions of one function, as a linker script of versions makes them. */
static const char versioned[] =
	MARKED("void old_f(void)", 1) MARKED("void new_f(void)", 2) MARKED("void only(void)", 3)
		MARKED("void kept_v1(void)", 4) "__asm__(\".symver old_f,f@V1\");\n"
						"__asm__(\".symver new_f,f@@V2\");\n"
						"__asm__(\".symver kept_v1,kept@V1\");\n";
static const char version_script[] = "V1 { global: f; kept; local: *; };\n"
				     "V2 { global: f; only; } V1;\n";

static void compile_versioned(const char *name, const char *flags)
{
	_cleanup_str_ struct str all = {};

	write_file("versions", version_script);
	str_printf(&all, "-shared -fPIC -Wl,--version-script=versions %s", flags);
	compile(name, str_text(&all), versioned);
}

static void check_versions(const char *name)
{
	check_mark(name, "f@V1", 1);
	check_mark(name, "f@V2", 2);
	check_mark(name, "f@@V2", 2);
	check_mark(name, "f", 2);
	check_mark(name, "only", 3);
	check_mark(name, "only@@V2", 3);
	check_mark(name, "kept@V1", 4);
	/* Not the default, but the only one. */
	check_mark(name, "kept", 4);
	refuse(name, "f@@V1", -ENOENT, "it has f@V1, f@@V2");
	refuse(name, "f@V3", -ENOENT, "no symbol 'f@V3'");
	refuse(name, "f@", -ENOENT, "no symbol 'f@'");
}

TEST(versions_choose_among_functions)
{
	make_dir();
	compile_versioned("lib.so", "");
	check_versions("lib.so");
}

TEST(versions_of_a_stripped_library)
{
	make_dir();
	compile_versioned("lib.so", "-s");
	check_versions("lib.so");
}

/* In .symtab alone versions are part of the name. */
TEST(versions_without_dynamic_symbols)
{
	make_dir();
	compile_versioned("lib.so", "");
	if (!run("objcopy -R .dynsym -R .gnu.version -R .gnu.version_d lib.so copy.so") ||
	    run("readelf -S copy.so | grep -q DYNSYM"))
		SKIP("objcopy keeps the dynamic symbols");
	check_mark("copy.so", "f@V1", 1);
	check_mark("copy.so", "f@@V2", 2);
	check_mark("copy.so", "f", 2);
	check_mark("copy.so", "kept", 4);
	refuse("copy.so", "f@@V1", -ENOENT, "it has f@");
}

/* Set e_shoff, e_shnum and e_shstrndx to nothing. */
static void drop_section_headers(const char *name)
{
	char path[128];
	Elf64_Ehdr ehdr;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	ehdr.e_shoff = 0;
	ehdr.e_shnum = ehdr.e_shstrndx = 0;
	CHECK_EQ(pwrite(fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	close(fd);
}

TEST(without_section_headers_the_dynamic_segment_is_used)
{
	static const char *const styles[] = { "-Wl,--hash-style=gnu", "-Wl,--hash-style=sysv" };

	make_dir();
	for (size_t i = 0; i < ARRAY_SIZE(styles); i++) {
		compile_versioned("lib.so", styles[i]);
		drop_section_headers("lib.so");
		check_versions("lib.so");
		refuse("lib.so", "old_f", -ENOENT, "it is stripped");
	}
}

TEST(several_functions_of_one_name_are_refused)
{
	make_dir();
	write_file("one.c",
		   MARKED("static __attribute__((noinline,used)) void twice(void)",
			  1) "void other(void); int main(void) { twice(); other(); return 0; }\n");
	write_file("two.c", MARKED("static __attribute__((noinline,used)) void twice(void)",
				   2) "void other(void) { twice(); }\n");
	if (!run("${CC:-cc} -O1 -o prog one.c two.c"))
		SKIP("no compiler");
	refuse("prog", "twice", -EINVAL, "several functions in prog are named 'twice'");
}

TEST(aliases_are_one_function)
{
	make_dir();
	compile("prog", "",
		MARKED("void f(void)", 1) "void g(void) __attribute__((alias(\"f\")));\n"
					  "void w(void) __attribute__((weak, alias(\"f\")));\n"
					  "int main(void) { return 0; }\n");
	check_mark("prog", "f", 1);
	check_mark("prog", "g", 1);
	check_mark("prog", "w", 1);
}

static const char ifunc[] = MARKED("static void fast(void)",
				   1) "static void (*choose(void))(void) { return fast; }\n"
				      "void chosen(void) __attribute__((ifunc(\"choose\")));\n"
				      "int main(void) { chosen(); return 0; }\n";

TEST(ifuncs_are_refused)
{
	make_dir();
	compile("prog", "", ifunc);
	refuse("prog", "chosen", -EOPNOTSUPP, "is an IFUNC");
	check_mark("prog", "fast", 1);
}

TEST(ifuncs_give_way_to_a_function_of_the_same_name)
{
	make_dir();
	write_file("one.c", ifunc);
	write_file("two.c", MARKED("static __attribute__((noinline,used)) void chosen(void)", 2));
	if (!run("${CC:-cc} -O1 -rdynamic -o prog one.c two.c"))
		SKIP("no compiler");
	check_mark("prog", "chosen", 2);
}

TEST(patterns_match_whole_names)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	struct symbol *syms;
	uint32_t n;

	make_dir();
	compile("prog", "",
		MARKED("void read_b(void)", 2) MARKED("void read_a(void)",
						      1) MARKED("void bread(void)", 3)
			MARKED("static __attribute__((used)) void read_c(void)",
			       4) "void read_alias(void) __attribute__((alias(\"read_a\")));\n"
				  "int read_data; int main(void) { return 0; }\n");
	f = open_symbols("prog");
	CHECK_EQ(symbol_file_glob(f, "read_?", &rp, &syms, &n), 0);
	CHECK_EQ(n, 3);
	for (uint32_t i = 1; i < n; i++)
		CHECK(syms[i - 1].offset < syms[i].offset);
	symbols_free(syms, n);
	CHECK_EQ(symbol_file_glob(f, "*read*", &rp, &syms, &n), 0);
	CHECK_EQ(n, 4);
	for (uint32_t i = 0; i < n; i++)
		CHECK(has_mark("prog", syms[i].offset, 1) + has_mark("prog", syms[i].offset, 2) +
			      has_mark("prog", syms[i].offset, 3) +
			      has_mark("prog", syms[i].offset, 4) ==
		      1);
	symbols_free(syms, n);
	CHECK_EQ(symbol_file_glob(f, "read", &rp, &syms, &n), -ENOENT);
	CHECK_HAS(rp.text, "no function in prog matches 'read'");
	CHECK_EQ(symbol_file_glob(f, "", &rp, &syms, &n), -ENOENT);
}

TEST(patterns_skip_ifuncs_and_take_versions_once)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = NULL, *lib = NULL;
	struct symbol *syms;
	uint32_t n;

	make_dir();
	compile_versioned("lib.so", "-s");
	lib = open_symbols("lib.so");
	CHECK_EQ(symbol_file_glob(lib, "?", NULL, &syms, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_STR(syms[0].name, "f");
	CHECK_STR(syms[1].name, "f");
	symbols_free(syms, n);
	compile("prog", "", ifunc);
	f = open_symbols("prog");
	CHECK_EQ(symbol_file_glob(f, "chosen", NULL, &syms, &n), -ENOENT);
}

static void refuse_open(const char *name, int err, const char *part)
{
	_cleanup_close_ int fd = open_in_dir(name);
	struct report rp = REPORT_INIT(NULL, NULL);
	struct symbol_file *f = NULL;
	int r = symbol_file_open(fd, name, &rp, &f);

	if (r != err)
		FAIL("%s gave %d (%s), not %d", name, r, rp.text, err);
	CHECK_HAS(rp.text, part);
	CHECK(!f);
}

TEST(what_is_no_binary_is_refused)
{
	make_dir();
	write_file("empty", "");
	write_file("short", "\x7f"
			    "ELF");
	write_file("text",
		   "hello, this is some text that is longer than the header of an ELF file\n");
	write_file("script",
		   "#!/bin/sh\necho a script that is longer than the header of an ELF file\n");
	refuse_open("empty", -ENOEXEC, "empty is no ELF");
	refuse_open("short", -ENOEXEC, "no ELF");
	refuse_open("text", -ENOEXEC, "text is no ELF");
	refuse_open("script", -ENOEXEC, "interpreter");
	refuse_open(".", -ENOEXEC, "no regular file");
	write_file("o.c", program);
	if (!run("${CC:-cc} -c -o object.o o.c"))
		SKIP("no compiler");
	refuse_open("object.o", -ENOEXEC, "neither an executable nor a shared library");
}

/* The bytes of a file, in memory, with a descriptor of their own. */
struct image {
	unsigned char *data;
	size_t len;
	int fd;
};

static void image_load(const char *name, struct image *ret)
{
	int fd = open_in_dir(name);
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	ret->len = st.st_size;
	ret->data = malloc(ret->len);
	CHECK_EQ(read(fd, ret->data, ret->len), (ssize_t)ret->len);
	close(fd);
	ret->fd = memfd_create("image", MFD_CLOEXEC);
	CHECK(ret->fd >= 0);
}

static void image_store(struct image *im, size_t len)
{
	CHECK_EQ(ftruncate(im->fd, 0), 0);
	CHECK_EQ(pwrite(im->fd, im->data, len, 0), (ssize_t)len);
}

static void image_deinit(struct image *im)
{
	free(im->data);
	close(im->fd);
}

/* Ask everything there is to ask; whatever comes must be one of the known results. */
static bool try_image(const struct image *im)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	struct symbol *syms;
	uint64_t offset;
	uint32_t n;
	int r = symbol_file_open(im->fd, "image", &rp, &f);

	if (r < 0) {
		if (r != -EBADMSG && r != -ENOEXEC && r != -EFBIG)
			FAIL("open gave %s: %s", errno_name(r), rp.text);
		CHECK(rp.text[0]);
		return false;
	}
	r = symbol_file_find(f, "f", &rp, &offset);
	CHECK(r == 0 || r == -ENOENT || r == -EINVAL || r == -EOPNOTSUPP);
	if (r == 0)
		CHECK(offset < im->len);
	r = symbol_file_find(f, "f@V1", &rp, &offset);
	CHECK(r == 0 || r == -ENOENT || r == -EINVAL || r == -EOPNOTSUPP);
	r = symbol_file_find(f, "nothing", &rp, &offset);
	CHECK(r == 0 || r == -ENOENT || r == -EINVAL || r == -EOPNOTSUPP);
	r = symbol_file_glob(f, "*", &rp, &syms, &n);
	CHECK(r == 0 || r == -ENOENT);
	if (r == 0) {
		for (uint32_t i = 0; i < n; i++)
			CHECK(syms[i].offset < im->len);
		symbols_free(syms, n);
	}
	return true;
}

/* Where flips matter most: all that is structure, and not code or debug information. */
static void fuzz(struct image *im, unsigned seed, unsigned rounds)
{
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)im->data;
	unsigned opened = 0, refused = 0;
	struct {
		size_t off, len;
	} areas[64];
	size_t n_areas = 0;

	areas[n_areas].off = 0;
	areas[n_areas++].len = sizeof(*ehdr) + ehdr->e_phnum * sizeof(Elf64_Phdr);
	if (ehdr->e_shoff) {
		Elf64_Shdr *sh = (Elf64_Shdr *)(im->data + ehdr->e_shoff);

		areas[n_areas].off = ehdr->e_shoff;
		areas[n_areas++].len = ehdr->e_shnum * sizeof(*sh);
		for (int i = 1; i < ehdr->e_shnum && n_areas < ARRAY_SIZE(areas); i++) {
			if (sh[i].sh_type == SHT_PROGBITS || sh[i].sh_type == SHT_NOBITS ||
			    !sh[i].sh_size)
				continue;
			areas[n_areas].off = sh[i].sh_offset;
			areas[n_areas++].len = sh[i].sh_size;
		}
	} else {
		areas[n_areas].off = 0;
		areas[n_areas++].len = im->len;
	}
	srand(seed);
	for (unsigned i = 0; i < rounds; i++) {
		unsigned char saved[8];
		size_t at[8];
		int n = 1 + rand() % 8;

		for (int k = 0; k < n; k++) {
			size_t a = rand() % n_areas;

			at[k] = areas[a].off + rand() % areas[a].len;
			saved[k] = im->data[at[k]];
			im->data[at[k]] = rand() % 3   ? im->data[at[k]] ^ (1 << rand() % 8)
					  : rand() % 2 ? 0xff
						       : rand();
		}
		image_store(im, im->len);
		if (try_image(im))
			opened++;
		else
			refused++;
		while (n--)
			im->data[at[n]] = saved[n];
	}
	/* Both must have happened, or the test tests nothing. */
	CHECK(opened > rounds / 20);
	CHECK(refused > rounds / 20);
}

TEST(flipped_bits_do_no_harm)
{
	struct image im;

	make_dir();
	compile_versioned("lib.so", "");
	image_load("lib.so", &im);
	fuzz(&im, 1, 4000);
	image_deinit(&im);
}

TEST(flipped_bits_without_section_headers_do_no_harm)
{
	struct image im;

	make_dir();
	/* Little code: most bytes are the structures that the dynamic segment leads to. */
	compile_versioned("lib.so", "-nostdlib -Wl,-z,noseparate-code -Wl,--hash-style=gnu");
	drop_section_headers("lib.so");
	image_load("lib.so", &im);
	im.len = MIN(im.len, (size_t)0x4000);
	fuzz(&im, 2, 2000);
	image_deinit(&im);
}

TEST(truncated_files_do_no_harm)
{
	struct image im;

	make_dir();
	compile_versioned("lib.so", "-nostdlib");
	image_load("lib.so", &im);
	for (size_t len = 0; len < im.len; len += 1 + len / 200) {
		image_store(&im, len);
		/* The section headers are last: without all of them there is no file. */
		CHECK(!try_image(&im));
	}
	image_store(&im, im.len);
	CHECK(try_image(&im));
	image_deinit(&im);
}

/* Every version points back at itself: forward only, so that it ends. */
TEST(circular_version_tables_end)
{
	struct image im;
	Elf64_Ehdr *ehdr;
	Elf64_Shdr *sh;

	make_dir();
	compile_versioned("lib.so", "");
	image_load("lib.so", &im);
	ehdr = (Elf64_Ehdr *)im.data;
	sh = (Elf64_Shdr *)(im.data + ehdr->e_shoff);
	for (int i = 0; i < ehdr->e_shnum; i++) {
		if (sh[i].sh_type != SHT_GNU_verdef)
			continue;
		for (size_t k = 0; k + sizeof(Elf64_Verdef) <= sh[i].sh_size; k += 4) {
			Elf64_Verdef *vd = (Elf64_Verdef *)(im.data + sh[i].sh_offset + k);

			vd->vd_next = 0u - 28;
		}
	}
	image_store(&im, im.len);
	try_image(&im);
	image_deinit(&im);
}

/* A hundred thousand symbols that all share one string of a hundred thousand bytes. */
TEST(names_that_all_overlap_are_refused)
{
	enum { N = 100000 };
	size_t off_strings = sizeof(Elf64_Ehdr), off_symbols = align_up(off_strings + N + 2, 8);
	size_t off_sections = off_symbols + N * sizeof(Elf64_Sym);
	struct image im = { .len = off_sections + 4 * sizeof(Elf64_Shdr) };
	struct report rp = REPORT_INIT(NULL, NULL);
	struct symbol_file *f = NULL;
	Elf64_Ehdr *ehdr;
	Elf64_Sym *sym;
	Elf64_Shdr *sh;

	im.data = calloc(1, im.len);
	im.fd = memfd_create("image", MFD_CLOEXEC);
	ehdr = (Elf64_Ehdr *)im.data;
	sym = (Elf64_Sym *)(im.data + off_symbols);
	sh = (Elf64_Shdr *)(im.data + off_sections);
	memcpy(ehdr->e_ident, ELFMAG, SELFMAG);
	ehdr->e_ident[EI_CLASS] = ELFCLASS64;
	ehdr->e_ident[EI_DATA] =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	ehdr->e_type = ET_DYN;
	ehdr->e_shoff = off_sections;
	ehdr->e_shentsize = sizeof(*sh);
	ehdr->e_shnum = 4;
	memset(im.data + off_strings + 1, 'x', N);
	for (int i = 1; i < N; i++) {
		sym[i].st_name = i;
		sym[i].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
		sym[i].st_shndx = 3;
		sym[i].st_value = i;
	}
	sh[1] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB,
			      .sh_link = 2,
			      .sh_offset = off_symbols,
			      .sh_size = N * sizeof(*sym),
			      .sh_entsize = sizeof(*sym) };
	sh[2] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = off_strings, .sh_size = N + 2 };
	sh[3] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS, .sh_offset = 0, .sh_size = im.len };
	image_store(&im, im.len);
	CHECK_EQ(symbol_file_open(im.fd, "image", &rp, &f), -EBADMSG);
	CHECK_HAS(rp.text, "overlap");

	/* The same symbols with one short name: all of them are one name, and ambiguous. */
	for (int i = 1; i < N; i++)
		sym[i].st_name = N;
	image_store(&im, im.len);
	CHECK_EQ(symbol_file_open(im.fd, "image", &rp, &f), 0);
	uint64_t offset;
	CHECK_EQ(symbol_file_find(f, "x", &rp, &offset), -EINVAL);
	symbol_file_free(f);
	image_deinit(&im);
}

/* A file of the other byte order, made by turning every structure of one of ours. */
static void swap_bytes(void *p, size_t n)
{
	unsigned char *b = p;

	for (size_t i = 0; i < n / 2; i++) {
		unsigned char c = b[i];

		b[i] = b[n - 1 - i];
		b[n - 1 - i] = c;
	}
}
#define SWAP(field) swap_bytes(&(field), sizeof(field))

static void swap_sections(struct image *im, Elf64_Ehdr *ehdr)
{
	Elf64_Shdr *sh = (Elf64_Shdr *)(im->data + ehdr->e_shoff);

	for (int i = 0; i < ehdr->e_shnum; i++) {
		Elf64_Sym *sym = (Elf64_Sym *)(im->data + sh[i].sh_offset);
		size_t n = sh[i].sh_size / sizeof(*sym);

		for (size_t k = 0; sh[i].sh_type == SHT_SYMTAB && k < n; k++) {
			SWAP(sym[k].st_name);
			SWAP(sym[k].st_shndx);
			SWAP(sym[k].st_value);
			SWAP(sym[k].st_size);
		}
		/* The dynamic symbols' versions would have to be turned as well. */
		if (sh[i].sh_type == SHT_DYNSYM)
			sh[i].sh_type = SHT_NULL;
		SWAP(sh[i].sh_type);
		SWAP(sh[i].sh_link);
		SWAP(sh[i].sh_addr);
		SWAP(sh[i].sh_offset);
		SWAP(sh[i].sh_size);
	}
}

TEST(reads_the_other_byte_order)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct symbol_file *f = NULL;
	Elf64_Ehdr *ehdr;
	Elf64_Phdr *ph;
	struct image im;
	uint64_t offset;

	make_dir();
	compile("prog", "", program);
	image_load("prog", &im);
	ehdr = (Elf64_Ehdr *)im.data;
	swap_sections(&im, ehdr);
	ph = (Elf64_Phdr *)(im.data + ehdr->e_phoff);
	for (int i = 0; i < ehdr->e_phnum; i++) {
		SWAP(ph[i].p_type);
		SWAP(ph[i].p_offset);
		SWAP(ph[i].p_vaddr);
		SWAP(ph[i].p_filesz);
	}
	SWAP(ehdr->e_type);
	SWAP(ehdr->e_phoff);
	SWAP(ehdr->e_shoff);
	SWAP(ehdr->e_phentsize);
	SWAP(ehdr->e_phnum);
	SWAP(ehdr->e_shentsize);
	SWAP(ehdr->e_shnum);
	ehdr->e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	image_store(&im, im.len);
	if (symbol_file_open(im.fd, "image", &rp, &f) < 0)
		FAIL("%s", rp.text);
	CHECK_EQ(symbol_file_find(f, "shown", &rp, &offset), 0);
	CHECK(has_mark("prog", offset, 2));
	symbol_file_free(f);
	image_deinit(&im);
}

TEST(resolves_bare_names)
{
	_cleanup_free_ char *sh = NULL, *libc = NULL, *none = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);

	CHECK_EQ(binary_resolve(-1, "sh", &rp, &sh), 0);
	CHECK(sh[0] == '/' && !strcmp(strrchr(sh, '/'), "/sh"));
	if (binary_resolve(-1, "libc.so.6", &rp, &libc) < 0)
		SKIP("no libc.so.6: %s", rp.text);
	CHECK_STR(strrchr(libc, '/'), "/libc.so.6");
	CHECK_EQ(binary_resolve(-1, "no-such-program-anywhere", &rp, &none), -ENOENT);
	CHECK_HAS(rp.text, "no program 'no-such-program-anywhere' in PATH and /usr/bin");
	CHECK_EQ(binary_resolve(-1, "libnothing.so.9", &rp, &none), -ENOENT);
	CHECK_HAS(rp.text, "no library 'libnothing.so.9'");
	CHECK_EQ(binary_resolve(-1, "a/b", &rp, &none), -EINVAL);
}

TEST(resolves_by_the_environment_first)
{
	_cleanup_free_ char *path = NULL;
	char want[64];

	make_dir();
	CHECK(run("cp /bin/true sh && cp /bin/true noexec && chmod 644 noexec && cp sh libx.so.1"));
	setenv("PATH", dir, 1);
	setenv("LD_LIBRARY_PATH", dir, 1);
	CHECK_EQ(binary_resolve(-1, "sh", NULL, &path), 0);
	snprintf(want, sizeof(want), "%s/sh", dir);
	CHECK_STR(path, want);
	free(take_ptr(path));
	CHECK_EQ(binary_resolve(-1, "libx.so.1", NULL, &path), 0);
	free(take_ptr(path));
	CHECK_EQ(binary_resolve(-1, "noexec", NULL, &path), -ENOENT);
}

TEST(resolves_under_another_root)
{
	_cleanup_close_ int root = -1;
	_cleanup_free_ char *path = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);

	make_dir();
	/* A link that leads out by its text must stay inside. */
	CHECK(run("mkdir -p usr/bin opt && cp /bin/true opt/tool && ln -s /opt/tool usr/bin/tool"));
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQ(binary_resolve(root, "tool", &rp, &path), 0);
	CHECK_STR(path, "/usr/bin/tool");
	free(take_ptr(path));
	CHECK_EQ(binary_resolve(root, "sh", &rp, &path), -ENOENT);
}

TEST(real_libraries_are_read)
{
	_cleanup_(symbol_file_freep) struct symbol_file *f = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	uint64_t offset;

	if (binary_resolve(-1, "libc.so.6", &rp, &path) < 0)
		SKIP("no libc");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_EQ(symbol_file_open(fd, path, &rp, &f), 0);
	CHECK_EQ(symbol_file_find(f, "malloc", &rp, &offset), 0);
	CHECK(offset > 0);
	CHECK_EQ(symbol_file_find(f, "mallocc", &rp, &offset), -ENOENT);
	CHECK_HAS(rp.text, "close: malloc");
}
