/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * spec - the one grammar of attaching: the SEC() string, then options.
 *
 *	spec    = kind [ ( "/" | blank ) target ] { blank option }
 *	option  = name "=" value | flag
 *
 *	tracepoint/syscalls/sys_enter_execve cookie=3
 *	uprobe /usr/lib/libc.so.6:malloc+0x10 pid=123
 *	uprobe/'/opt/with blank/a:b':main
 *	cgroup_skb/egress cgroup=/sys/fs/cgroup/x as=guard
 *
 * A blank is a space or a tab. Text in '…' is taken as it is but for \xNN, as is
 * \xNN outside; so blanks, commas and colons can be part of a value. A word
 * behind a lone kind is its target, unless it is NAME=… or a flag of the kind. The rule
 * for a program's section is found by section_find() on the joined kind and
 * target; the kind says which options there are.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "base/str.h"
#include "loader/section.h"

struct spec_option {
	char *name;
	char *value; /* decoded; NULL for a flag */
	char *raw;   /* as written: lists are split in this form, by spec_list() */
};

struct spec {
	char *section; /* kind and target joined by '/', decoded: what SEC() would say */
	const struct section_rule *rule;
	char *target; /* still encoded, for spec_split(); NULL if there is none */
	struct spec_option *options;
	uint32_t n_options;
	char *as; /* as=NAME; NULL if not given. Not among the options. */
};

/**
 * spec_parse() - one line, without its newline
 *
 * Checks the grammar, finds the rule, and checks options against those that its
 * kind knows.
 *
 * Return: 0; -EINVAL with a sentence that quotes what is wrong and names what
 * would be known (the kind's options, a close spelling of the kind); -EOPNOTSUPP for a
 * section that exists but has no attachment; -E2BIG over 64 KiB; -ENOMEM.
 */
int spec_parse(const char *line, struct report *rp, struct spec **ret);
void spec_free(struct spec *s);
DEFINE_CLEANUP(struct spec, spec_free)

/*
 * spec_from_section() - what "auto" means: the SEC() string of a program as a spec.
 * A '?' at its start is passed over; quotes and backslashes in it stand for themselves.
 * Return: as spec_parse(); -EOPNOTSUPP if the string does not say what to attach to.
 */
int spec_from_section(const char *section, struct report *rp, struct spec **ret);

/* The value of an option, NULL if it was not given (for a flag: ""). */
const char *spec_option(const struct spec *s, const char *name);
bool spec_flag(const struct spec *s, const char *name);
/* 0 and *@ret, @ret untouched if not given; -EINVAL with a sentence if it is no number. */
int spec_u64(const struct spec *s, const char *name, struct report *rp, uint64_t *ret);
/*
 * spec_list() - a comma-separated option, decoded element by element
 * @ret: malloc'ed array of malloc'ed strings, *@ret_n of them, 0 if not given
 */
int spec_list(const struct spec *s, const char *name, struct report *rp, char ***ret,
	      uint32_t *ret_n);
int spec_u64_list(const struct spec *s, const char *name, struct report *rp, uint64_t **ret,
		  uint32_t *ret_n);
void spec_list_free(char **list, uint32_t n);

/**
 * spec_split() - cut encoded text at the last @sep that is not quoted
 * @head, @tail: still encoded, malloc'ed, so that they can be cut further;
 *               @tail NULL if there is no @sep
 */
int spec_split(const char *encoded, char sep, struct report *rp, char **head, char **tail);

/* spec_decode() - encoded text as it is meant; malloc'ed. -EINVAL for a bad escape or open quote. */
int spec_decode(const char *encoded, struct report *rp, char **ret);
