/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/attach_btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "bpf/abi.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"

/* What the kernel puts before a name, and of which kind the type is. */
struct naming {
	uint32_t attach_type;
	const char *prefix;
	uint32_t kind;
	const char *what;
};

static const struct naming namings[] = {
	{ BPF_TRACE_RAW_TP, "btf_trace_", BTF_KIND_TYPEDEF, "tracepoint" },
	{ BPF_LSM_MAC, "bpf_lsm_", BTF_KIND_FUNC, "LSM hook" },
	{ BPF_LSM_CGROUP, "bpf_lsm_", BTF_KIND_FUNC, "LSM hook" },
	{ BPF_TRACE_ITER, "bpf_iter_", BTF_KIND_FUNC, "iterator" },
};
static const struct naming plain = { 0, "", BTF_KIND_FUNC, "function" };

static const struct naming *naming_of(uint32_t attach_type)
{
	for (size_t i = 0; i < sizeof(namings) / sizeof(namings[0]); i++) {
		if (namings[i].attach_type == attach_type)
			return &namings[i];
	}
	return &plain;
}

/* Among the types of the module itself: its base may know the name, too. */
static uint32_t find_own(const struct btf *btf, const char *name, uint32_t kind)
{
	btf_for_each_type (id, btf) {
		if (btf_kind(btf_type(btf, id)) == kind && !strcmp(btf_type_name(btf, id), name))
			return id;
	}
	return 0;
}

static int find_in_modules(struct kernel_btf *kb, const char *module, size_t module_len,
			   const char *name, uint32_t kind, struct report *rp, uint32_t *ret_id,
			   int *ret_fd)
{
	struct module_btf *mods = NULL;
	uint32_t n = 0;
	int r = kernel_btf_modules(kb, rp, &mods, &n);

	if (r < 0)
		return r;
	r = -ENOENT;
	for (uint32_t i = 0; i < n && r == -ENOENT; i++) {
		uint32_t id;
		int fd;

		if (module && (strlen(mods[i].name) != module_len ||
			       memcmp(mods[i].name, module, module_len)))
			continue;
		id = find_own(mods[i].btf, name, kind);
		if (!id)
			continue;
		fd = fcntl(mods[i].fd, F_DUPFD_CLOEXEC, 3);
		r = fd < 0 ? -errno : 0;
		if (!r) {
			*ret_id = id;
			*ret_fd = fd;
		}
	}
	module_btfs_free(mods, n);
	return r;
}

int attach_btf_find(struct kernel_btf *kb, const char *prog, uint32_t attach_type,
		    const char *target, struct report *rp, uint32_t *ret_id, int *ret_fd)
{
	const struct naming *naming = naming_of(attach_type);
	const char *colon = strchr(target, ':');
	const char *module = colon ? target : NULL;
	size_t module_len = colon ? (size_t)(colon - target) : 0;
	bool in_vmlinux = !module || (module_len == 7 && !memcmp(module, "vmlinux", 7));
	_cleanup_(btf_unrefp) struct btf *vmlinux = NULL;
	_cleanup_free_ char *name = NULL;
	int r = 0;

	if (asprintf(&name, "%s%s", naming->prefix, colon ? colon + 1 : target) < 0) {
		name = NULL;
		return report(rp, -ENOMEM, "out of memory");
	}
	r = kernel_btf_get(kb, rp, &vmlinux);
	if (r < 0)
		return r;
	if (in_vmlinux) {
		uint32_t id = btf_find(vmlinux, name, naming->kind);

		if (id) {
			*ret_id = id;
			*ret_fd = -1;
			return 0;
		}
	}
	r = -ENOENT;
	if (!module || !in_vmlinux)
		r = find_in_modules(kb, module, module_len, name, naming->kind, rp, ret_id, ret_fd);
	if (r == -ENOENT)
		return report(rp, r, "program '%s': no %s '%s' in the types of %s", prog,
			      naming->what, colon ? colon + 1 : target,
			      !module	   ? "the kernel and its modules"
			      : in_vmlinux ? "the kernel"
					   : "that module, if it is loaded at all");
	return r;
}
