/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/spec.h"

#include <stdlib.h>

#include "base/bits.h"
#include "loader/attach.h"
#include "loader/suggest.h"
#include "tests/unit/test.h"

/* A spec that must parse; the caller frees. */
static struct spec *parse(const char *line)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct spec *s = NULL;
	int r = spec_parse(line, &rp, &s);

	if (r < 0)
		FAIL("'%s' gave %s: %s", line, errno_name(r), rp.text);
	return s;
}

/* A spec that must be refused with @err and a sentence that says @part. */
static void refuse(const char *line, int err, const char *part)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct spec *s = NULL;
	int r = spec_parse(line, &rp, &s);

	if (r != err)
		FAIL("'%s' gave %s (%s), not %s", line, errno_name(r), rp.text, errno_name(err));
	CHECK(!s);
	CHECK_HAS(rp.text, part);
	CHECK(!strchr(rp.text, '\n'));
	CHECK(rp.text[strlen(rp.text) - 1] != '.');
}

static void check_target(const char *line, const char *section, const char *rule,
			 const char *target)
{
	_cleanup_(spec_freep) struct spec *s = parse(line);

	CHECK_STR(s->section, section);
	CHECK_STR(s->rule->name, rule);
	if (target)
		CHECK_STR(s->target, target);
	else
		CHECK(!s->target);
}

TEST(joins_kind_and_target_by_slash_or_blank)
{
	const char *full = "tracepoint/syscalls/sys_enter_execve";

	check_target(full, full, "tracepoint", "syscalls/sys_enter_execve");
	check_target("tracepoint syscalls/sys_enter_execve", full, "tracepoint",
		     "syscalls/sys_enter_execve");
	check_target(" \t tracepoint \t syscalls/sys_enter_execve \t ", full, "tracepoint",
		     "syscalls/sys_enter_execve");
	check_target("uprobe//usr/lib/libc.so.6:malloc", "uprobe//usr/lib/libc.so.6:malloc",
		     "uprobe", "/usr/lib/libc.so.6:malloc");
	check_target("uprobe /usr/lib/libc.so.6:malloc", "uprobe//usr/lib/libc.so.6:malloc",
		     "uprobe", "/usr/lib/libc.so.6:malloc");
}

TEST(kinds_of_two_words_have_no_target)
{
	check_target("cgroup_skb/egress cgroup=/x", "cgroup_skb/egress", "cgroup_skb/egress", NULL);
	check_target("cgroup_skb egress cgroup=/x", "cgroup_skb/egress", "cgroup_skb/egress", NULL);
	check_target("cgroup connect4 cgroup=/x", "cgroup/connect4", "cgroup/connect4", NULL);
	check_target("xdp dev=eth0", "xdp", "xdp", NULL);
	check_target("sockops cgroup=/x", "sockops", "sockops", NULL);
}

TEST(bare_kind_has_no_target)
{
	check_target("uprobe", "uprobe", "uprobe", NULL);
	check_target("uprobe cookie=1", "uprobe", "uprobe", NULL);
}

TEST(sleepable_and_alias_sections_have_their_own_rule)
{
	check_target("uprobe.s//b:f", "uprobe.s//b:f", "uprobe.s", "/b:f");
	check_target("tp/a/b", "tp/a/b", "tp", "a/b");
	check_target("uprobe.session//b:f*", "uprobe.session//b:f*", "uprobe.session", "/b:f*");
}

TEST(target_keeps_its_quotes)
{
	check_target("uprobe/'/opt/with blank/a:b':main", "uprobe//opt/with blank/a:b:main",
		     "uprobe", "'/opt/with blank/a:b':main");
	check_target("uprobe '/opt/with blank/a:b':main", "uprobe//opt/with blank/a:b:main",
		     "uprobe", "'/opt/with blank/a:b':main");
	check_target("uprobe//a\\x20b:main", "uprobe//a b:main", "uprobe", "/a\\x20b:main");
	/* A quoted slash is no end of the kind. */
	check_target("tracepoint 'a'/b", "tracepoint/a/b", "tracepoint", "'a'/b");
}

