# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# lib.sh - what fetch and run share: which kernels there are, and where they are kept.

# A kernel's name here, and the suite of Debian that has it.
kernels='6.1 6.12 7.x'
suite_of()
{
	case $1 in
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	7.x) echo sid ;;
	*) return 1 ;;
	esac
}

# Outside the source: 150 MB a kernel. In it: KERNEL/vmlinuz, config, release, modules/RELEASE/.
cache=${BPFUSE_VM_CACHE:-${XDG_CACHE_HOME:-/var/cache}/bpfuse-vm}

die()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

say()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

# One that is on this machine, or the one that fetch unpacked.
find_busybox()
{
	local file
	for file in "$(command -v busybox)" "$cache"/tools/{usr/,}bin/busybox; do
		# Alone in an initramfs: no library will be there.
		[ -x "$file" ] && ! ldd "$file" > /dev/null 2>&1 || continue
		echo "$file"
		return
	done
	return 1
}
