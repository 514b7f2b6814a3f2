/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text is "encoded" as long as its quotes and \xNN are in it. A line is cut into
 * words, a list into elements and a target into its parts while encoded, because
 * only then a quoted separator can be told from a real one; each piece is decoded
 * when nothing more has to be cut.
 */
#include "loader/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/vec.h"
#include "loader/attach.h"
#include "loader/suggest.h"

enum { LINE_MAX_BYTES = 64 * 1024, NAME_MAX_BYTES = 255, AS_MAX_BYTES = 255 };

/* Encoded words of a line; the strings belong to it. */
typedef VEC(char *) word_vec;

static void words_deinit(word_vec *words)
{
	vec_for_each (w, words)
		free(*w);
	vec_deinit(words);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*
 * One step through encoded text: the byte that stands at @p, -1 for a quote that
 * only opens or closes, -EINVAL for a bad escape. *@next is where the next step
 * starts.
 */
static int encoded_step(const char *p, const char **next)
{
	int high, low;

	*next = p + 1;
	if (*p == '\'')
		return -1;
	if (*p != '\\')
		return (unsigned char)*p;
	if (p[1] != 'x')
		return -EINVAL;
	high = hex_digit(p[2]);
	low = high < 0 ? -1 : hex_digit(p[3]);
	if (low < 0 || high + low == 0)
		return -EINVAL;
	*next = p + 4;
	return high << 4 | low;
}

/*
 * Where the piece that starts at @p ends: at the first byte of @seps outside of
 * quotes, or at the end. 0 and *@ret, or -EINVAL with a sentence.
 */
static int encoded_end(const char *p, const char *seps, struct report *rp, const char **ret)
{
	const char *open = NULL, *next;

	for (; *p; p = next) {
		if (!open && strchr(seps, *p))
			break;
		switch (encoded_step(p, &next)) {
		case -1:
			open = open ? NULL : p;
			break;
		case -EINVAL:
			return report(
				rp, -EINVAL,
				"bad escape at '%.16s': a backslash starts \\xNN with two hex "
				"digits, not 00",
				p);
		}
	}
	if (open)
		return report(rp, -EINVAL, "the quote that opens at %.32s is not closed", open);
	*ret = p;
	return 0;
}

/* Decode well-formed text: what encoded_end() passed. */
static char *decode(const char *p, const char *end)
{
	char *text = malloc(end - p + 1), *to = text;
	const char *next;
	int c;

	if (!text)
		return NULL;
	for (; p < end; p = next) {
		c = encoded_step(p, &next);
		if (c >= 0)
			*to++ = c;
	}
	*to = '\0';
	return text;
}

int spec_decode(const char *encoded, struct report *rp, char **ret)
{
	const char *end;
	char *text;
	int r = encoded_end(encoded, "", rp, &end);

	if (r < 0)
		return r;
	text = decode(encoded, end);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int spec_split(const char *encoded, char sep, struct report *rp, char **head, char **tail)
{
	const char seps[] = { sep, '\0' };
	const char *cut = NULL, *p = encoded;
	_cleanup_free_ char *left = NULL, *right = NULL;
	int r;

	for (;;) {
		r = encoded_end(p, seps, rp, &p);
		if (r < 0)
			return r;
		if (!*p)
			break;
		cut = p++;
	}
	left = strndup(encoded, (cut ? cut : p) - encoded);
	right = cut ? strdup(cut + 1) : NULL;
	if (!left || (cut && !right))
		return -ENOMEM;
	*head = take_ptr(left);
	*tail = take_ptr(right);
	return 0;
}

static int split_words(const char *line, word_vec *words, struct report *rp)
{
	const char *end;
	char *word;
	int r;

	for (const char *p = line;; p = end) {
		while (is_blank(*p))
			p++;
		if (!*p)
			return 0;
		r = encoded_end(p, " \t", rp, &end);
		if (r < 0)
			return r;
		word = strndup(p, end - p);
		if (!word || vec_push(words, word) < 0) {
			free(word);
			return -ENOMEM;
		}
	}
}

/* Length of the name at the start of @word if the word is NAME or NAME=…, else 0. */
static size_t option_name_len(const char *word)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	return n && n <= NAME_MAX_BYTES && (!word[n] || word[n] == '=') ? n : 0;
}

static const struct attach_option *find_option(const struct attach_kind *kind, const char *name,
					       size_t len)
{
	for (const struct attach_option *o = kind->options; o && o->name; o++)
		if (strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

/* "dev= mode= as=" with the names that are close to @wanted in front. */
static void known_options(const struct attach_kind *kind, const char *wanted, struct str *out)
{
	for (int close = 1; close >= 0; close--) {
		for (const struct attach_option *o = kind->options; o && o->name; o++) {
			if (close != (wanted && edit_distance(wanted, o->name, 2) <= 2))
				continue;
			str_printf(out, "%s%s ", o->name, o->is_flag ? "" : "=");
		}
	}
	str_add(out, "as=");
}

static int unknown_option(const struct spec *s, const char *word, size_t len, struct report *rp)
{
	_cleanup_str_ struct str known = {};
	_cleanup_free_ char *name = strndup(word, len);

	known_options(s->rule->kind, name, &known);
	return report(rp, -EINVAL, "%s has no option '%.100s'; it has %s", s->rule->name,
		      name ? name : word, str_text(&known));
}

static bool has_option(const struct spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_options; i++)
		if (!strcmp(s->options[i].name, name))
			return true;
	return false;
}

/* as=NAME becomes the name of a directory. */
static int parse_as(struct spec *s, char *value, struct report *rp)
{
	if (s->as) {
		free(value);
		return report(rp, -EINVAL, "as= is given twice");
	}
	s->as = value;
	if (!*value || strchr(value, '/') || !strcmp(value, ".") || !strcmp(value, "..") ||
	    strlen(value) > AS_MAX_BYTES)
		return report(rp, -EINVAL,
			      "as= wants the name of a file, without slash and of 1 to %d bytes, "
			      "not '%.100s'",
			      AS_MAX_BYTES, value);
	return 0;
}

/* One word behind kind and target. @s->options has room for it. */
static int parse_option(struct spec *s, const char *word, struct report *rp)
{
	const struct attach_kind *kind = s->rule->kind;
	const struct attach_option *known;
	struct spec_option *opt = &s->options[s->n_options];
	size_t len = option_name_len(word);
	const char *raw = word[len] == '=' ? word + len + 1 : NULL;
	char *value;

	if (!len)
		return unknown_option(s, word, strlen(word), rp);
	if (len == 2 && !memcmp(word, "as", 2) && raw) {
		value = decode(raw, raw + strlen(raw));
		return value ? parse_as(s, value, rp) : -ENOMEM;
	}
	known = find_option(kind, word, len);
	if (!known)
		return unknown_option(s, word, len, rp);
	if (known->is_flag && raw)
		return report(rp, -EINVAL, "%s takes no value: write it without '='", known->name);
	if (!known->is_flag && !raw)
		return report(rp, -EINVAL, "%s needs a value: %s=%s", known->name, known->name,
			      known->help ? known->help : "…");
	if (has_option(s, known->name))
		return report(rp, -EINVAL, "%s%s is given twice", known->name,
			      known->is_flag ? "" : "=");
	opt->name = strdup(known->name);
	s->n_options++;
	if (raw) {
		opt->raw = strdup(raw);
		opt->value = decode(raw, raw + strlen(raw));
	}
	if (!opt->name || (raw && (!opt->raw || !opt->value)))
		return -ENOMEM;
	if (raw && !*opt->value)
		return report(rp, -EINVAL, "%s= has no value behind it", known->name);
	return 0;
}

/* A section that no rule matches: say what comes close, or that the kind takes no target. */
static int unknown_kind(const char *section, struct report *rp)
{
	const char *slash = strchr(section, '/');
	_cleanup_free_ char *head = slash ? strndup(section, slash - section) : strdup(section);
	const struct section_rule *rule;
	const char *extra;

	if (!head)
		return -ENOMEM;
	rule = slash ? section_find(head, &extra) : NULL;
	if (rule && rule->kind) {
		_cleanup_str_ struct str known = {};

		known_options(rule->kind, NULL, &known);
		return report(rp, -EINVAL, "%s takes no target ('%.100s'); it has %s", head,
			      slash + 1, str_text(&known));
	}

	struct suggest by_head = SUGGEST_INIT(head), whole = SUGGEST_INIT(section);

	for (const struct section_rule *r = section_rules; r->name; r++) {
		suggest_add(&by_head, r->name);
		suggest_add(&whole, r->name);
	}
	return report(rp, -EINVAL, "there is no kind of attachment '%.100s'%s", section,
		      suggest_text(whole.n ? &whole : &by_head));
}

/*
 * Kind and target: @encoded is what SEC() would say, still encoded.
 * Fills section, rule and target.
 */
static int parse_section(struct spec *s, const char *encoded, struct report *rp)
{
	const char *extra = NULL;

	s->section = decode(encoded, encoded + strlen(encoded));
	if (!s->section)
		return -ENOMEM;
	if (s->section[0] == '?')
		return report(rp, -EINVAL, "'%.100s': the '?' of SEC() has no place in a spec",
			      s->section);
	s->rule = section_find(s->section, &extra);
	if (!s->rule)
		return unknown_kind(s->section, rp);
	if (!s->rule->kind)
		return report(rp, -EOPNOTSUPP, "programs of SEC(\"%s\") are not attached by a spec",
			      s->rule->name);
	if (!extra)
		return 0;
	/* The target is kept encoded, so the cut must be at the same place in both forms. */
	if (strncmp(encoded, s->section, extra - s->section))
		return report(rp, -EINVAL, "the kind '%s' is written without quotes and escapes",
			      s->rule->name);
	s->target = strdup(encoded + (extra - s->section));
	return s->target ? 0 : -ENOMEM;
}

/* Is there a '/' outside of quotes: does the first word hold the target as well? */
static bool has_slash(const char *word)
{
	const char *end = word;

	/* The word is well-formed, so this cannot fail. */
	(void)encoded_end(word, "/", NULL, &end);
	return *end == '/';
}

/*
 * May @word, which follows the lone kind @first, be its target? Else it is an
 * option: it has '=', or it is a flag of that kind.
 */
static bool is_target(const char *first, const char *word)
{
	size_t len = option_name_len(word);
	const struct section_rule *rule;
	const struct attach_option *option;
	const char *extra;

	if (!len)
		return true;
	if (word[len] == '=')
		return false;
	rule = section_find(first, &extra);
	option = rule && rule->kind ? find_option(rule->kind, word, len) : NULL;
	return !option || !option->is_flag;
}

static int parse_words(struct spec *s, const word_vec *words, struct report *rp)
{
	_cleanup_str_ struct str section = {};
	size_t next = 1;
	int r;

	str_add(&section, words->data[0]);
	if (words->len > 1 && !has_slash(words->data[0]) &&
	    is_target(words->data[0], words->data[1])) {
		str_add_char(&section, '/');
		str_add(&section, words->data[next++]);
	}
	if (str_error(&section))
		return -ENOMEM;
	r = parse_section(s, str_text(&section), rp);
	if (r < 0)
		return r;
	s->options = calloc(words->len, sizeof(*s->options));
	if (!s->options)
		return -ENOMEM;
	for (; next < words->len; next++) {
		r = parse_option(s, words->data[next], rp);
		if (r < 0)
			return r;
	}
	return 0;
}

int spec_parse(const char *line, struct report *rp, struct spec **ret)
{
	_cleanup_(words_deinit) word_vec words = {};
	_cleanup_(spec_freep) struct spec *s = NULL;
	int r;

	if (strnlen(line, LINE_MAX_BYTES + 1) > LINE_MAX_BYTES)
		return report(rp, -E2BIG, "a spec is at most %d bytes long", LINE_MAX_BYTES);
	if (strchr(line, '\n'))
		return report(rp, -EINVAL, "a spec is one line; a newline in a name is \\x0a");
	r = split_words(line, &words, rp);
	if (r < 0)
		return r;
	if (!words.len)
		return report(rp, -EINVAL, "the spec is empty: it starts with a kind, like uprobe");
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = parse_words(s, &words, rp);
	if (r < 0)
		return r;
	*ret = take_ptr(s);
	return 0;
}

int spec_from_section(const char *section, struct report *rp, struct spec **ret)
{
	_cleanup_(spec_freep) struct spec *s = calloc(1, sizeof(*s));
	_cleanup_str_ struct str encoded = {};
	const struct attach_kind *kind;
	int r;

	if (!s)
		return -ENOMEM;
	if (*section == '?')
		section++;
	/* SEC() knows no quotes, so those that are in it stand for themselves. */
	for (const char *p = section; *p; p++) {
		if (*p == '\'' || *p == '\\')
			str_printf(&encoded, "\\x%02x", *p);
		else
			str_add_char(&encoded, *p);
	}
	if (str_error(&encoded))
		return -ENOMEM;
	r = parse_section(s, str_text(&encoded), rp);
	if (r < 0)
		return r;
	kind = s->rule->kind;
	if (!(s->rule->flags & SECTION_AUTO) || !kind->can_auto || !kind->can_auto(s->target))
		return report(rp, -EOPNOTSUPP,
			      "SEC(\"%s\") does not say what to attach to; write a spec like '%s'",
			      section, kind->example);
	*ret = take_ptr(s);
	return 0;
}

void spec_free(struct spec *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_options; i++) {
		free(s->options[i].name);
		free(s->options[i].value);
		free(s->options[i].raw);
	}
	free(s->options);
	free(s->section);
	free(s->target);
	free(s->as);
	free(s);
}

static const struct spec_option *get_option(const struct spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_options; i++)
		if (!strcmp(s->options[i].name, name))
			return &s->options[i];
	return NULL;
}

