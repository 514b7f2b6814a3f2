/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * parse - the steps of object_parse(), and what they share while it runs.
 *
 * Each step reads the image and adds to the object. They run in this order:
 *
 *	parse_datasecs	BTF's variables get their places
 *	parse_map_defs	.maps
 *	parse_data_maps	.data, .rodata, .bss and their variables
 *	parse_functions	code, cut at function symbols
 *	parse_relocs	what code and static map contents refer to
 *
 * All return 0, or -errno with a sentence.
 */
#include <stdint.h>

#include "base/report.h"
#include "loader/image.h"
#include "loader/object.h"

enum { NAME_LEN_MAX = 511 };

/* Where a map of .maps stands: relocations name maps by that. */
struct map_place {
	uint64_t offset, size; /* of its variable in .maps */
	uint64_t values;       /* offset in the variable of its static contents; its end: none */
};

struct parse {
	const struct image *img;
	struct object *obj;
	struct report *rp;

	/* For each ELF section: index of its data map, or OBJECT_NO_INDEX. */
	uint32_t *data_maps;
	/* For each map of .maps, which are the first of obj->maps, by offset. */
	struct map_place *places;
	uint32_t n_places;
	uint32_t maps_section; /* 0: no .maps */
	uint32_t text_section; /* 0: no .text */
	/* For each of obj->functions, which are sorted by section and offset: its ELF section. */
	uint32_t *function_sections;
	/* For each symbol: 1 + index of its extern, 0 if it has none yet. NULL before the first. */
	uint32_t *symbol_externs;
};

int parse_datasecs(struct parse *p);
int parse_map_defs(struct parse *p);
int parse_data_maps(struct parse *p);
int parse_functions(struct parse *p);
int parse_relocs(struct parse *p);

/* Index in obj->functions of the one that starts at @insn of ELF section @section, or
 * OBJECT_NO_INDEX. */
uint32_t parse_find_function(const struct parse *p, uint32_t section, uint64_t insn);
/* A copy of the name of ELF section @index that the object keeps; NULL when out of memory. */
const char *parse_section_name(struct parse *p, uint32_t index);

/* Gives back what a map definition owns. */
void map_def_deinit(struct map_def *def);
