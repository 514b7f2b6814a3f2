/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/kernel_types.h"

#include <errno.h>
#include <stdlib.h>

#include "loader/btf.h"
#include "loader/kernel_btf.h"

struct kernel_btf {
	int unused;
};

struct btf *kernel_types;

struct kernel_btf *kernel_btf_new(void)
{
	return calloc(1, sizeof(struct kernel_btf));
}

void kernel_btf_free(struct kernel_btf *kb)
{
	free(kb);
}

int kernel_btf_get(struct kernel_btf *kb, struct report *rp, struct btf **ret)
{
	(void)kb;
	if (!kernel_types)
		return report(rp, -ENOENT, "this kernel has no BTF");
	*ret = btf_ref(kernel_types);
	return 0;
}

void kernel_btf_trim(struct kernel_btf *kb, uint64_t idle_ms)
{
	(void)kb;
	(void)idle_ms;
}

int kernel_btf_modules(struct kernel_btf *kb, struct report *rp, struct module_btf **ret,
		       uint32_t *ret_n)
{
	(void)kb;
	(void)rp;
	*ret = NULL;
	*ret_n = 0;
	return 0;
}

void module_btfs_free(struct module_btf *mods, uint32_t n)
{
	(void)mods;
	(void)n;
}
