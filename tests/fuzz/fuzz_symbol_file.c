/* SPDX-License-Identifier: BSD-2-Clause */
/* Binaries that uprobes hang on: any ELF file, asked for its functions. */
#include <errno.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "loader/symbol_file.h"
#include "tests/fuzz/fuzz.h"

static void find(const struct symbol_file *f, const char *name, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	uint64_t offset;
	int r = symbol_file_find(f, name, &rp, &offset);

	require_sentence(r, &rp);
	REQUIRE(r == 0 || r == -ENOENT || r == -EINVAL || r == -EOPNOTSUPP || r == -ENOMEM);
	if (r == 0)
		REQUIRE(offset < size);
}

static void glob(const struct symbol_file *f, const char *pattern, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct symbol *syms = NULL;
	uint32_t n = 0;
	int r = symbol_file_glob(f, pattern, &rp, &syms, &n);

	require_sentence(r, &rp);
	REQUIRE(r < 0 || n);
	for (uint32_t i = 0; i < n; i++) {
		REQUIRE(syms[i].offset < size);
		REQUIRE(!i || syms[i - 1].offset < syms[i].offset);
		if (i < 8)
			find(f, syms[i].name, size);
	}
	symbols_free(syms, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(symbol_file_freep) struct symbol_file *f = NULL;
	_cleanup_close_ int fd = memfd_create("fuzzed", MFD_CLOEXEC);
	int r;

	REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	r = symbol_file_open(fd, "fuzzed", &rp, &f);
	require_sentence(r, &rp);
	if (r < 0)
		return 0;
	glob(f, "*", size);
	glob(f, "*a?l*", size);
	find(f, "malloc", size);
	find(f, "memcpy@@GLIBC_2.14", size);
	find(f, "memcpy@V1", size);
	find(f, "", size);
	return 0;
}
