/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/ctl.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "loader/spec.h"

static int unknown(struct call *c, const struct verb *verbs, const char *word, size_t len)
{
	_cleanup_str_ struct str known = {};

	for (const struct verb *v = verbs; v->name; v++)
		str_printf(&known, "%s%s", v == verbs ? "" : " ", v->name);
	return report(c->rp, -EINVAL, "no verb '%.*s' here; there are: %s",
		      (int)(len > 64 ? 64 : len), word, str_text(&known));
}

int ctl_run(struct call *c, const struct verb *verbs, const char *line)
{
	const char *word = line + strspn(line, " \t\r"), *rest;
	size_t len = strcspn(word, " \t\r"), rest_len;
	_cleanup_free_ char *encoded = NULL, *arg = NULL;
	const struct verb *v = verbs;
	int r;

	if (!len)
		return 0;
	while (v->name && (strlen(v->name) != len || strncmp(v->name, word, len)))
		v++;
	if (!v->name)
		return unknown(c, verbs, word, len);
	rest = word + len + strspn(word + len, " \t\r");
	rest_len = strlen(rest);
	while (rest_len && strchr(" \t\r", rest[rest_len - 1]))
		rest_len--;
	if (rest_len && !v->args)
		return report(c->rp, -EINVAL, "'%s' takes nothing behind it", v->name);
	if (!rest_len && v->args && *v->args != '[')
		return report(c->rp, -EINVAL, "'%s' needs something behind it: %s %s", v->name,
			      v->name, v->args);
	if (!rest_len)
		return v->fn(c, NULL);
	encoded = strndup(rest, rest_len);
	if (!encoded)
		return -ENOMEM;
	r = spec_decode(encoded, c->rp, &arg);
	return r < 0 ? r : v->fn(c, arg);
}

int ctl_show(const struct verb *verbs, struct str *out)
{
	for (const struct verb *v = verbs; v->name; v++) {
		int width = (int)(strlen(v->name) + (v->args ? 1 + strlen(v->args) : 0));

		str_printf(out, "%s%s%s%*s%s\n", v->name, v->args ? " " : "",
			   v->args ? v->args : "", width < 18 ? 18 - width : 1, "", v->help);
	}
	return 0;
}
