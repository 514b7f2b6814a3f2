/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One sentence is one line: names from hostile files must not break that. */
static void make_one_line(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

int report(struct report *rp, int err, const char *fmt, ...)
{
	va_list ap;

	if (!rp)
		return err;
	rp->err = err;
	va_start(ap, fmt);
	vsnprintf(rp->text, sizeof(rp->text), fmt, ap);
	va_end(ap);
	make_one_line(rp->text);
	if (rp->sink)
		rp->sink(rp->arg, REPORT_ERROR, rp->text, strlen(rp->text));
	return err;
}

void report_note(struct report *rp, enum report_level level, const char *fmt, ...)
{
	char line[REPORT_TEXT_MAX];
	va_list ap;

	if (!rp || !rp->sink)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	make_one_line(line);
	rp->sink(rp->arg, level, line, strlen(line));
}

void report_log(struct report *rp, const char *text, size_t len)
{
	if (rp && rp->sink && len)
		rp->sink(rp->arg, REPORT_LOG, text, len);
}

void report_clear(struct report *rp)
{
	if (!rp)
		return;
	rp->err = 0;
	rp->text[0] = rp->prog[0] = rp->source[0] = '\0';
	rp->insn = -1;
}

const char *errno_name(int err)
{
	static __thread char number[16];
	const char *name;

	if (err < 0)
		err = -err;
	name = strerrorname_np(err);
	if (name)
		return name;
	snprintf(number, sizeof(number), "E%d", err);
	return number;
}
