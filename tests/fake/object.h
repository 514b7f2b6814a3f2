/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* object - inside the fake kernel: its objects, and who answers which command. Lock held
 * everywhere. */
#include <sys/stat.h>

#include "base/vec.h"
#include "bpf/kobj.h"
#include "tests/fake/sys.h"

/* After the four kinds that have ids of their own. */
enum { KIND_PERF = KOBJ_BTF + 1, KIND_OTHER, N_KINDS };

struct element {
	void *key, *value;
};

struct object {
	int kind;
	uint32_t id;
	int fd; /* ours, high up: descriptors of callers are duplicates */
	dev_t dev;
	ino_t ino; /* of the memfd: how a descriptor is recognised */
	char name[64];
	uint32_t btf_id; /* programs, maps: the BTF that they came with */

	struct abi_map_create map;
	bool frozen;
	void *data; /* arrays, rings: the memfd, mapped */
	size_t data_len;
	VEC(struct element) elements; /* other maps */

	struct abi_prog_load prog;
	struct bpf_insn *insns;
	VEC(uint32_t) map_ids;

	void *btf;
	uint32_t btf_len;
	bool btf_kernel;

	uint32_t link_type, link_prog; /* id of the program */
	bool detached;
	const struct fake_call *made; /* links: the request */

	struct perf_event_attr perf;
	bool enabled;
	uint32_t perf_prog;
};

/* A new object and, in *@fd, a descriptor for the caller; NULL when descriptors run out. */
struct object *object_new(int kind, int *fd);
/* NULL if @fd is no object of that kind. */
struct object *object_by_fd(int kind, int fd);
struct object *object_by_id(int kind, uint32_t id);
/* A further descriptor for the caller. */
int object_fd(const struct object *o);
/* Frees all objects. */
void objects_reset(void);

/* Commands on objects of any kind. */
int fake_next_id(int kind, struct abi_get_id *attr);
int fake_fd_by_id(int kind, const struct abi_get_id *attr);
int fake_info(const struct abi_info *attr);
int fake_pin(const struct abi_obj *attr);
int fake_get(const struct abi_obj *attr);

/* map.c */
int fake_map_create(const struct abi_map_create *attr);
int fake_map_elem(int cmd, const struct abi_map_elem *attr);
int fake_map_batch(int cmd, struct abi_map_batch *attr);
int fake_map_mmap(const struct fake_map_mmap *attr, void **ret);
uint32_t fake_map_value_bytes(const struct object *map);
void fake_map_free(struct object *map);

/* load.c */
int fake_prog_load(struct abi_prog_load *attr);
int fake_btf_load(struct abi_btf_load *attr);
void fake_verdicts_reset(void);
/* Is it a name that the kernel takes? 0 or -errno. */
int fake_check_name(const char name[BPF_OBJ_NAME_LEN]);

/* link.c */
int fake_link_create(const struct abi_link_create *attr, const struct fake_call *call);
int fake_raw_tracepoint_open(const struct abi_raw_tracepoint *attr, const struct fake_call *call);
int fake_link_update(const struct abi_link_update *attr);
int fake_link_detach(const struct abi_link_fd *attr);
int fake_iter_create(const struct abi_link_fd *attr);
int fake_perf_open(const struct fake_perf_open *attr);
int fake_perf_ioctl(const struct fake_perf_ioctl *attr);
void fake_link_info(const struct object *link, struct abi_link_info *info);

/* record.c */
struct fake_call *record_new(int cmd, const void *attr, size_t size);
void record_reset(void);
