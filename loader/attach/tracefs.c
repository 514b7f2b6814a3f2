/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/attach/tracefs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "loader/suggest.h"

static DIR *open_events(const char *category)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[512];
	DIR *dir = NULL;

	/* The name comes from a spec: it must not walk elsewhere. */
	if (category && (strchr(category, '/') || !strcmp(category, "..")))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(roots) && !dir; i++) {
		int n = snprintf(path, sizeof(path), "%s/events/%s", roots[i],
				 category ? category : "");

		if (n < (int)sizeof(path))
			dir = opendir(path);
	}
	return dir;
}

int tracefs_list_events(const char *category, tracefs_name_fn *fn, void *arg)
{
	DIR *dir = open_events(category);

	if (!dir)
		return -ENOENT;
	for (struct dirent *d = readdir(dir); d; d = readdir(dir))
		if (d->d_type == DT_DIR && d->d_name[0] != '.')
			fn(arg, d->d_name);
	closedir(dir);
	return 0;
}

void suggest_event(void *arg, const char *name)
{
	suggest_add(arg, name);
}
