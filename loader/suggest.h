/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * suggest - "did you mean": the few names that are close to one that was not found.
 *
 *	struct suggest close = SUGGEST_INIT(name);
 *	while (…)
 *		suggest_add(&close, candidate);
 *	return report(rp, -ENOENT, "no symbol '%s'%s", name, suggest_text(&close));
 *
 * No allocation. Comparing stops after a million candidates, so that a hostile
 * file with very many names costs a second and not minutes.
 */
#include <stdint.h>

enum { SUGGEST_NAMES = 3, SUGGEST_NAME_MAX = 64, SUGGEST_BUDGET = 1000000 };

struct suggest {
	const char *want; /* the caller's, must outlive this */
	uint32_t n_tried;
	uint32_t n; /* entries of best, closest first */
	struct {
		unsigned score;
		char name[SUGGEST_NAME_MAX + 1];
	} best[SUGGEST_NAMES];
	char text[16 + SUGGEST_NAMES * (SUGGEST_NAME_MAX + 2)];
};

#define SUGGEST_INIT(want_) { .want = (want_) }

void suggest_add(struct suggest *s, const char *name);
/* "; close: malloc, calloc" or "" for the end of a sentence. Lives in @s. */
const char *suggest_text(struct suggest *s);