TEST(quoted_kind_is_refused)
{
	refuse("'uprobe'//b:f", -EINVAL, "without quotes");
	refuse("'uprobe/'/b:f", -EINVAL, "without quotes");
	refuse("upro\\x62e//b:f", -EINVAL, "without quotes");
}

TEST(an_equals_sign_in_a_target_needs_the_slash_or_quotes)
{
	check_target("uprobe//opt/a=b:main cookie=1", "uprobe//opt/a=b:main", "uprobe",
		     "/opt/a=b:main");
	check_target("uprobe /opt/a=b:main", "uprobe//opt/a=b:main", "uprobe", "/opt/a=b:main");
	refuse("uprobe a=b:main", -EINVAL, "no option 'a'");
	check_target("uprobe 'a=b':main", "uprobe/a=b:main", "uprobe", "'a=b':main");
}

TEST(options_are_decoded)
{
	_cleanup_(spec_freep) struct spec *s =
		parse("uprobe//b:f cookie=0x10\tpid=any mode='li'nk as=x\\x20y");
	uint64_t n = 0;

	CHECK_EQ(s->n_options, 3);
	CHECK_STR(spec_option(s, "pid"), "any");
	CHECK_STR(spec_option(s, "mode"), "link");
	CHECK_STR(s->as, "x y");
	CHECK(!spec_option(s, "as"));
	CHECK_EQ(spec_u64(s, "cookie", NULL, &n), 0);
	CHECK_EQ(n, 16);
	CHECK(!spec_option(s, "ref_ctr_offset"));
	n = 77;
	CHECK_EQ(spec_u64(s, "ref_ctr_offset", NULL, &n), 0);
	CHECK_EQ(n, 77);
	CHECK(!spec_flag(s, "cgroup"));
	CHECK(spec_flag(s, "pid"));
}

TEST(a_value_may_hold_equals_signs_and_colons)
{
	_cleanup_(spec_freep) struct spec *s = parse("cgroup/connect4 cgroup=/a=b before=prog:12");

	CHECK_STR(spec_option(s, "cgroup"), "/a=b");
	CHECK_STR(spec_option(s, "before"), "prog:12");
}

TEST(unknown_option_names_those_that_are_known)
{
	refuse("xdp devv=eth0", -EINVAL, "xdp has no option 'devv'; it has dev= mode= as=");
	refuse("xdp dev=eth0 foo", -EINVAL, "xdp has no option 'foo'");
	refuse("xdp mod=native", -EINVAL, "it has mode= dev= as=");
	refuse("cgroup_skb/egress dev=eth0", -EINVAL, "cgroup_skb/egress has no option 'dev'");
	refuse("xdp dev=eth0 =x", -EINVAL, "no option '=x'");
	refuse("xdp dev=eth0 'dev'=x", -EINVAL, "no option ''dev'=x'");
	refuse("tracepoint/a b", -EINVAL, "no option 'b'");
}

TEST(option_given_twice_is_refused)
{
	refuse("xdp dev=a dev=b", -EINVAL, "dev= is given twice");
	refuse("xdp dev=a as=b as=c", -EINVAL, "as= is given twice");
}

TEST(option_without_value_is_refused)
{
	refuse("xdp dev=a mode", -EINVAL, "mode needs a value");
	refuse("xdp dev=a mode=", -EINVAL, "mode= has no value");
	refuse("xdp dev=''", -EINVAL, "dev= has no value");
	refuse("xdp dev=eth0 as", -EINVAL, "no option 'as'");
}

TEST(name_of_the_link_must_be_a_file_name)
{
	refuse("xdp dev=a as=", -EINVAL, "name of a file");
	refuse("xdp dev=a as=a/b", -EINVAL, "name of a file");
	refuse("xdp dev=a as=..", -EINVAL, "name of a file");
	refuse("xdp dev=a as=.", -EINVAL, "name of a file");

	char line[400] = "xdp dev=a as=";

	memset(line + strlen(line), 'x', 256);
	refuse(line, -EINVAL, "name of a file");
	line[strlen(line) - 1] = '\0';
	spec_free(parse(line));
}

