/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that are written to a file of verbs. */
#include <errno.h>

#include "base/str.h"
#include "fs/ctl.h"
#include "tests/fuzz/fuzz.h"

static unsigned n_runs;

static int with(struct call *c, const char *arg)
{
	(void)c;
	n_runs++;
	REQUIRE(arg);
	return 0;
}

static int without(struct call *c, const char *arg)
{
	(void)c;
	n_runs++;
	REQUIRE(!arg);
	return 0;
}

static int either(struct call *c, const char *arg)
{
	n_runs++;
	return arg ? report(c->rp, -EBUSY, "'%s'", arg) : 0;
}

static const struct verb verbs[] = { { "load", NULL, "load it", without },
				     { "pin", "PATH", "give it a name", with },
				     { "unpin", "[PATH]", "take the name away", either },
				     {} };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = INPUT(data, size);
	_cleanup_free_ char *line = input_text(&in);
	struct report rp = REPORT_INIT(NULL, NULL);
	struct call c = { .rp = &rp };
	int r;

	n_runs = 0;
	r = ctl_run(&c, verbs, line);
	REQUIRE(n_runs <= 1);
	/* A sentence may quote what was written: then it may have any byte of it. */
	if (r != -EBUSY)
		require_sentence(r, &rp);
	REQUIRE(r < 0 || n_runs || line[strspn(line, " \t\r")] == '\0');
	return 0;
}
