/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * symbol_file - functions of an ELF binary as the file offsets that uprobes want.
 *
 * Offsets are in the file, not addresses: a symbol's address goes through the
 * section that holds it, or through the program headers where there are no
 * sections. Any ELF of either class and byte order is read, with pread(2) into
 * checked buffers: it is never mapped, so a file that shrinks meanwhile is an
 * error and not a SIGBUS.
 *
 * Opening reads all function symbols once and indexes them; finding one does not
 * touch the file. Immutable afterwards, so threads may share it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"

struct symbol_file;

/**
 * symbol_file_open() - read the symbols of the binary behind @fd
 * @fd: stays the caller's, not needed afterwards
 *
 * Return: 0; -ENOEXEC no ELF executable or library; -EBADMSG malformed, or it
 * shrank; -EFBIG a symbol or string table beyond 512 MiB; -ENOMEM; what pread(2) said.
 */
int symbol_file_open(int fd, const char *path, struct report *rp, struct symbol_file **ret);
void symbol_file_free(struct symbol_file *f);
DEFINE_CLEANUP(struct symbol_file, symbol_file_free)

/**
 * symbol_file_find() - a function by name
 * @name: "malloc", "memcpy@GLIBC_2.14", "memcpy@@GLIBC_2.14"
 *
 * Looks in .dynsym, then .symtab. A weak symbol gives way to a strong one, an old
 * version to the default one. An IFUNC gives way to anything: what its symbol
 * stands at is the function that chooses, which runs once.
 *
 * Return: 0; -ENOENT with close names in the sentence (and that the binary is
 * stripped, if it is); -EINVAL if several functions have the name; -EOPNOTSUPP
 * if only an IFUNC has it.
 */
int symbol_file_find(const struct symbol_file *f, const char *name, struct report *rp,
		     uint64_t *ret_offset);

struct symbol {
	char *name;
	uint64_t offset; /* in the file */
};
/*
 * symbol_file_glob() - functions whose whole name, without version, matches '*' and '?'
 * .symtab first, .dynsym only if that gave nothing; one entry an offset, no IFUNCs.
 * Return: 0 and a malloc'ed array sorted by offset; -ENOENT if nothing matches.
 */
int symbol_file_glob(const struct symbol_file *f, const char *pattern, struct report *rp,
		     struct symbol **ret, uint32_t *ret_n);
void symbols_free(struct symbol *syms, uint32_t n);

/**
 * binary_resolve() - full path of "libc.so.6" or "bash"
 * @root_fd: directory that is '/' for this search (another mount namespace's), or -1 for ours
 * @ret: malloc'ed; under @root_fd, if that is given
 *
 * "x.so" and "x.so.N" are looked for in LD_LIBRARY_PATH and the library
 * directories, others in PATH and the usual directories of programs.
 *
 * Return: 0; -ENOENT with a sentence that says where it looked.
 */
int binary_resolve(int root_fd, const char *name, struct report *rp, char **ret);