TEST(unknown_kind_names_close_ones)
{
	refuse("xpd dev=eth0", -EINVAL, "no kind of attachment 'xpd'; close: xdp");
	refuse("uprob//bin/bash:main", -EINVAL, "close: uprobe");
	refuse("cgroup/conect4 cgroup=/x", -EINVAL, "close: cgroup/connect4");
	refuse("nothing_like_it", -EINVAL, "no kind of attachment 'nothing_like_it'");
}

TEST(target_of_a_kind_without_target_is_refused)
{
	refuse("xdp eth0", -EINVAL, "xdp takes no target ('eth0'); it has dev= mode= as=");
	refuse("xdp/eth0", -EINVAL, "xdp takes no target ('eth0')");
	refuse("sockops /sys/fs/cgroup", -EINVAL, "sockops takes no target");
}

TEST(section_without_attachment_is_refused)
{
	refuse("syscall", -EOPNOTSUPP, "SEC(\"syscall\") are not attached");
	refuse("xdp/devmap dev=eth0", -EOPNOTSUPP, "xdp/devmap");
}

TEST(question_mark_is_refused)
{
	refuse("?xdp dev=eth0", -EINVAL, "'?' of SEC()");
	refuse("?uprobe//b:f", -EINVAL, "'?' of SEC()");
}

TEST(empty_lines_and_newlines_are_refused)
{
	refuse("", -EINVAL, "empty");
	refuse(" \t ", -EINVAL, "empty");
	refuse("xdp dev=a\n", -EINVAL, "newline");
	refuse("uprobe//a\nb:f", -EINVAL, "\\x0a");
}

TEST(bad_quoting_is_refused)
{
	refuse("uprobe/'/a b:main", -EINVAL, "is not closed");
	refuse("xdp dev='", -EINVAL, "is not closed");
	refuse("xdp dev=a\\b", -EINVAL, "bad escape at '\\b'");
	refuse("xdp dev=\\", -EINVAL, "bad escape");
	refuse("xdp dev=\\x", -EINVAL, "bad escape");
	refuse("xdp dev=\\x4", -EINVAL, "bad escape");
	refuse("xdp dev=\\x4g", -EINVAL, "bad escape");
	refuse("xdp dev='\\x4'", -EINVAL, "bad escape");
	refuse("xdp dev=\\x00", -EINVAL, "bad escape");
	refuse("\\xZZ", -EINVAL, "bad escape");
}

TEST(line_of_64_KiB_is_the_longest)
{
	size_t max = 64 * 1024;
	_cleanup_free_ char *line = malloc(max + 2);
	_cleanup_(spec_freep) struct spec *s = NULL;

	memset(line, 'x', max + 1);
	memcpy(line, "uprobe//", 8);
	line[max + 1] = '\0';
	refuse(line, -E2BIG, "65536 bytes");
	line[max] = '\0';
	s = parse(line);
	CHECK_EQ(strlen(s->target), max - 7);
}

TEST(numbers_are_checked)
{
	_cleanup_(spec_freep) struct spec *s =
		parse("uprobe//b:f cookie=18446744073709551615 pid=-1 "
		      "ref_ctr_offset=18446744073709551616 mode=7x");
	struct report rp = REPORT_INIT(NULL, NULL);
	uint64_t n = 5;

	CHECK_EQ(spec_u64(s, "cookie", &rp, &n), 0);
	CHECK(n == UINT64_MAX);
	n = 5;
	CHECK_EQ(spec_u64(s, "ref_ctr_offset", &rp, &n), -EINVAL);
	CHECK_HAS(rp.text, "64 bits");
	CHECK_EQ(spec_u64(s, "mode", &rp, &n), -EINVAL);
	CHECK_HAS(rp.text, "mode=7x is no number");
	CHECK_EQ(spec_u64(s, "pid", &rp, &n), -EINVAL);
	CHECK_EQ(n, 5);
}

