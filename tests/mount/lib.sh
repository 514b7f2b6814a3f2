# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# lib.sh - what the scripts of this folder share. They source it, define functions named
# check_…, and end with run_checks:
#
#	. "$(dirname "$0")/lib.sh"
#
#	check_cp_loads()
#	{
#		cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
#		is "$(cat "$M/objects/version/state")" loaded
#	}
#
#	run_checks
#
# The script gets a daemon of its own on a mountpoint of its own ($M). Each check runs in a
# process group of its own and prints "ok NAME", "FAIL NAME: why" or "skip NAME: why"; what it
# left in the tree or running is cleaned up behind it. One that takes longer than its time
# (LIMIT_S, or limit[check_NAME]) fails, and the daemon is killed first: the kernel does not let
# a process go that waits for an answer, but it does when there is nobody to answer.
#
#	script.sh [GLOB]	run the checks whose name matches
#	BPFUSE_BUILD=DIR	what to test (default: build/)
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(cd "${BPFUSE_BUILD:-$ROOT/build}" && pwd) || exit 2
BPFUSE=$BUILD/fs/bpfuse
OBJ=$BUILD/tests/data
EXAMPLES=$BUILD/examples
PRODUCE=$BUILD/tests/produce
HERE=$ROOT/tests/mount
export LC_ALL=C

# A sanitizer build is several times slower, and so is an emulated machine: all time limits grow.
SLOW=${BPFUSE_TEST_SLOW:-1}
is_sanitized=
if nm -D "$BPFUSE" 2> /dev/null | grep -q __asan_init; then
	is_sanitized=yes
	SLOW=$((SLOW * 4))
fi
LIMIT_S=60
declare -A limit

W=$(mktemp -d /tmp/bpfuse-test.XXXXXX)
M=$W/mnt
mkdir "$M"
mounted_tracefs=

#
# In checks
#

fail()
{
	printf '%s\n' "$*" > "$W/why"
	exit 1
}

skip()
{
	printf '%s\n' "$*" > "$W/why"
	exit 77
}

# is GOT EXPECTED [WHAT]
is()
{
	[ "$1" = "$2" ] || fail "${3:+$3: }got '$1', not '$2'"
}

# has TEXT PART [WHAT]: for sentences, whose exact wording is nobody's business
has()
{
	case $1 in
	*"$2"*) ;;
	*) fail "${3:+$3: }'$1' does not say '$2'" ;;
	esac
}

need()
{
	local command
	for command; do
		command -v "$command" > /dev/null || skip "there is no $command"
	done
}

# A command that may hang: it gets 20 s, then SIGTERM, then SIGKILL.
try()
{
	timeout -k 2 $((20 * SLOW)) "$@"
}

# sleep(1) without a process: that one is as dear as 100 of these, on an emulated machine a tenth of a second.
exec {never}<> <(:)
nap()
{
	read -rt "$1" -u "$never"
	return 0
}

# wait_until SECONDS COMMAND…: false if it does not come true in time
wait_until()
{
	local end=$((SECONDS + $1 * SLOW))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		nap 0.05
	done
}

# errno_of OPERATION PATH…: "ok", or what failed and how: "write ENOEXEC"
errno_of()
{
	try python3 "$HERE/errno_of.py" "$@"
}

# bpf_clang SOURCE OUTPUT [FLAGS…]
bpf_clang()
{
	local source=$1 output=$2 machine
	shift 2
	need clang
	machine=$(uname -m)
	case $machine in
	x86_64) set -- -D__TARGET_ARCH_x86 "$@" ;;
	aarch64) set -- -D__TARGET_ARCH_arm64 "$@" ;;
	esac
	try clang -target bpf -g -O2 -Wall -idirafter "/usr/include/$machine-linux-gnu" \
		-c "$source" -o "$output" "$@"
}

# The independent observer.
bpftool_json()
{
	try bpftool -j "$@"
}

# Does the kernel have it? there prog|map|link ID
there()
{
	[ "$(bpftool_json "$1" show id "$2" 2> /dev/null | jq '.id // empty' 2> /dev/null)" = "$2" ]
}

gone()
{
	! there "$@"
}

# Ids that the daemon holds descriptors of: held prog|map|link
held()
{
	cat /proc/"$(daemon_pid)"/fdinfo/* 2> /dev/null | sed -n "s/^$1_id:[[:space:]]*//p" | sort -nu
}

