/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernel/kernel_has.h"

#include <string.h>

#include "base/str.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"
#include "tests/unit/test.h"

/* The type of the member that the first @len bytes of @name name, or 0. */
static uint32_t find_member(const struct btf *btf, uint32_t id, const char *name, size_t len,
			    unsigned depth)
{
	const struct btf_type *t = btf_type(btf, btf_skip_modifiers(btf, id));
	uint32_t found = 0;

	if (!btf_is_composite(t) || depth > BTF_MAX_DEPTH)
		return 0;
	for (uint32_t i = 0; i < btf_vlen(t) && !found; i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *is = btf_str(btf, m->name_off);

		if (!*is)
			found = find_member(btf, m->type, name, len, depth + 1);
		else if (strlen(is) == len && !memcmp(is, name, len))
			found = m->type;
	}
	return found;
}

/* Ends the test if there are none; the caller gives them back. */
static struct btf *kernel_types(struct kernel_btf **ret_kb)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct btf *btf;

	*ret_kb = kernel_btf_new();
	if (kernel_btf_get(*ret_kb, &rp, &btf) < 0)
		FAIL("%s", rp.text);
	return btf;
}

bool kernel_has_member(const char *type, const char *path)
{
	struct kernel_btf *kb;
	struct btf *btf = kernel_types(&kb);
	uint32_t id = btf_find(btf, type, BTF_KIND_STRUCT);

	if (!id)
		id = btf_find(btf, type, BTF_KIND_UNION);
	for (size_t len; id && *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		id = find_member(btf, id, path, len, 0);
	}
	btf_unref(btf);
	kernel_btf_free(kb);
	return id;
}

/* The last one is often a count of the others, under names like __MAX_BPF_MAP_TYPE. */
bool kernel_has_enumerator(const char *type, uint32_t value)
{
	struct kernel_btf *kb;
	struct btf *btf = kernel_types(&kb);
	const struct btf_type *t = btf_type(btf, btf_find(btf, type, BTF_KIND_ENUM));
	bool found = false;

	for (uint32_t i = 0; btf_kind(t) == BTF_KIND_ENUM && i < btf_vlen(t); i++)
		found = found || ((uint32_t)btf_enums(t)[i].val == value &&
				  !str_has_prefix(btf_str(btf, btf_enums(t)[i].name_off), "__"));
	btf_unref(btf);
	kernel_btf_free(kb);
	return found;
}