TEST(lists_are_split_before_they_are_decoded)
{
	_cleanup_(spec_freep) struct spec *s =
		parse("uprobe.multi//b syms=a,'b,c',d\\x2ce offsets=1,0x10,010");
	uint64_t *numbers;
	char **list;
	uint32_t n;

	CHECK_EQ(spec_list(s, "syms", NULL, &list, &n), 0);
	CHECK_EQ(n, 3);
	CHECK_STR(list[0], "a");
	CHECK_STR(list[1], "b,c");
	CHECK_STR(list[2], "d,e");
	spec_list_free(list, n);
	CHECK_EQ(spec_u64_list(s, "offsets", NULL, &numbers, &n), 0);
	CHECK_EQ(n, 3);
	CHECK_EQ(numbers[0], 1);
	CHECK_EQ(numbers[1], 16);
	CHECK_EQ(numbers[2], 8);
	free(numbers);
	CHECK_EQ(spec_list(s, "cookies", NULL, &list, &n), 0);
	CHECK(!list && n == 0);
	CHECK_EQ(spec_u64_list(s, "cookies", NULL, &numbers, &n), 0);
	CHECK(!numbers && n == 0);
}

TEST(bad_elements_of_lists_are_refused)
{
	static const char *const lines[] = {
		"uprobe.multi//b offsets=1,,2",
		"uprobe.multi//b offsets=,1",
		"uprobe.multi//b offsets=1,",
		"uprobe.multi//b offsets=1,''",
	};
	struct report rp = REPORT_INIT(NULL, NULL);
	uint64_t *numbers;
	uint32_t n;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_(spec_freep) struct spec *s = parse(lines[i]);

		CHECK_EQ(spec_u64_list(s, "offsets", &rp, &numbers, &n), -EINVAL);
		CHECK_HAS(rp.text, "is empty");
	}

	_cleanup_(spec_freep) struct spec *s = parse("uprobe.multi//b offsets=1,two,3");

	CHECK_EQ(spec_u64_list(s, "offsets", &rp, &numbers, &n), -EINVAL);
	CHECK_HAS(rp.text, "offsets=two");
}

static void check_split(const char *encoded, char sep, const char *head, const char *tail)
{
	char *h, *t;

	CHECK_EQ(spec_split(encoded, sep, NULL, &h, &t), 0);
	CHECK_STR(h, head);
	if (tail)
		CHECK_STR(t, tail);
	else
		CHECK(!t);
	free(h);
	free(t);
}

TEST(splits_at_the_last_separator_outside_of_quotes)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	char *h, *t;

	check_split("/bin/bash:main", ':', "/bin/bash", "main");
	check_split("a:b:c", ':', "a:b", "c");
	check_split("/bin/bash", ':', "/bin/bash", NULL);
	check_split("/bin/bash:", ':', "/bin/bash", "");
	check_split(":x", ':', "", "x");
	check_split("", ':', "", NULL);
	check_split("'a:b':c", ':', "'a:b'", "c");
	check_split("a:'b:c'", ':', "a", "'b:c'");
	check_split("a\\x3ab:c", ':', "a\\x3ab", "c");
	check_split("'a:b'", ':', "'a:b'", NULL);
	CHECK_EQ(spec_split("a:'b", ':', &rp, &h, &t), -EINVAL);
	CHECK_HAS(rp.text, "not closed");
}

TEST(decodes)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_free_ char *text = NULL;
	char *bad = NULL;

	CHECK_EQ(spec_decode("a'b \"c'\\x27\\xC3\\xbc'\\x5c'", NULL, &text), 0);
	CHECK_STR(text, "ab \"c'\xc3\xbc\\");
	CHECK_EQ(spec_decode("'x", &rp, &bad), -EINVAL);
	CHECK_EQ(spec_decode("\\q", &rp, &bad), -EINVAL);
	CHECK(!bad);
}

/* Whatever bytes a path has, what str_add_word() writes reads back the same. */
TEST(every_byte_survives_a_round_trip)
{
	for (int c = 1; c < 256; c++) {
		const char path[] = { '/', 'a', c, 'b', c, '\0' };
		_cleanup_str_ struct str line = {};
		_cleanup_(spec_freep) struct spec *s = NULL, *blank = NULL;
		_cleanup_free_ char *h = NULL, *t = NULL, *decoded = NULL;

		str_add(&line, "uprobe/");
		str_add_word(&line, path, strlen(path));
		str_add(&line, ":main");
		s = parse(str_text(&line));
		CHECK_EQ(spec_split(s->target, ':', NULL, &h, &t), 0);
		CHECK_EQ(spec_decode(h, NULL, &decoded), 0);
		CHECK_STR(decoded, path);
		CHECK_STR(t, "main");

		str_truncate(&line, 0);
		str_add(&line, "cgroup/connect4 cgroup=");
		str_add_word(&line, path, strlen(path));
		blank = parse(str_text(&line));
		CHECK_STR(spec_option(blank, "cgroup"), path);
	}
}

