/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* subprog - which functions a program is made of, and where each of them stands. */
#include <stdint.h>

#include "base/report.h"
#include "loader/object.h"

struct piece {
	uint32_t function; /* index into obj->functions */
	uint32_t at;	   /* its first instruction in the program */
};

struct layout {
	struct piece *pieces; /* the program itself, then each subprogram that it reaches, once */
	uint32_t n_pieces;
	uint32_t n_insns;   /* of all of them */
	uint32_t *position; /* for each of obj->functions: 1 + index of its piece, 0: not reached */
};

/**
 * layout_init() - follow calls and function addresses from a program
 *
 * Return: 0; -E2BIG if it comes to more instructions than any kernel takes; -ENOMEM.
 */
int layout_init(struct layout *l, const struct object *obj, uint32_t prog, struct report *rp);
void layout_deinit(struct layout *l);
