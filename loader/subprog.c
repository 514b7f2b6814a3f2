/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/subprog.h"

#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"

/* The kernel's limit for a privileged program. */
enum { INSNS_MAX = 1000000 };

static bool refers_to_function(const struct reloc *reloc)
{
	return reloc->kind == RELOC_CALL || reloc->kind == RELOC_FUNC;
}

int layout_init(struct layout *l, const struct object *obj, uint32_t prog, struct report *rp)
{
	VEC(struct piece) pieces = {};
	int r;

	*l = (struct layout){};
	/* Mostly zero pages that nobody touches, however many functions there are. */
	l->position = calloc(obj->n_functions, sizeof(*l->position));
	r = l->position ? vec_push(&pieces, ((struct piece){ obj->programs[prog].function, 0 }))
			: -ENOMEM;
	if (!r)
		l->position[obj->programs[prog].function] = 1;
	/* The list grows while it is walked, so callees of callees are found without recursion. */
	for (uint32_t i = 0; !r && i < pieces.len; i++) {
		const struct function *fn = &obj->functions[pieces.data[i].function];

		pieces.data[i].at = l->n_insns;
		if (fn->n_insns > INSNS_MAX - l->n_insns) {
			r = report(rp, -E2BIG,
				   "program '%s' has over %d instructions with its subprograms",
				   obj->programs[prog].name, INSNS_MAX);
			break;
		}
		l->n_insns += fn->n_insns;
		for (uint32_t j = 0; !r && j < fn->n_relocs; j++) {
			uint32_t callee = fn->relocs[j].index;

			if (!refers_to_function(&fn->relocs[j]) || l->position[callee])
				continue;
			r = vec_push(&pieces, ((struct piece){ .function = callee }));
			l->position[callee] = pieces.len;
		}
	}
	l->pieces = pieces.data;
	l->n_pieces = pieces.len;
	return r;
}

void layout_deinit(struct layout *l)
{
	free(l->pieces);
	free(l->position);
}
