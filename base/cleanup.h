/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * cleanup - storage that gives itself back at the end of its scope.
 *
 *	_cleanup_close_ int fd = open(…);
 *	_cleanup_(ring_freep) struct ring *ring = NULL;
 *	…
 *	*ret = take_ptr(ring);
 *
 * Always initialise on the line of the declaration.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)	__attribute__((cleanup(fn)))
#define _cleanup_free_	_cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

/* x_freep() for a type that has x_free(). Stands right after the prototype of x_free(). */
#define DEFINE_CLEANUP(type, x_free)                                                               \
	static inline void x_free##p(type **p)                                                     \
	{                                                                                          \
		x_free(*p);                                                                        \
	}

/* Hand a pointer or a descriptor over: the variable no longer owns it. */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})
#define take_fd(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

static inline void freep(void *p)
{
	free(*(void **)p);
}

/* Closes and keeps errno, so that an error path does not lose its cause. */
static inline void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}
