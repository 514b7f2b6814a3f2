/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* symbol_priv - what symbol_read.c fills and symbol_file.c asks. */
#include <stdbool.h>
#include <stdint.h>

#include "base/report.h"

/* A function with code in the file. */
struct function {
	uint64_t offset;   /* in the file */
	uint32_t name;	   /* in the table's strings */
	uint32_t name_len; /* without a version behind '@' */
	uint32_t version;  /* in the table's strings; 0: none */
	uint32_t next;	   /* in the same slot: index + 1, 0 ends */
	bool is_weak, is_ifunc;
	bool is_default; /* of its version, or it has no version */
};

/* The functions of .dynsym or .symtab. */
struct function_table {
	char *strings; /* with one NUL more than in the file */
	uint64_t n_strings;
	struct function *functions;
	uint32_t n_functions;
	uint32_t *slots; /* by the name's hash: index + 1 of the first function, 0: none */
	uint32_t n_slots; /* a power of two, or 0 */
};

enum { TABLE_DYNSYM, TABLE_SYMTAB, N_TABLES };

struct symbol_file {
	char *path; /* for sentences */
	struct function_table tables[N_TABLES];
	bool is_stripped; /* no .symtab */
	uint32_t n_elsewhere; /* functions whose code is not in this file: it holds debug information */
};

/* symbol_read() - fill @f (zeroed, with path) from @fd. The caller frees it, also on failure. */
int symbol_read(int fd, struct report *rp, struct symbol_file *f);
