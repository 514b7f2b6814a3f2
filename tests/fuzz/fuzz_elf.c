/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object's whole way: from hostile bytes through parsing, maps, CO-RE and
 * relocation to what a kernel in memory is asked to load. The last byte of the
 * input, which an ELF file does not miss, says how old that kernel is. Its types
 * are the object's own, so that CO-RE finds something.
 */
#include <errno.h>

#include "bpf/abi.h"
#include "loader/btf.h"
#include "loader/image.h"
#include "loader/kernel_btf.h"
#include "loader/load.h"
#include "tests/fake/sys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/kernel_types.h"

static const char pin_root[] = "/nowhere/pins";

/* Nothing is pinned for real; what would be stays below the root for pins. */
static int watch_pins(int cmd, void *attr, size_t size, bool *handled)
{
	const struct abi_obj *obj = attr;
	const char *path;

	(void)size;
	if (cmd != BPF_OBJ_PIN && cmd != BPF_OBJ_GET)
		return 0;
	*handled = true;
	path = (const char *)(uintptr_t)obj->pathname;
	REQUIRE(!strncmp(path, pin_root, strlen(pin_root)));
	path += strlen(pin_root);
	REQUIRE(*path == '/' && !strchr(path + 1, '/') && strcmp(path, "/..") &&
		strcmp(path, "/."));
	return cmd == BPF_OBJ_PIN ? 0 : -ENOENT;
}

static void age_kernel(uint8_t age)
{
	fake_kernel.no_global_data = age & 1;
	fake_kernel.no_mmapable = age & 2;
	fake_kernel.no_btf = age & 4;
	fake_kernel.no_global_func = age & 8;
	if (age & 16)
		fake_kernel.max_btf_kind = BTF_KIND_FUNC_PROTO + (age >> 5);
	fake_kernel.no_names = (age & 0x1f) == 0x0f;
}

/* A whole image is one whose end a growing file would have known. */
static void check_extent(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct image *img = NULL;
	uint64_t extent;
	int r = image_open(data, size, &rp, &img);

	require_sentence(r, &rp);
	if (r == 0)
		REQUIRE(image_extent(data, size, &extent) == 0 && extent <= size);
	image_free(img);
}

static void load(const struct object *obj, struct load_config *cfg)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct feature features = {};
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	struct load_env env = { .features = &features, .kernel_btf = kb };
	struct loaded *l = NULL;
	int r = load_prepare(obj, cfg, &env, &rp, &l);

	require_sentence(r, &rp);
	if (r == 0)
		require_sentence(load_programs(l, cfg, &rp), &rp);
	if (l)
		loaded_undo_pins(l, cfg);
	loaded_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct load_config cfg = {};
	struct object *obj = NULL;
	int r;

	check_extent(data, size);
	r = object_parse(data, size, "fuzzed", &rp, &obj);
	require_sentence(r, &rp);
	REQUIRE(r == 0 || r == -ENOEXEC || r == -EBADMSG || r == -EOPNOTSUPP || r == -ENOMEM);
	if (r < 0)
		return 0;
	fake_sys_hook = watch_pins;
	age_kernel(data[size - 1]);
	kernel_types = obj->btf;
	if (load_config_init(obj, &cfg) == 0) {
		cfg.pin_root = strdup(pin_root);
		load(obj, &cfg);
	}
	load_config_deinit(&cfg);
	object_free(obj);
	kernel_types = NULL;
	REQUIRE(fake_sys_open_fds() == 0);
	fake_sys_reset();
	fake_sys_hook = NULL;
	return 0;
}
