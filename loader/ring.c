/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/sys.h"

int ring_open(int map_fd, uint64_t size, struct report *rp, struct ring **ret)
{
	_cleanup_(ring_freep) struct ring *ring = calloc(1, sizeof(*ring));
	uint64_t len;
	void *at;
	int r;

	if (!ring)
		return -ENOMEM;
	ring->fd = map_fd;
	ring->size = size;
	ring->page = sysconf(_SC_PAGESIZE);
	if (__builtin_add_overflow(2 * size, ring->page, &len) || len > SIZE_MAX / 2)
		return report(rp, -E2BIG, "a ring of %llu bytes does not fit the address space",
			      (unsigned long long)size);
	r = sys_map_mmap(map_fd, ring->page, PROT_READ | PROT_WRITE, 0, &at);
	if (r < 0)
		return report(rp, r, "cannot map the ring's consumer page: %s", strerror(-r));
	ring->consumer = at;
	r = sys_map_mmap(map_fd, len, PROT_READ, ring->page, &at);
	if (r < 0)
		return report(rp, r, "cannot map the ring's data: %s", strerror(-r));
	ring->producer = at;
	ring->data = (const uint8_t *)at + ring->page;
	*ret = take_ptr(ring);
	return 0;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + 2 * ring->size);
	free(ring);
}
