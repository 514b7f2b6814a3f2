/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verifier_log - find the line that says why.
 *
 * A log goes instruction by instruction:
 *
 *	; return *v; @ x.bpf.c:6		source, whenever it changes
 *	7: (79) r0 = *(u64 *)(r0 +0)		instruction; may end in the state after it
 *	R0 invalid mem access 'map_value_or_null'
 *	processed 7 insns (limit 1000000) …
 *
 * What stands behind the last instruction and is neither state nor statistics is
 * the reason. Checks that come before or after the walk (unreachable code, the
 * size of the stack) have no instruction, only their line.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/str.h"
#include "loader/load.h"

struct line {
	const char *text; /* NULL: none */
	size_t len;
};

/* Beginnings of lines that are state, progress or statistics. */
static const char *const noise[] = {
	"processed ",
	"verification time ",
	"stack depth ",
	"max_states_per_insn ",
	"Validating ",
	"Func#",
	"func#",
	"Live regs before insn",
	"from ",
	"cur state:",
	"old state:",
	"caller:",
	"callee:",
	"returning ",
	"to caller at",
	"mark_precise: ",
	"regs=",
	"parent ",
	"last_idx ",
	"propagating ",
	"arg#0 reference type",
	"arg#1 reference type",
	"arg#2 reference type",
	"arg#3 reference type",
	"arg#4 reference type",
	"frame",
	"subseq_idx ",
	"liveness:",
};

static bool starts_with(struct line l, const char *prefix)
{
	size_t len = strlen(prefix);

	return l.len >= len && !memcmp(l.text, prefix, len);
}

static size_t count_digits(struct line l, size_t from)
{
	size_t n = 0;

	while (from + n < l.len && isdigit((unsigned char)l.text[from + n]))
		n++;
	return n;
}

/* "7: (79) r0 = …": the number, or -1. */
static int32_t instruction_of(struct line l)
{
	size_t n = count_digits(l, 0);

	if (!n || n > 9 || l.len < n + 6 || memcmp(l.text + n, ": (", 3) || l.text[n + 5] != ')')
		return -1;
	return atoi(l.text);
}

/* "R1_w=ctx() R10=fp0", also behind "12:": registers and what is in them. */
static bool is_state(struct line l)
{
	size_t at = 0, n;

	while (at < l.len && l.text[at] == ' ')
		at++;
	n = count_digits(l, at);
	if (n && at + n < l.len && l.text[at + n] == ':') {
		at += n + 1;
		while (at < l.len && l.text[at] == ' ')
			at++;
		if (at == l.len)
			return true;
		if (l.len - at >= 4 && !memcmp(l.text + at, "safe", 4))
			return true;
	}
	if (at == l.len || l.text[at] != 'R')
		return false;
	n = count_digits(l, at + 1);
	at += 1 + n;
	if (!n || at >= l.len)
		return false;
	return l.text[at] == '=' || l.text[at] == '_';
}

static bool is_noise(struct line l)
{
	if (!l.len || is_state(l))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(noise); i++) {
		if (starts_with(l, noise[i]))
			return true;
	}
	return false;
}

/* The part of @l that starts with @text; its text is NULL if it has none. */
static struct line find_in(struct line l, const char *text)
{
	const char *at = memmem(l.text, l.len, text, strlen(text));

	return at ? (struct line){ at, l.text + l.len - at } : (struct line){};
}

/* What stands behind "; ", without the blanks; no text if it is nothing but a place. */
static struct line source_of(struct line l)
{
	struct line s = { l.text + 1, l.len - 1 };

	while (s.len && isspace((unsigned char)s.text[0])) {
		s.text++;
		s.len--;
	}
	return s.len && s.text[0] != '@' ? s : (struct line){};
}

/* Behind what is there already, with "; " between. */
static void add_line(char *to, size_t size, struct line l)
{
	size_t at = strlen(to);

	if (at && at + 2 < size)
		at = stpcpy(to + at, "; ") - to;
	while (l.len && (isspace((unsigned char)l.text[l.len - 1]) || l.text[l.len - 1] == '.'))
		l.len--;
	for (size_t i = 0; i < l.len && at + 1 < size; i++) {
		unsigned char c = l.text[i];

		to[at++] = c < ' ' || c == 0x7f ? ' ' : c;
	}
	to[at] = '\0';
}

/* Where a check without an instruction of its own says it is: "unreachable insn 3". */
static int32_t named_instruction(const char *sentence)
{
	const char *at = strstr(sentence, "insn ");
	int32_t n;

	return at && sscanf(at, "insn %d", &n) == 1 ? n : -1;
}

struct findings {
	struct line reason[2]; /* behind the last instruction */
	struct line any;       /* the last line that is no noise */
	struct line source;
	struct line loop; /* stands at the end of an instruction's line */
	int32_t insn;
};

static void look_at(struct findings *f, struct line l)
{
	int32_t insn = instruction_of(l);

	if (insn >= 0) {
		f->insn = insn;
		f->reason[0] = f->reason[1] = (struct line){};
		f->loop = find_in(l, "infinite loop detected");
	} else if (starts_with(l, ";")) {
		struct line source = source_of(l);

		if (source.text)
			f->source = source;
	} else if (!is_noise(l)) {
		f->any = l;
		if (!f->reason[0].text)
			f->reason[0] = l;
		else if (!f->reason[1].text)
			f->reason[1] = l;
	}
}

void verifier_summary(const char *log, char *sentence, size_t sentence_size, int32_t *ret_insn,
		      char *source, size_t source_size)
{
	struct findings f = { .insn = -1 };
	int32_t named;

	for (const char *at = log; *at;) {
		const char *end = strchrnul(at, '\n');

		look_at(&f, (struct line){ at, end - at });
		at = *end ? end + 1 : end;
	}
	sentence[0] = source[0] = '\0';
	if (f.loop.text) {
		add_line(sentence, sentence_size, f.loop);
	} else {
		add_line(sentence, sentence_size, f.reason[0].text ? f.reason[0] : f.any);
		if (f.reason[1].text)
			add_line(sentence, sentence_size, f.reason[1]);
	}
	named = named_instruction(sentence);
	*ret_insn = *sentence ? (f.insn < 0 || f.loop.text) && named >= 0 ? named : f.insn : -1;
	if (*ret_insn >= 0 && f.source.text)
		add_line(source, source_size, f.source);
}
