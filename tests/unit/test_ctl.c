/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/ctl.h"

#include <stdio.h>

#include "tests/unit/test.h"

static char seen[64];
static int n_runs;

static int remember(struct call *c, const char *arg)
{
	(void)c;
	n_runs++;
	snprintf(seen, sizeof(seen), "%s", arg ? arg : "(none)");
	return 0;
}

static int refuse(struct call *c, const char *arg)
{
	(void)arg;
	return report(c->rp, -EBUSY, "not now");
}

static const struct verb verbs[] = { { "load", NULL, "load it", remember },
				     { "pin", "PATH", "give it a name", remember },
				     { "unpin", "[PATH]", "take the name away", remember },
				     { "stop", NULL, "cannot", refuse },
				     {} };

static int run(const char *line, struct report *rp)
{
	struct call c = { .rp = rp };

	n_runs = 0;
	*seen = '\0';
	*rp = (struct report)REPORT_INIT(NULL, NULL);
	return ctl_run(&c, verbs, line);
}

TEST(verb_gets_what_follows_it)
{
	struct report rp;

	CHECK_EQ(run("load", &rp), 0);
	CHECK_STR(seen, "(none)");
	CHECK_EQ(run("  pin \t /a/b  ", &rp), 0);
	CHECK_STR(seen, "/a/b");
	CHECK_EQ(run("pin '/with blank/x'", &rp), 0);
	CHECK_STR(seen, "/with blank/x");
	CHECK_EQ(run("pin /a\\x20b", &rp), 0);
	CHECK_STR(seen, "/a b");
	CHECK_EQ(run("unpin", &rp), 0);
	CHECK_STR(seen, "(none)");
	CHECK_EQ(run("unpin /a", &rp), 0);
	CHECK_STR(seen, "/a");
}

TEST(empty_line_does_nothing)
{
	struct report rp;

	CHECK_EQ(run("", &rp), 0);
	CHECK_EQ(run(" \t\r", &rp), 0);
	CHECK_EQ(n_runs, 0);
}

TEST(unknown_verb_names_those_that_are_known)
{
	struct report rp;

	CHECK_EQ(run("lod", &rp), -EINVAL);
	CHECK_HAS(rp.text, "'lod'");
	CHECK_HAS(rp.text, "load pin unpin");
	/* A beginning of a verb is not the verb. */
	CHECK_EQ(run("unpinned", &rp), -EINVAL);
	CHECK_EQ(run("un", &rp), -EINVAL);
	CHECK_EQ(n_runs, 0);
}

TEST(arguments_are_counted)
{
	struct report rp;

	CHECK_EQ(run("load now", &rp), -EINVAL);
	CHECK_HAS(rp.text, "load");
	CHECK_EQ(run("pin", &rp), -EINVAL);
	CHECK_HAS(rp.text, "pin PATH");
	CHECK_EQ(run("pin '/open", &rp), -EINVAL);
	CHECK_EQ(n_runs, 0);
}

TEST(failure_of_a_verb_is_the_line_s)
{
	struct report rp;

	CHECK_EQ(run("stop", &rp), -EBUSY);
	CHECK_STR(rp.text, "not now");
}

TEST(reading_lists_verbs_with_help)
{
	_cleanup_str_ struct str out = {};

	CHECK_EQ(ctl_show(verbs, &out), 0);
	CHECK_HAS(out.data, "pin PATH ");
	CHECK_HAS(out.data, " give it a name\n");
}
