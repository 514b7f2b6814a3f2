/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* line_info - what BTF says of functions and source lines, shifted to where the pieces stand. */
#include "base/report.h"
#include "loader/relocate.h"
#include "loader/subprog.h"

/**
 * line_info_build() - fill in ret->funcs and ret->lines
 *
 * The kernel wants a function record for the start of each piece and a line
 * record there, or none at all. Nothing known of the program itself: both stay
 * empty. Functions but no line at the start of some piece: lines stay empty.
 *
 * Return: 0; -EBADMSG if the program has a function record but a subprogram of
 * it has none; -ENOMEM.
 */
int line_info_build(const struct object *obj, const struct layout *l, struct report *rp,
		    struct prog_code *ret);
