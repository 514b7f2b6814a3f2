/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kobj.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/str.h"
#include "bpf/abi.h"
#include "bpf/sys.h"

static const struct {
	int next_id, fd_by_id;
} commands[] = {
	[KOBJ_PROG] = { BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID },
	[KOBJ_MAP] = { BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID },
	[KOBJ_LINK] = { BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID },
	[KOBJ_BTF] = { BPF_BTF_GET_NEXT_ID, BPF_BTF_GET_FD_BY_ID },
};

int kobj_next_id(enum kobj_kind kind, uint32_t id, uint32_t *ret)
{
	struct abi_get_id attr = { .id = id };
	int r = sys_bpf(commands[kind].next_id, &attr, ABI_SIZE(struct abi_get_id, next_id));

	if (r < 0)
		return r;
	*ret = attr.next_id;
	return 0;
}

int kobj_fd_by_id(enum kobj_kind kind, uint32_t id)
{
	struct abi_get_id attr = { .id = id };

	return sys_bpf(commands[kind].fd_by_id, &attr, sizeof(attr));
}

int kobj_map_fd_by_id_rdonly(uint32_t id)
{
	struct abi_get_id attr = { .id = id, .open_flags = BPF_F_RDONLY };

	return sys_bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
}

int kobj_info(int fd, void *info, size_t len)
{
	struct abi_info attr = {
		.bpf_fd = fd,
		.info_len = len,
		.info = ptr_to_u64(info),
	};

	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

int kobj_pin(int fd, const char *path)
{
	struct abi_obj attr = { .pathname = ptr_to_u64(path), .bpf_fd = fd };

	return sys_bpf(BPF_OBJ_PIN, &attr, ABI_SIZE(struct abi_obj, file_flags));
}

int kobj_get(const char *path)
{
	struct abi_obj attr = { .pathname = ptr_to_u64(path) };

	return sys_bpf(BPF_OBJ_GET, &attr, ABI_SIZE(struct abi_obj, file_flags));
}

int kobj_fdinfo(int fd, const char *key, uint64_t *ret)
{
	char path[64], line[256];
	size_t key_len = strlen(key);
	int r = -ENOENT;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file) {
		/* No such file: no such descriptor, or no /proc. */
		r = -errno;
		return fcntl(fd, F_GETFD) < 0 ? -errno : r;
	}
	while (r == -ENOENT && fgets(line, sizeof(line), file)) {
		char *value = line + key_len;

		if (strncmp(line, key, key_len) || *value++ != ':')
			continue;
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		r = parse_u64(value, ret);
	}
	fclose(file);
	return r;
}

void kobj_name(char ret[BPF_OBJ_NAME_LEN], const char *name)
{
	size_t i = 0;

	for (; name && name[i] && i < BPF_OBJ_NAME_LEN - 1; i++) {
		char c = name[i];
		bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z') || c == '.';

		ret[i] = fine ? c : '_';
	}
	memset(ret + i, 0, BPF_OBJ_NAME_LEN - i);
}
