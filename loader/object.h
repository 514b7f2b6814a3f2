/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * object - a BPF ELF file as programs, maps and relocations: what it says, not
 * yet what the kernel will be told.
 *
 * object_parse() copies what it needs; the image can go. The result is immutable
 * and knows things by index: a relocation names map 3 or function 7, never a
 * pointer, a symbol or a descriptor. What a user may still change (sizes, types,
 * which programs to load) is in struct load_config, made from it.
 *
 * object.c drives; datasec.c gives BTF its variables' places, map_def.c reads
 * .maps, data_map.c data sections, program.c splits code sections into functions
 * and turns ELF relocations into ours. Names are at most 511 bytes long, as the
 * kernel's are.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "bpf/abi.h"
#include "loader/section.h"

struct btf;
struct btf_ext;
struct ext_section;

enum { OBJECT_NO_INDEX = UINT32_MAX };

/* What a map will be, as far as the object or a user says. */
struct map_params {
	uint32_t type, key_size, value_size, max_entries, flags, numa_node, ifindex;
	uint64_t extra;
};

struct map_def {
	char *name;	     /* as found by people: "events", ".bss", ".data.hot" */
	char *kernel_name;   /* "events", "execsnoo.bss"; at most 15 characters */
	enum data_kind data; /* DATA_NONE for a map of .maps */
	struct map_params params;
	uint32_t key_type, value_type; /* ids in the object's BTF, 0 if not told */
	/*
	 * Ring buffers and perf arrays take no value: what .maps says of it is kept
	 * here, for whoever prints records. 0 if nothing is said.
	 */
	uint32_t record_type;
	bool pin_by_name;
	/* Data sections: the initial bytes, value_size of them; NULL: zeros. */
	uint8_t *image;
	uint32_t datasec; /* BTF id of the DATASEC, 0 if there is none */
	bool mmapable;	  /* has a variable that user space may see */
	/* Map of maps: what the inner ones look like; NULL otherwise. Owned. */
	struct map_def *inner;
	/* Static contents: slot i holds map (or, in a prog array, program) .index; -1 for none. */
	struct map_slot {
		uint32_t slot, index;
	} * slots;
	uint32_t n_slots;
};

enum reloc_kind {
	RELOC_MAP,    /* ldimm64 gets the map's descriptor */
	RELOC_DATA,   /* ldimm64 gets map value + offset */
	RELOC_CALL,   /* call of function .index */
	RELOC_FUNC,   /* ldimm64 gets the address of function .index */
	RELOC_EXTERN, /* wants obj->externs[.index], which is not in the object */
};

struct reloc {
	enum reloc_kind kind;
	uint32_t insn;	 /* in its function */
	uint32_t index;	 /* of a map, of a function, or of an extern */
	uint32_t offset; /* RELOC_DATA: in the map's value, the instruction's addend included */
};

/* A program or a subprogram as it stands in the file. */
struct function {
	char *name;
	const char *section; /* ELF section, '?' included; borrowed from the object */
	uint32_t first;	     /* its first instruction in that section */
	uint32_t n_insns;
	struct bpf_insn *insns; /* as in the file */
	bool is_program;	/* else a subprogram of .text */
	bool is_global;		/* verified on its own by the kernel */
	struct reloc *relocs;	/* by instruction */
	uint32_t n_relocs;
	/* What .BTF.ext says of the section; NULL if nothing. Borrowed from the object. */
	const struct ext_section *ext;
};

struct program {
	uint32_t function; /* index into functions */
	const char *name;  /* of that function */
	/* "kprobe/do_unlinkat" without '?', and what the tables know of it */
	const char *section;
	const struct section_rule *rule; /* NULL: no rule, a type must be set before loading */
	const char *extra;		 /* "do_unlinkat", or NULL */
	bool autoload;			 /* false for SEC("?…") */
};

/* A global variable. */
struct variable {
	char *name;
	uint32_t map, offset, size, type; /* index of its map; BTF id of its type */
	bool is_static;
};

/* What code refers to and neither a function nor a map of the object holds. */
struct extern_ref {
	char *name;	     /* symbol, or the section's name if it has none */
	const char *section; /* section that the loader leaves alone; NULL: an extern symbol */
	bool is_weak;
};

struct object {
	char *name;	  /* at most 15 characters */
	char license[64]; /* "" if there is none */
	uint32_t kern_version;
	bool foreign;		 /* of the other byte order: to be looked at, not loaded */
	struct btf *btf;	 /* NULL if there is none; DATASECs fixed up */
	struct btf_ext *btf_ext; /* NULL if there is none, or a bad one */
	struct function *functions;
	struct program *programs;
	struct map_def *maps;
	struct variable *vars;
	struct extern_ref *externs;
	char **sections; /* names of ELF sections, for those who borrow them */
	uint32_t n_functions, n_programs, n_maps, n_vars, n_externs, n_sections;
};

/**
 * object_parse() - read an object
 * @name: NULL, or the object's name (cut to 15 characters; it names data maps)
 *
 * Return: 0; -ENOEXEC no BPF object; -EBADMSG malformed (the sentence names
 * section, offset, symbol or map); -EOPNOTSUPP something valid that this loader
 * does not do (the sentence says what); -ENOMEM.
 */
int object_parse(const void *data, size_t len, const char *name, struct report *rp,
		 struct object **ret);
void object_free(struct object *obj);
DEFINE_CLEANUP(struct object, object_free)

/* Index, or OBJECT_NO_INDEX. '.bss' finds the data map as does its kernel name. */
uint32_t object_find_map(const struct object *obj, const char *name);
uint32_t object_find_program(const struct object *obj, const char *name);
