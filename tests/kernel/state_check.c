/* SPDX-License-Identifier: BSD-2-Clause */
/* Each test of a kernel suite ends with the programs, maps, links and events that it began with. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/kernel/state.h"
#include "tests/unit/test.h"

enum { WAIT_MS = 5000 };

static struct state before;

void test_before(void)
{
	state_deinit(&before);
	/* Without the right to look there is nothing to find: then tests skip anyway. */
	if (state_read(0, &before) < 0)
		before = (struct state){};
}

bool test_left(char *ret, size_t size)
{
	char build[PATH_MAX] = "";
	struct state left;
	struct str text = {};

	if (geteuid() || readlink("/proc/self/exe", build, sizeof(build) - 1) < 0)
		return false;
	/* BUILD/tests/kernel_x */
	for (int i = 0; i < 2 && strrchr(build, '/'); i++)
		*strrchr(build, '/') = '\0';
	if (state_left(&before, 0, WAIT_MS * test_slowness(), build, &left) < 0)
		return false;
	vec_for_each (line, &left.lines)
		str_printf(&text, "%s%s", text.len ? ", " : "", *line);
	snprintf(ret, size, "%s", str_text(&text));
	state_deinit(&left);
	str_deinit(&text);
	return *ret;
}