# Descriptors of the daemon
count_fds()
{
	find /proc/"$(daemon_pid)"/fd -mindepth 1 | wc -l
}

# The file system's pid: the program's name is that of our build, our mountpoint is an argument.
daemon_pid()
{
	local proc
	for proc in /proc/[0-9]*; do
		[ "$proc/exe" -ef "$BPFUSE" ] || continue
		if tr '\0' '\n' 2> /dev/null < "$proc/cmdline" | grep -qxF -- "${1:-$M}"; then
			echo "${proc#/proc/}"
			return
		fi
	done
	return 1
}

is_mounted()
{
	grep -qF " ${1:-$M} " /proc/self/mountinfo
}

#
# The daemon
#

# start [OPTIONS…]: fails with what bpfuse said
start()
{
	(
		ulimit -c 0
		export ASAN_OPTIONS="log_path=$W/sanitizer:detect_leaks=1:exitcode=99"
		export UBSAN_OPTIONS="log_path=$W/sanitizer:print_stacktrace=1"
		timeout -k 2 $((20 * SLOW)) "$BPFUSE" "$M" "$@"
	)
}

# Unmount, and wait for the end of the daemon.
stop()
{
	local pid
	pid=$(daemon_pid)
	timeout -k 2 20 umount "$M" 2> /dev/null || timeout -k 2 20 umount -l "$M" 2> /dev/null
	[ -z "$pid" ] || wait_until 10 ended "$pid"
}

ended()
{
	! [ -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status" 2> /dev/null
}

kill_daemon()
{
	local pid
	while pid=$(daemon_pid); do
		kill -9 "$pid"
		wait_until 5 ended "$pid"
	done
	while is_mounted; do
		timeout -k 2 20 umount -l "$M" || break
	done
}

# Whatever a script mounted below its directory.
unmount_all()
{
	local mountpoint
	daemon_pid > /dev/null && kill_daemon
	awk -v w="$W/" 'index($5, w) == 1 { print $5 }' /proc/self/mountinfo | while read -r mountpoint; do
		timeout -k 2 20 umount -l "$mountpoint"
	done
}

answers()
{
	[ -n "$(timeout -k 2 $((5 * SLOW)) cat "$M/version" 2> /dev/null)" ]
}

# Take away what a check left in the tree.
clean_tree()
{
	timeout -k 2 $((30 * SLOW)) find "$M/load" "$M/run" -mindepth 1 -maxdepth 1 -type f -delete
	timeout -k 2 $((30 * SLOW)) find "$M/objects" -mindepth 1 -maxdepth 1 -type d -exec rmdir {} +
} > /dev/null 2>&1

#
# Running checks
#

n_passed=0 n_failed=0 n_skipped=0

# verdict STATUS NAME [WHY]
verdict()
{
	case $1 in
	0)
		n_passed=$((n_passed + 1))
		echo "ok $2"
		;;
	77)
		n_skipped=$((n_skipped + 1))
		echo "skip $2: ${3:-}"
		;;
	*)
		n_failed=$((n_failed + 1))
		echo "FAIL $2: ${3:-}"
		;;
	esac
}

# A check's process group: 0 while something of it still runs.
group_alive()
{
	kill -0 -- "-$1" 2> /dev/null
}

# What is in the kernel and open in the daemon before a check, and what of what is after it was not.
note_state()
{
	state_pid=
	[ -n "$own_daemon" ] || state_pid=$(daemon_pid)
	"$BUILD/tests/ls_state" ${state_pid:+-p "$state_pid"} > "$W/state"
}

what_is_left()
{
	# A daemon that was started anew has descriptors of its own.
	[ "$(daemon_pid)" = "$state_pid" ] || state_pid=
	"$BUILD/tests/ls_state" ${state_pid:+-p "$state_pid"} -w $((5000 * SLOW)) -b "$BUILD" "$W/state" |
		paste -sd,
	return "${PIPESTATUS[0]}"
}

