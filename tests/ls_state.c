/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ls_state - what BPF is in the kernel, a line a thing; what of it is new.
 *
 *	ls_state [-p PID]				programs, maps, links, dynamic events;
 *descriptors of PID ls_state [-p PID] [-w MS] -b BUILD BEFORE	what is not in the file BEFORE and
 *does not go in MS, without what processes hold that are no programs under BUILD; status 1 if there
 *is any
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kernel/state.h"

static int fail(const char *what, int r)
{
	fprintf(stderr, "ls_state: %s: %s\n", what, strerror(-r));
	return 2;
}

static int print_left(const char *file, pid_t pid, unsigned wait_ms, const char *build)
{
	struct state before, left;
	FILE *f = fopen(file, "re");
	int r;

	if (!f)
		return fail(file, -errno);
	r = state_load(f, &before);
	fclose(f);
	if (r == 0)
		r = state_left(&before, pid, wait_ms, build, &left);
	if (r < 0)
		return fail("the kernel's objects", r);
	state_save(&left, stdout);
	r = left.lines.len ? 1 : 0;
	state_deinit(&left);
	state_deinit(&before);
	return r;
}

int main(int argc, char **argv)
{
	char *build = NULL;
	struct state now;
	unsigned wait_ms = 5000;
	pid_t pid = 0;
	int r, option;

	while ((option = getopt(argc, argv, "p:w:b:")) != -1) {
		if (option == 'p')
			pid = atoi(optarg);
		else if (option == 'w')
			wait_ms = atoi(optarg);
		else if (option == 'b')
			build = realpath(optarg, NULL);
		else
			return 2;
	}
	if (build && optind + 1 == argc) {
		r = print_left(argv[optind], pid, wait_ms, build);
		free(build);
		return r;
	}
	free(build);
	if (optind != argc) {
		fprintf(stderr, "usage: ls_state [-p PID] [[-w MS] -b BUILD BEFORE]\n");
		return 2;
	}
	r = state_read(pid, &now);
	if (r < 0)
		return fail("the kernel's objects", r);
	state_save(&now, stdout);
	state_deinit(&now);
	return 0;
}
