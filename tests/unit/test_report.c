/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/report.h"

#include <stdio.h>

#include "base/str.h"
#include "tests/unit/test.h"

/* A sink that writes down what it gets: "LEVEL text;". */
static void collect(void *arg, enum report_level level, const char *text, size_t len)
{
	static const char *const names[] = { "error", "warn", "info", "debug", "log" };
	struct str *s = arg;

	str_printf(s, "%s ", names[level]);
	str_add_mem(s, text, len);
	str_add_char(s, ';');
}

TEST(returns_the_error_it_was_given)
{
	struct report rp = REPORT_INIT(NULL, NULL);

	CHECK_EQ(report(&rp, -EINVAL, "map '%s' is no ring buffer", "events"), -EINVAL);
	CHECK_EQ(rp.err, -EINVAL);
	CHECK_STR(rp.text, "map 'events' is no ring buffer");
	CHECK_EQ(report(NULL, -ENOENT, "nobody listens to %d", 1), -ENOENT);
}

TEST(the_last_sentence_stays_and_all_reach_the_sink)
{
	_cleanup_str_ struct str s = {};
	struct report rp = REPORT_INIT(collect, &s);

	report(&rp, -ENOENT, "first");
	report(&rp, -EACCES, "second");
	CHECK_EQ(rp.err, -EACCES);
	CHECK_STR(rp.text, "second");
	CHECK_STR(str_text(&s), "error first;error second;");
}

TEST(one_sentence_is_one_line)
{
	struct report rp = REPORT_INIT(NULL, NULL);

	report(&rp, -EINVAL, "section '%s'", "a\nb\x1b[2J\x7f\tc");
	CHECK_STR(rp.text, "section 'a?b?[2J??c'");
}

TEST(long_sentences_are_cut)
{
	_cleanup_str_ struct str s = {};
	struct report rp = REPORT_INIT(collect, &s);
	char name[2 * REPORT_TEXT_MAX];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK_EQ(report(&rp, -E2BIG, "%s", name), -E2BIG);
	CHECK_EQ(strlen(rp.text), REPORT_TEXT_MAX - 1);
	report_note(&rp, REPORT_INFO, "%s", name);
	CHECK(s.len < 3 * REPORT_TEXT_MAX);
}

TEST(notes_and_logs_are_no_failures)
{
	_cleanup_str_ struct str s = {};
	struct report rp = REPORT_INIT(collect, &s);

	report_note(&rp, REPORT_WARN, "dropped %d", 2);
	report_log(&rp, "two\nlines\n", 10);
	report_log(&rp, "", 0);
	CHECK_EQ(rp.err, 0);
	CHECK_STR(rp.text, "");
	CHECK_STR(str_text(&s), "warn dropped 2;log two\nlines\n;");
	report_note(NULL, REPORT_WARN, "nobody");
	report_log(NULL, "nobody", 6);
}

/* A note is a line, too, whatever names are in it. */
TEST(a_note_is_one_line)
{
	_cleanup_str_ struct str s = {};
	struct report rp = REPORT_INIT(collect, &s);

	report_note(&rp, REPORT_INFO, "section '%s' is skipped", "a\nb");
	CHECK_STR(str_text(&s), "info section 'a?b' is skipped;");
}

TEST(clearing_forgets_where_it_happened)
{
	struct report rp = REPORT_INIT(NULL, NULL);

	report(&rp, -EACCES, "no");
	rp.insn = 7;
	snprintf(rp.prog, sizeof(rp.prog), "handle_exec");
	snprintf(rp.source, sizeof(rp.source), "*value = 1;");
	report_clear(&rp);
	CHECK_EQ(rp.err, 0);
	CHECK_EQ(rp.insn, -1);
	CHECK_STR(rp.text, "");
	CHECK_STR(rp.prog, "");
	CHECK_STR(rp.source, "");
	report_clear(NULL);
}

TEST(errors_have_names)
{
	CHECK_STR(errno_name(ENOENT), "ENOENT");
	CHECK_STR(errno_name(-ENOENT), "ENOENT");
	CHECK_STR(errno_name(-EOPNOTSUPP), errno_name(EOPNOTSUPP));
	CHECK_STR(errno_name(524), "E524");
	CHECK_STR(errno_name(-4001), "E4001");
}
