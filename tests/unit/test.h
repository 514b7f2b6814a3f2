/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * test - a unit test is a function that registers itself.
 *
 *	TEST(refuses_truncated_header)
 *	{
 *		…
 *		CHECK_EQ(r, -EBADMSG);
 *		CHECK_STR(rp.text, "…");
 *	}
 *
 * Each test file links with tests/unit/test.c, which has main(): it runs every
 * test in a child process (a crash fails one test, a test that takes over 60 s
 * is killed), prints "ok NAME", "FAIL NAME: …" or "skip NAME: …" a line, and
 * ends with "N passed, N failed, N skipped". `./test_x PATTERN` runs those that match a glob.
 *
 * A failed CHECK ends the test. The descriptors that a test leaves open fail it. So do, in kernel
 * suites, programs, maps, links and events that are in the kernel after it and were not before
 * (tests/kernel/state_check.c).
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void test_fn(void);

struct test {
	const char *name, *file;
	test_fn *fn;
};

/* By how much this machine is slower than most (BPFUSE_TEST_SLOW); for time limits. */
unsigned test_slowness(void);

/*
 * Of suites with the real kernel: called before each test, and after it; the latter says in
 * @ret (@size bytes) what the test left behind, if anything.
 */
void test_before(void);
bool test_left(char *ret, size_t size);

/* The linker collects these in a section of its own, so nothing is listed by hand. */
#define TEST(name_)                                                                                \
	static void test_##name_(void);                                                            \
	static const struct test desc_##name_ = { #name_, __FILE__, test_##name_ };                \
	static const struct test *const ptr_##name_                                                \
		__attribute__((used, section("unit_tests"), aligned(sizeof(void *)))) =            \
			&desc_##name_;                                                             \
	static void test_##name_(void)

/* These do not return. */
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) test_skip(__VA_ARGS__)
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			FAIL("%s is false", #cond);                                                \
	} while (0)
#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                       \
		long long a_ = (long long)(a), b_ = (long long)(b);                                \
		if (a_ != b_)                                                                      \
			FAIL("%s is %lld, not %s = %lld", #a, a_, #b, b_);                         \
	} while (0)
#define CHECK_STR(a, b)                                                                            \
	do {                                                                                       \
		const char *a_ = (a), *b_ = (b);                                                   \
		if (!a_ || strcmp(a_, b_))                                                         \
			FAIL("%s is \"%s\", not \"%s\"", #a, a_ ? a_ : "(null)", b_);               \
	} while (0)
/* Is @part in @text? For sentences, whose exact wording is nobody's business. */
#define CHECK_HAS(text, part)                                                                      \
	do {                                                                                       \
		const char *a_ = (text), *b_ = (part);                                             \
		if (!a_ || !strstr(a_, b_))                                                        \
			FAIL("\"%s\" does not say \"%s\"", a_ ? a_ : "(null)", b_);                 \
	} while (0)
