# SPDX-License-Identifier: BSD-2-Clause
"""errno_of - do one thing to a file and say how it went, in the words of errno(3).

    errno_of.py write PATH [BLOCK]    standard input, in one write or in blocks
    errno_of.py append PATH           the same with O_APPEND
    errno_of.py read|open|mkdir|rmdir|unlink|create|truncate PATH
    errno_of.py rename|symlink FROM TO

Prints "ok", or the call that failed and its errno: "write ENOEXEC". A shell shows neither
which call it was nor, with dash, which errno; and it drops what close(2) says.
"""
import errno
import os
import sys


class Steps:
    """System calls that remember which one was the last."""

    def __init__(self):
        self.last = ""

    def __getattr__(self, name):
        def call(*args):
            self.last = name
            return getattr(os, name)(*args)

        return call


def write(steps, path, flags, block):
    data = sys.stdin.buffer.read()
    fd = steps.open(path, os.O_WRONLY | flags, 0o644)
    done = 0
    while done < len(data):
        done += steps.write(fd, data[done:done + (block or len(data))])
    steps.close(fd)


def read(steps, path):
    fd = steps.open(path, os.O_RDONLY)
    while steps.read(fd, 65536):
        pass


def main(operation, *args):
    steps = Steps()
    try:
        if operation == "write":
            block = int(args[1]) if len(args) > 1 else 0
            write(steps, args[0], os.O_CREAT | os.O_TRUNC, block)
        elif operation == "append":
            write(steps, args[0], os.O_APPEND, 0)
        elif operation == "read":
            read(steps, args[0])
        elif operation == "open":
            steps.open(args[0], os.O_RDONLY)
        elif operation == "create":
            steps.open(args[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        elif operation == "truncate":
            steps.truncate(args[0], 0)
        else:
            getattr(steps, operation)(*args)
    except OSError as error:
        name = errno.errorcode.get(error.errno, error.errno)
        # Two names of one number; the other one is what people know.
        print(steps.last, "EOPNOTSUPP" if name == "ENOTSUP" else name)
        return 1
    print("ok")
    return 0


sys.exit(main(*sys.argv[1:]))
