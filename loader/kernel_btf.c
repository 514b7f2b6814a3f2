/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/kernel_btf.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/bits.h"
#include "base/str.h"
#include "base/vec.h"
#include "bpf/kbtf.h"
#include "bpf/kobj.h"
#include "loader/btf.h"

struct kernel_btf {
	pthread_mutex_t lock; /* held while vmlinux is read: others wait for the same copy */
	struct btf *vmlinux;  /* protected by lock; NULL until needed */
	uint64_t used_ms;     /* protected by lock: when somebody had a reference for sure */
};

/* Where the kernel's types may be; "%s" is its release. The kernel's own word comes first. */
static const char *const places[] = {
	"/sys/kernel/btf/vmlinux",
	"/boot/vmlinux-%s",
	"/lib/modules/%s/vmlinux-%s",
	"/lib/modules/%s/build/vmlinux",
	"/usr/lib/modules/%s/kernel/vmlinux",
	"/usr/lib/debug/boot/vmlinux-%s",
	"/usr/lib/debug/boot/vmlinux-%s.debug",
	"/usr/lib/debug/lib/modules/%s/vmlinux",
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct kernel_btf *kernel_btf_new(void)
{
	struct kernel_btf *kb = calloc(1, sizeof(*kb));

	if (kb)
		pthread_mutex_init(&kb->lock, NULL);
	return kb;
}

void kernel_btf_free(struct kernel_btf *kb)
{
	if (!kb)
		return;
	btf_unref(kb->vmlinux);
	pthread_mutex_destroy(&kb->lock);
	free(kb);
}

/* @place with every "%s" replaced by @release. */
static void path_of(const char *place, const char *release, char *ret, size_t size)
{
	size_t len = 0;

	while (*place && len + 1 < size) {
		if (str_has_prefix(place, "%s")) {
			len += snprintf(ret + len, size - len, "%s", release);
			len = MIN(len, size - 1);
			place += 2;
		} else {
			ret[len++] = *place++;
		}
	}
	ret[len] = '\0';
}

/* Is it worth looking elsewhere after this answer? */
static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EACCES || r == -EPERM;
}

static int open_vmlinux(struct report *rp, struct btf **ret)
{
	struct utsname uts;
	int r = -ENOENT;

	uname(&uts);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[512];

		path_of(places[i], uts.release, path, sizeof(path));
		r = btf_parse_file(path, NULL, rp, ret);
		if (r == 0)
			report_clear(rp);
		if (!is_missing(r))
			return r;
	}
	return report(
		rp, -ENOENT,
		"no BTF of kernel %s in /sys/kernel/btf/vmlinux or any vmlinux file: build it "
		"with CONFIG_DEBUG_INFO_BTF or name a file of types for this object",
		uts.release);
}

int kernel_btf_get(struct kernel_btf *kb, struct report *rp, struct btf **ret)
{
	int r = 0;

	pthread_mutex_lock(&kb->lock);
	if (!kb->vmlinux) {
		r = open_vmlinux(rp, &kb->vmlinux);
		/* Any look-up makes the index: now, so that no user pays for it while it waits
		 * for the first answer. */
		if (r == 0)
			btf_find(kb->vmlinux, "int", BTF_KIND_INT);
	}
	if (r == 0) {
		kb->used_ms = now_ms();
		*ret = btf_ref(kb->vmlinux);
	}
	pthread_mutex_unlock(&kb->lock);
	return r;
}

void kernel_btf_trim(struct kernel_btf *kb, uint64_t idle_ms)
{
	pthread_mutex_lock(&kb->lock);
	if (kb->vmlinux && btf_is_shared(kb->vmlinux)) {
		/* Letting go now would save nothing, and cost the next user a second copy. */
		kb->used_ms = now_ms();
	} else if (kb->vmlinux && now_ms() - kb->used_ms >= idle_ms) {
		btf_unref(take_ptr(kb->vmlinux));
	}
	pthread_mutex_unlock(&kb->lock);
}

typedef VEC(struct module_btf) module_vec;

/* Open BTF object @id if it is a module's. 0 also if it is not, or gone. */
static int add_module(uint32_t id, struct btf *vmlinux, struct report *rp, module_vec *mods)
{
	_cleanup_close_ int fd = kobj_fd_by_id(KOBJ_BTF, id);
	struct module_btf mod = { .id = id };
	struct kbtf_raw raw = {};
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0
				     : report(rp, fd, "BTF %u: cannot get a descriptor: %s", id,
					      errno_name(fd));
	r = kbtf_info(fd, &raw);
	if (r < 0)
		return report(rp, r, "BTF %u: cannot get information: %s", id, errno_name(r));
	if (!raw.kernel || !strcmp(raw.name, "vmlinux"))
		return 0;
	r = kbtf_raw(fd, &raw);
	if (r < 0)
		return report(rp, r, "BTF %u: cannot get its types: %s", id, errno_name(r));
	snprintf(mod.name, sizeof(mod.name), "%s", raw.name);
	r = btf_parse(raw.data, raw.len, mod.name, vmlinux, rp, &mod.btf);
	kbtf_raw_deinit(&raw);
	if (r == -EBADMSG || r == -EOPNOTSUPP) {
		/* One strange module is no reason to go without all the others. */
		report_note(rp, REPORT_WARN, "module %s: types left out: %s", mod.name,
			    rp ? rp->text : errno_name(r));
		report_clear(rp);
		return 0;
	}
	if (r < 0)
		return r;
	mod.fd = fd;
	if (vec_push(mods, mod) < 0) {
		btf_unref(mod.btf);
		return report(rp, -ENOMEM, "module %s: out of memory", mod.name);
	}
	take_fd(fd);
	return 0;
}

int kernel_btf_modules(struct kernel_btf *kb, struct report *rp, struct module_btf **ret,
		       uint32_t *ret_n)
{
	_cleanup_(btf_unrefp) struct btf *vmlinux = NULL;
	module_vec mods = {};
	uint32_t id = 0;
	int r;

	r = kernel_btf_get(kb, rp, &vmlinux);
	while (r == 0) {
		r = kobj_next_id(KOBJ_BTF, id, &id);
		if (r == -ENOENT || r == -EPERM) {
			*ret = mods.data;
			*ret_n = mods.len;
			return 0;
		}
		if (r < 0)
			r = report(rp, r, "cannot list the kernel's BTF objects: %s",
				   errno_name(r));
		else
			r = add_module(id, vmlinux, rp, &mods);
	}
	module_btfs_free(mods.data, mods.len);
	return r;
}

void module_btfs_free(struct module_btf *mods, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		btf_unref(mods[i].btf);
		close(mods[i].fd);
	}
	free(mods);
}
