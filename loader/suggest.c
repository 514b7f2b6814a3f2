/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/suggest.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/str.h"

/* Short names have many neighbours that have nothing to do with them. */
static unsigned distance_max(const char *want)
{
	size_t len = strlen(want);

	return len < 3 ? 1 : len < 8 ? 2 : 3;
}

void suggest_add(struct suggest *s, const char *name)
{
	unsigned max = distance_max(s->want), distance, score, at;

	if (s->n_tried >= SUGGEST_BUDGET)
		return;
	s->n_tried++;
	if (!*name || !*s->want)
		return;
	/* Who is not as close as the last of a full list need not be measured. */
	if (s->n == SUGGEST_NAMES)
		max = MIN(max, s->best[s->n - 1].score / 2);
	distance = edit_distance(s->want, name, max);
	if (distance > max)
		return;
	/* Who mistypes a name has mostly got its first letter right. */
	score = distance * 2 + (*name != *s->want);
	for (at = 0; at < s->n; at++)
		if (!strcmp(s->best[at].name, name))
			return;
	for (at = 0; at < s->n && s->best[at].score <= score; at++)
		;
	if (at == SUGGEST_NAMES)
		return;
	if (s->n < SUGGEST_NAMES)
		s->n++;
	memmove(&s->best[at + 1], &s->best[at], (s->n - at - 1) * sizeof(s->best[0]));
	s->best[at].score = score;
	/* edit_distance() finds nothing close to a name that would not fit here. */
	snprintf(s->best[at].name, sizeof(s->best[at].name), "%s", name);
}

const char *suggest_text(struct suggest *s)
{
	size_t len = 0;

	s->text[0] = '\0';
	for (uint32_t i = 0; i < s->n; i++)
		len += snprintf(s->text + len, sizeof(s->text) - len, "%s%s",
				i ? ", " : "; close: ", s->best[i].name);
	return s->text;
}
