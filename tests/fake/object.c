/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fake/object.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/str.h"

/* Our own descriptors start here, out of the way of those that a test looks at. */
enum { OWN_FD_MIN = 400 };

static VEC(struct object *) objects;
static uint32_t last_id[N_KINDS];

struct object *object_new(int kind, int *fd)
{
	static const char *const names[N_KINDS] = {
		"fake-prog", "fake-map", "fake-link", "fake-btf", "fake-perf", "fake-iter",
	};
	_cleanup_close_ int memfd = memfd_create(names[kind], MFD_CLOEXEC);
	struct object *o;
	struct stat st;

	if (memfd < 0 || fstat(memfd, &st) < 0)
		return NULL;
	o = calloc(1, sizeof(*o));
	if (!o || vec_push(&objects, o))
		abort();
	o->kind = kind;
	o->id = ++last_id[kind];
	o->dev = st.st_dev;
	o->ino = st.st_ino;
	o->fd = fcntl(memfd, F_DUPFD_CLOEXEC, OWN_FD_MIN);
	*fd = o->fd < 0 ? -1 : object_fd(o);
	if (*fd >= 0)
		return o;
	/* It has not been seen by anyone. */
	closep(&o->fd);
	objects.len--;
	last_id[kind]--;
	free(o);
	return NULL;
}

static bool refers_to(int fd, const struct object *o)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == o->ino && st.st_dev == o->dev;
}

struct object *object_by_fd(int kind, int fd)
{
	vec_for_each (o, &objects) {
		if ((*o)->kind == kind && refers_to(fd, *o))
			return *o;
	}
	return NULL;
}

struct object *object_by_id(int kind, uint32_t id)
{
	vec_for_each (o, &objects) {
		if ((*o)->kind == kind && (*o)->id == id)
			return *o;
	}
	return NULL;
}

int object_fd(const struct object *o)
{
	return fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
}

void objects_reset(void)
{
	vec_for_each (it, &objects) {
		struct object *o = *it;

		fake_map_free(o);
		free(o->insns);
		vec_deinit(&o->map_ids);
		free(o->btf);
		close(o->fd);
		free(o);
	}
	vec_deinit(&objects);
	memset(last_id, 0, sizeof(last_id));
}

unsigned fake_sys_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	unsigned n = 0;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		vec_for_each (o, &objects)
			n += fd != (*o)->fd && refers_to(fd, *o);
	}
	if (dir)
		closedir(dir);
	return n;
}

int fake_next_id(int kind, struct abi_get_id *attr)
{
	uint32_t best = 0;

	vec_for_each (o, &objects) {
		if ((*o)->kind == kind && (*o)->id > attr->id && (!best || (*o)->id < best))
			best = (*o)->id;
	}
	if (!best)
		return -ENOENT;
	attr->next_id = best;
	return 0;
}

int fake_fd_by_id(int kind, const struct abi_get_id *attr)
{
	const struct object *o = object_by_id(kind, attr->id);
	int fd;

	if (!o)
		return -ENOENT;
	fd = object_fd(o);
	return fd < 0 ? -errno : fd;
}

static void give(uint64_t to, const void *from, size_t len)
{
	if (to && len)
		memcpy((void *)(uintptr_t)to, from, len);
}

static void prog_info(const struct object *o, struct bpf_prog_info *info)
{
	uint32_t len = o->prog.insn_cnt * sizeof(*o->insns);

	give(info->map_ids, o->map_ids.data,
	     MIN(info->nr_map_ids, o->map_ids.len) * sizeof(uint32_t));
	give(info->xlated_prog_insns, o->insns, MIN(info->xlated_prog_len, len));
	info->type = o->prog.prog_type;
	info->id = o->id;
	info->xlated_prog_len = len;
	info->jited_prog_len = 0;
	info->nr_map_ids = o->map_ids.len;
	info->gpl_compatible = 1;
	info->btf_id = o->btf_id;
	info->attach_btf_id = o->prog.attach_btf_id;
	memcpy(info->name, o->prog.prog_name, sizeof(info->name));
}

