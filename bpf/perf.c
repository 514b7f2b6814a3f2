/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/perf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "bpf/sys.h"

#define UPROBE_PMU "/sys/bus/event_source/devices/uprobe/"

/* One short line of a kernel file without its newline. */
static int read_line(const char *path, char *ret, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

static int read_number(const char *path, uint64_t *ret)
{
	char line[64];
	int r = read_line(path, line, sizeof(line));

	if (r < 0)
		return r;
	return parse_u64(line, ret);
}

int perf_open_tracepoint(uint64_t id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
	};

	return sys_perf_event_open(&attr, -1, 0, -1, 0);
}

/* "config:32-63" or "config:0" in the PMU's format/@name: the lowest bit. */
static int config_bit(const char *name, unsigned *ret)
{
	char path[128], line[64];
	int r;

	snprintf(path, sizeof(path), UPROBE_PMU "format/%s", name);
	r = read_line(path, line, sizeof(line));
	if (r < 0)
		return r;
	return sscanf(line, "config:%u", ret) == 1 && *ret < 64 ? 0 : -EINVAL;
}

int perf_open_uprobe(const struct perf_probe *probe)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.uprobe_path = ptr_to_u64(probe->path),
		.probe_offset = probe->offset,
	};
	uint64_t type;
	unsigned bit;

	if (read_number(UPROBE_PMU "type", &type) < 0 || type > UINT32_MAX)
		return -EOPNOTSUPP;
	attr.type = type;
	if (probe->ret) {
		if (config_bit("retprobe", &bit) < 0)
			return -EOPNOTSUPP;
		attr.config |= 1ull << bit;
	}
	if (probe->ref_ctr_offset) {
		/* Kernels before 4.20 have no such counter. */
		if (probe->ref_ctr_offset > UINT32_MAX || config_bit("ref_ctr_offset", &bit) < 0)
			return -EINVAL;
		attr.config |= probe->ref_ctr_offset << bit;
	}
	/* Any process: then the event belongs to a CPU, though the probe hits on all of them. */
	return sys_perf_event_open(&attr, probe->pid, probe->pid == -1 ? 0 : -1, -1, 0);
}

int perf_enable(int fd)
{
	return sys_perf_ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
}

int perf_disable(int fd)
{
	return sys_perf_ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
}

int perf_set_bpf(int fd, int prog_fd)
{
	return sys_perf_ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd);
}

/* The names come from object files and users: they must not walk elsewhere. */
static bool is_file_name(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

int tracepoint_id(const char *category, const char *name, uint64_t *ret)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[512];
	int r;

	if (!is_file_name(category) || !is_file_name(name))
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		snprintf(path, sizeof(path), "%s/events", roots[i]);
		if (access(path, F_OK) < 0) {
			if (errno != ENOENT)
				return -errno;
			continue;
		}
		r = snprintf(path, sizeof(path), "%s/events/%s/%s/id", roots[i], category, name);
		if (r >= (int)sizeof(path))
			return -ENOENT;
		return read_number(path, ret);
	}
	return -ENODEV;
}