/* Random lines out of the characters that mean something: refused or parsed, never a crash. */
TEST(random_lines_are_parsed_or_refused)
{
	static const char *const pieces[] = { "uprobe",
					      "xdp",
					      "/",
					      " ",
					      "'",
					      "\\x2f",
					      "\\",
					      ":",
					      "=",
					      "dev=",
					      "as=",
					      "cookie=1",
					      ",",
					      "syms=a,b",
					      "?",
					      "x",
					      "uprobe.multi",
					      "cgroup_skb/egress",
					      "\t",
					      "cgroup=/" };
	unsigned parsed = 0;

	srand(1);
	for (int i = 0; i < 200000; i++) {
		struct report rp = REPORT_INIT(NULL, NULL);
		char line[256] = "";
		struct spec *s = NULL;
		int r;

		for (int n = rand() % 12; n; n--)
			strcat(line, pieces[rand() % ARRAY_SIZE(pieces)]);
		r = spec_parse(line, &rp, &s);
		CHECK(r == 0 || ((r == -EINVAL || r == -EOPNOTSUPP) && rp.text[0] && !s));
		parsed += r == 0;
		spec_free(s);
	}
	CHECK(parsed > 1000);
}

static void auto_refuses(const char *section)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct spec *s = NULL;

	CHECK_EQ(spec_from_section(section, &rp, &s), -EOPNOTSUPP);
	CHECK(!s);
	CHECK_HAS(rp.text, section[0] == '?' ? section + 1 : section);
}

TEST(auto_takes_what_SEC_says)
{
	_cleanup_(spec_freep) struct spec *s = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_free_ char *h = NULL, *t = NULL, *path = NULL;

	/* SEC() has no quotes: what looks like one stands for itself. */
	CHECK_EQ(spec_from_section("?uprobe//opt/it's \\x41 here:main", &rp, &s), 0);
	CHECK_STR(s->section, "uprobe//opt/it's \\x41 here:main");
	CHECK_EQ(s->n_options, 0);
	CHECK_EQ(spec_split(s->target, ':', NULL, &h, &t), 0);
	CHECK_EQ(spec_decode(h, NULL, &path), 0);
	CHECK_STR(path, "/opt/it's \\x41 here");
}

TEST(auto_refuses_what_says_no_target)
{
	auto_refuses("uprobe");
	auto_refuses("uprobe//bin/bash");
	auto_refuses("uprobe.multi//bin/bash");
	auto_refuses("?tracepoint");
	auto_refuses("raw_tp");
	auto_refuses("xdp");
	auto_refuses("cgroup/connect4");
	auto_refuses("syscall");
}

TEST(every_kind_describes_itself)
{
	for (const struct attach_kind *const *k = attach_kinds; *k; k++) {
		_cleanup_(spec_freep) struct spec *s = NULL;

		CHECK((*k)->name && (*k)->usage && (*k)->can_auto && (*k)->attach && (*k)->options);
		s = parse((*k)->example);
		CHECK(s->rule->kind == *k);
		for (const struct attach_option *o = (*k)->options; o->name; o++)
			CHECK(o->help && o->help[0]);
	}
}

TEST(suggestions_are_few_and_close)
{
	struct suggest s = SUGGEST_INIT("mallocc");

	CHECK_STR(suggest_text(&s), "");
	suggest_add(&s, "printf");
	suggest_add(&s, "calloc");
	suggest_add(&s, "malloc");
	suggest_add(&s, "malloc");
	suggest_add(&s, "");
	CHECK_STR(suggest_text(&s), "; close: malloc, calloc");
	suggest_add(&s, "mallocs");
	suggest_add(&s, "valloc");
	CHECK_STR(suggest_text(&s), "; close: malloc, mallocs, calloc");
}