static void map_info(const struct object *o, struct bpf_map_info *info)
{
	*info = (struct bpf_map_info){
		.type = o->map.map_type,
		.id = o->id,
		.key_size = o->map.key_size,
		.value_size = o->map.value_size,
		.max_entries = o->map.max_entries,
		.map_flags = o->map.map_flags,
		.ifindex = o->map.map_ifindex,
		.btf_vmlinux_value_type_id = o->map.btf_vmlinux_value_type_id,
		.btf_id = o->btf_id,
		.btf_key_type_id = o->map.btf_key_type_id,
		.btf_value_type_id = o->map.btf_value_type_id,
		.map_extra = o->map.map_extra,
	};
	memcpy(info->name, o->map.map_name, sizeof(info->name));
}

static int btf_info(const struct object *o, struct bpf_btf_info *info)
{
	size_t name_size = strlen(o->name) + 1;
	bool fits = !info->name || info->name_len >= name_size;

	give(info->btf, o->btf, MIN(info->btf_size, o->btf_len));
	if (fits)
		give(info->name, o->name, name_size);
	info->btf_size = o->btf_len;
	info->id = o->id;
	info->name_len = name_size - 1;
	info->kernel_btf = o->btf_kernel;
	return fits ? 0 : -ENOSPC;
}

int fake_info(const struct abi_info *attr)
{
	union {
		struct bpf_prog_info prog;
		struct bpf_map_info map;
		struct bpf_btf_info btf;
		struct abi_link_info link;
	} info = {};
	size_t len = MIN(attr->info_len, sizeof(info));
	struct object *o;
	int r = 0;

	memcpy(&info, (const void *)(uintptr_t)attr->info, len);
	if ((o = object_by_fd(KOBJ_PROG, attr->bpf_fd))) {
		len = MIN(len, sizeof(info.prog));
		prog_info(o, &info.prog);
	} else if ((o = object_by_fd(KOBJ_MAP, attr->bpf_fd))) {
		len = MIN(len, sizeof(info.map));
		map_info(o, &info.map);
	} else if ((o = object_by_fd(KOBJ_BTF, attr->bpf_fd))) {
		len = MIN(len, sizeof(info.btf));
		r = btf_info(o, &info.btf);
	} else if ((o = object_by_fd(KOBJ_LINK, attr->bpf_fd))) {
		len = MIN(len, sizeof(info.link));
		fake_link_info(o, &info.link);
	} else {
		return fcntl(attr->bpf_fd, F_GETFD) < 0 ? -EBADF : -EINVAL;
	}
	give(attr->info, &info, len);
	return r;
}

/* A pin is a file that says which object it means: rename, stat and unlink work on it. */
int fake_pin(const struct abi_obj *attr)
{
	const char *path = (const char *)(uintptr_t)attr->pathname, *base = strrchr(path, '/');
	struct object *o = NULL;
	int fd;

	for (int kind = KOBJ_PROG; kind <= KOBJ_LINK && !o; kind++)
		o = object_by_fd(kind, attr->bpf_fd);
	if (!o)
		return fcntl(attr->bpf_fd, F_GETFD) < 0 ? -EBADF : -EINVAL;
	if (strchr(base ? base : path, '.'))
		return -EPERM;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	dprintf(fd, "%d %u\n", o->kind, o->id);
	close(fd);
	return 0;
}

int fake_get(const struct abi_obj *attr)
{
	FILE *file = fopen((const char *)(uintptr_t)attr->pathname, "re");
	struct abi_get_id by_id = {};
	int kind, n;

	if (!file)
		return -errno;
	n = fscanf(file, "%d %u", &kind, &by_id.id);
	fclose(file);
	if (n != 2)
		return -EACCES;
	return fake_fd_by_id(kind, &by_id);
}

uint32_t fake_sys_add_btf(const char *name, const void *data, size_t len)
{
	int fd;
	struct object *o = object_new(KOBJ_BTF, &fd);

	if (!o)
		abort();
	close(fd);
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->btf = malloc(len ? len : 1);
	if (!o->btf)
		abort();
	memcpy(o->btf, data, len);
	o->btf_len = len;
	o->btf_kernel = true;
	return o->id;
}