const char *spec_option(const struct spec *s, const char *name)
{
	const struct spec_option *o = get_option(s, name);

	if (!o)
		return NULL;
	return o->value ? o->value : "";
}

bool spec_flag(const struct spec *s, const char *name)
{
	return get_option(s, name);
}

static int parse_number(const char *name, const char *text, struct report *rp, uint64_t *ret)
{
	int r = parse_u64(text, ret);

	if (r == -ERANGE)
		return report(rp, -EINVAL, "%s=%.100s does not fit into 64 bits", name, text);
	if (r < 0)
		return report(rp, -EINVAL, "%s=%.100s is no number (decimal, 0x… or 0 octal)", name,
			      text);
	return 0;
}

int spec_u64(const struct spec *s, const char *name, struct report *rp, uint64_t *ret)
{
	const char *text = spec_option(s, name);

	return text ? parse_number(name, text, rp, ret) : 0;
}

int spec_list(const struct spec *s, const char *name, struct report *rp, char ***ret,
	      uint32_t *ret_n)
{
	const struct spec_option *o = get_option(s, name);
	VEC(char *) list = {};
	const char *end;
	int r = 0;

	*ret = NULL;
	*ret_n = 0;
	if (!o || !o->raw)
		return 0;
	for (const char *p = o->raw;; p = end + 1) {
		char *element;

		r = encoded_end(p, ",", rp, &end);
		if (r < 0)
			break;
		element = decode(p, end);
		r = element ? vec_push(&list, element) : -ENOMEM;
		if (r < 0) {
			free(element);
			break;
		}
		if (!*element) {
			r = report(rp, -EINVAL, "element %zu of %s= is empty", list.len, name);
			break;
		}
		if (!*end)
			break;
	}
	if (r < 0) {
		spec_list_free(list.data, list.len);
		return r;
	}
	*ret = list.data;
	*ret_n = list.len;
	return 0;
}

int spec_u64_list(const struct spec *s, const char *name, struct report *rp, uint64_t **ret,
		  uint32_t *ret_n)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	char **list;
	uint32_t n;
	int r = spec_list(s, name, rp, &list, &n);

	if (r < 0)
		return r;
	*ret = NULL;
	*ret_n = 0;
	if (!n)
		return 0;
	numbers = calloc(n, sizeof(*numbers));
	if (!numbers)
		r = -ENOMEM;
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = parse_number(name, list[i], rp, &numbers[i]);
	spec_list_free(list, n);
	if (r < 0)
		return r;
	*ret = take_ptr(numbers);
	*ret_n = n;
	return 0;
}

void spec_list_free(char **list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}
