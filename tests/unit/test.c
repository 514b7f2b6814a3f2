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

/* Other suites have none. */
#pragma weak test_before
#pragma weak test_left

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

unsigned test_slowness(void)
{
	const char *text = getenv("BPFUSE_TEST_SLOW");
	int n = text ? atoi(text) : 1;

	return n > 0 ? n : 1;
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

	alarm(TIMEOUT_S * test_slowness());
	test->fn();
	after = count_fds();
	if (after != before)
		FAIL("%d descriptors left open", after - before);
	/* exit, not _exit: the leak checker of a sanitizer build runs at exit. */
	exit(0);
}

enum verdict { PASSED, FAILED, SKIPPED };

/* What the end of the child says; a child that called FAIL or SKIP has printed its line. */
static enum verdict judge(int status)
{
	if (WIFSIGNALED(status)) {
		printf("FAIL %s: killed by signal %d (%s)\n", current, WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
		return FAILED;
	}
	switch (WEXITSTATUS(status)) {
	case 0:
		return PASSED;
	case 1:
		return FAILED;
	case EXIT_SKIP:
		return SKIPPED;
	}
	printf("FAIL %s: exit status %d\n", current, WEXITSTATUS(status));
	return FAILED;
}

/* Also a test that failed or was skipped must clean up. */
static enum verdict judge_left(enum verdict verdict)
{
	char left[512];

	if (!test_left || !test_left(left, sizeof(left)))
		return verdict;
	printf(verdict == PASSED ? "FAIL %s: it left in the kernel: %s\n"
				 : "%s also left in the kernel: %s\n",
	       current, left);
	return verdict == PASSED ? FAILED : verdict;
}

int main(int argc, char **argv)
{
	unsigned n[] = { 0, 0, 0 };

	for (const struct test *const *t = __start_unit_tests; t < __stop_unit_tests; t++) {
		enum verdict verdict;
		int status;
		pid_t pid;

		if (argc > 1 && !glob_match(argv[1], (*t)->name))
			continue;
		current = (*t)->name;
		if (test_before)
			test_before();
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			run_in_child(*t);
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			perror("fork");
			return 1;
		}
		verdict = judge_left(judge(status));
		if (verdict == PASSED)
			printf("ok %s\n", current);
		n[verdict]++;
	}
	printf("%u passed, %u failed, %u skipped\n", n[PASSED], n[FAILED], n[SKIPPED]);
	return n[FAILED] ? 1 : 0;
}
