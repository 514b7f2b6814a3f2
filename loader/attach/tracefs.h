/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* tracefs - the names of tracepoints, to say what was meant by one that does not exist. */
#include <stdbool.h>

typedef void tracefs_name_fn(void *arg, const char *name);

/*
 * tracefs_list_events() - call @fn for each event of @category; NULL: for each category
 * Return: 0; -ENOENT no such category or no tracefs.
 */
int tracefs_list_events(const char *category, tracefs_name_fn *fn, void *arg);

/* suggest_event() - a tracefs_name_fn for a struct suggest */
void suggest_event(void *arg, const char *name);
