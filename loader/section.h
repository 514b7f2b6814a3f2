/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * section - what the name of an ELF section means.
 *
 * Two tables. The rules for SEC("…") of programs: one row knows the program type,
 * the expected attach type, the flags and the attach kind. The kinds of data
 * sections, which become maps. To teach the loader a new SEC(): one row.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attach_kind;

enum section_match {
	SECTION_EXACT,	/* SEC("syscall") */
	SECTION_PREFIX, /* SEC("abc/…") */
	SECTION_BOTH,	/* SEC("kprobe") and SEC("kprobe/…") */
};

enum section_flags {
	SECTION_SLEEPABLE = 1 << 0,   /* load with BPF_F_SLEEPABLE */
	SECTION_ATTACH_BTF = 1 << 1,  /* needs the BTF id of what it attaches to, to load */
	SECTION_TYPE_OPTIONAL = 1 << 2, /* old kernels: load without the expected attach type */
	SECTION_XDP_FRAGS = 1 << 3,   /* load with BPF_F_XDP_HAS_FRAGS */
	SECTION_USDT = 1 << 4,
	SECTION_AUTO = 1 << 5, /* "auto" attaches it, when the name says to what */
};

struct section_rule {
	const char *name;
	enum section_match match;
	uint32_t prog_type, attach_type;
	unsigned flags;
	/* How a program of this section is attached; NULL: no attachment by name. */
	const struct attach_kind *kind;
};

/* All rules in the order in which they are tried, ended by a row with name NULL. */
extern const struct section_rule section_rules[];

/**
 * section_find() - the rule for a SEC() string without its '?'
 * @ret_extra: what follows "NAME/", NULL if nothing does; points into @sec
 *
 * Return: NULL if no rule matches.
 */
const struct section_rule *section_find(const char *sec, const char **ret_extra);

enum data_kind {
	DATA_NONE, /* not a data section that the loader knows */
	DATA_DATA,
	DATA_RODATA,
	DATA_BSS,
	DATA_KCONFIG,
	DATA_KSYMS,
	DATA_STRUCT_OPS,
	DATA_STRUCT_OPS_LINK,
	DATA_ARENA,
};

/* section_data_kind() - ".rodata.str1.1" is DATA_RODATA, ".data.hot" DATA_DATA, … */
enum data_kind section_data_kind(const char *name);