run_check()
{
	local function=$1 name=${1#check_} status why pid left
	local end=$((SECONDS + ${limit[$1]:-$LIMIT_S} * SLOW))

	rm -f "$W/why"
	mkdir -p "$W/scratch"
	note_state
	set -m
	(
		set +m
		trap - EXIT
		cd "$W/scratch" || exit 1
		"$function"
	) < /dev/null > "$W/out" 2>&1 &
	pid=$!
	set +m
	while kill -0 "$pid" 2> /dev/null && [ $SECONDS -lt $end ]; do
		nap 0.02
	done
	if kill -0 "$pid" 2> /dev/null; then
		kill_daemon
		kill -9 -- "-$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
		verdict 1 "$name" "no end after $((${limit[$1]:-$LIMIT_S} * SLOW)) s; the daemon was killed"
		sed 's/^/  | /' "$W/out"
		return
	fi
	wait "$pid" 2> /dev/null
	status=$?
	why=$(cat "$W/why" 2> /dev/null)
	[ $status -ne 0 ] && [ -z "$why" ] && why="exit status $status"
	# What it left running: readers that wait, mostly.
	if group_alive "$pid"; then
		kill -TERM -- "-$pid" 2> /dev/null
		if ! wait_until 2 not group_alive "$pid"; then
			kill -9 -- "-$pid" 2> /dev/null
			if ! wait_until 2 not group_alive "$pid"; then
				status=1 why="${why:+$why; }a process does not die of SIGKILL: the daemon was killed"
				kill_daemon
			fi
		fi
	fi
	if [ -z "$own_daemon" ]; then
		if ! daemon_pid > /dev/null; then
			status=1 why="${why:+$why; }the daemon died"
		elif ! answers; then
			status=1 why="${why:+$why; }the mount does not answer any more; the daemon was killed"
			kill_daemon
		fi
	fi
	if [ -n "$own_daemon" ]; then
		unmount_all
	else
		clean_tree
	fi
	if ! left=$(what_is_left); then
		status=1 why="${why:+$why; }left behind: $left"
	fi
	verdict "$status" "$name" "$why"
	[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || sed 's/^/  | /' "$W/out" | tail -n 40
	rm -rf --one-file-system "$W/scratch"
}

not()
{
	! "$@"
}

restart_if_dead()
{
	[ -z "$own_daemon" ] || return 0
	daemon_pid > /dev/null && answers && return 0
	kill_daemon
	start > "$W/start" 2>&1 && return 0
	verdict 1 start "bpfuse does not start: $(tail -n 3 "$W/start")"
	return 1
}

clean_up()
{
	trap '' EXIT INT TERM
	stop
	unmount_all
	[ -z "$mounted_tracefs" ] || umount /sys/kernel/tracing
	is_mounted || rm -rf --one-file-system "$W"
}

# Tests need tracefs, which a container or a small machine may not have mounted.
need_tracefs()
{
	[ -d /sys/kernel/tracing/events ] && return
	mount -t tracefs tracefs /sys/kernel/tracing && mounted_tracefs=yes
}

# run_checks [own_daemon]: with that word each check starts daemons by itself
run_checks()
{
	local function functions held_before ids id kind

	own_daemon=${1:-}
	[ "$(id -u)" -eq 0 ] || {
		verdict 77 "$(basename "$0")" "must be root"
		exit 77
	}
	trap clean_up EXIT
	trap 'exit 1' INT TERM
	need_tracefs
	# In the order in which they are written.
	functions=$(grep -o '^check_[a-z0-9_]*' "$0")
	for function in $functions; do
		# shellcheck disable=SC2053
		[[ ${function#check_} == ${pattern:-*} ]] || continue
		restart_if_dead || break
		run_check "$function"
	done
	if [ -z "$own_daemon" ] && daemon_pid > /dev/null; then
		ids=
		for kind in prog map link; do
			for id in $(held "$kind"); do
				ids="$ids $kind:$id"
			done
		done
		stop
		if daemon_pid > /dev/null; then
			verdict 1 daemon_ends "it lives on after umount"
		else
			verdict 0 daemon_ends
		fi
		held_before=
		for id in $ids; do
			wait_until 5 gone "${id%%:*}" "${id##*:}" || held_before="$held_before $id"
		done
		if [ -n "$held_before" ]; then
			verdict 1 leaves_nothing "still in the kernel:$held_before"
		else
			verdict 0 leaves_nothing
		fi
	fi
	if [ -n "$(cat "$W"/sanitizer* 2> /dev/null)" ]; then
		verdict 1 sanitizers "they complain"
		cat "$W"/sanitizer* | head -n 200 | sed 's/^/  | /'
	elif [ -n "$is_sanitized" ]; then
		verdict 0 sanitizers
	fi
	echo "$n_passed passed, $n_failed failed, $n_skipped skipped"
	[ "$n_failed" -eq 0 ]
	exit
}

pattern=${1:-*}
