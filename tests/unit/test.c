/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

enum { EXIT_SKIP = 77, TIMEOUT_S = 60 };

extern const struct test *const __start_unit_tests[], *const __stop_unit_tests[];

static const char *current;

/*
 * Of a sanitizer build: its end must not look like that of a failed CHECK, which
 * has said why, and "out of memory" is a result that tests ask for.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "exitcode=99:allocator_may_return_null=1";
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("FAIL %s: %s:%d: ", current, file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	printf("skip %s: ", current);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(EXIT_SKIP);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static void run_in_child(const struct test *test)
{
	int before = count_fds(), after;

	alarm(TIMEOUT_S);
	test->fn();
	after = count_fds();
	if (after != before)
		FAIL("%d descriptors left open", after - before);
	printf("ok %s\n", test->name);
	fflush(stdout);
	/* exit, not _exit: the leak checker of a sanitizer build runs at exit. */
	exit(0);
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0, skipped = 0;

	for (const struct test *const *t = __start_unit_tests; t < __stop_unit_tests; t++) {
		int status;
		pid_t pid;

		if (argc > 1 && !glob_match(argv[1], (*t)->name))
			continue;
		current = (*t)->name;
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			run_in_child(*t);
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			perror("fork");
			return 1;
		}
		if (WIFSIGNALED(status))
			printf("FAIL %s: killed by signal %d (%s)\n", current, WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
		if (WIFEXITED(status) && WEXITSTATUS(status) > 1 && WEXITSTATUS(status) != EXIT_SKIP)
			printf("FAIL %s: exit status %d\n", current, WEXITSTATUS(status));
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			passed++;
		else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
			skipped++;
		else
			failed++;
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? 1 : 0;
}
