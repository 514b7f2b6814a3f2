#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# command.sh - bpfuse as a command: mounting, options, errors of the start, the end.
. "$(dirname "$0")/lib.sh"

check_returns_when_usable()
{
	start || fail "bpfuse: $?"
	is_mounted || fail "not mounted"
	has "$(ls "$M")" README
	[ -n "$(cat "$M/version")" ] || fail "version is empty"
	stop
	is_mounted && fail "still mounted"
	daemon_pid && fail "the daemon lives on"
	return 0
}

check_does_not_hold_the_callers_pipe()
{
	# $(…) waits until nobody has its pipe open any more.
	local said
	said=$(try "$BPFUSE" "$M" 2>&1) || fail "bpfuse: $said"
	is "$said" "" "output"
	is "$(readlink /proc/"$(daemon_pid)"/cwd)" / "working directory"
	is "$(readlink /proc/"$(daemon_pid)"/fd/0)" /dev/null "standard input"
	stop
}

check_stays_in_the_foreground()
{
	local pid status
	"$BPFUSE" -f "$M" &
	pid=$!
	wait_until 10 answers || fail "not mounted"
	is "$(daemon_pid)" "$pid" "pid"
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	is "$status" 0 "exit status after SIGTERM"
	is_mounted && fail "still mounted"
	return 0
}

check_takes_a_source()
{
	try "$BPFUSE" none "$M" || fail "bpfuse none: $?"
	answers || fail "no answer"
	stop
	try "$BPFUSE" none "$M" -o rw,dev,suid || fail "with the options that mount(8) adds: $?"
	answers || fail "no answer"
	has "$(grep -F " $M " /proc/mounts)" fuse.bpfuse "type"
	stop
}

check_mount_program_calls_it()
{
	local helper
	helper=$(command -v mount.fuse3 || command -v mount.fuse) || skip "there is no mount.fuse3"
	try "$helper" "$BPFUSE#none" "$M" -o rw || fail "mount.fuse3: $?"
	answers || fail "no answer"
	stop
}

check_is_the_owners_alone()
{
	need setpriv
	start || fail "bpfuse: $?"
	is "$(stat -c %a "$M")" 700 "mode of the root"
	setpriv --reuid 65534 --clear-groups cat "$M/version" 2> /dev/null && fail "nobody may read"
	stop
}

check_may_be_opened_for_others()
{
	need setpriv
	chmod 755 "$W"
	start -o allow_other,uid=65534,gid=0,mode=0750 || fail "bpfuse: $?"
	is "$(stat -c %u:%g:%a "$M")" 65534:0:750 "the root"
	[ -n "$(setpriv --reuid 65534 --clear-groups cat "$M/version")" ] || fail "its owner may not read"
	setpriv --reuid 1234 --regid 1234 --clear-groups cat "$M/version" 2> /dev/null && fail "others may read"
	stop
}

check_unknown_option_is_named()
{
	local said
	said=$(start -o mdoe=755 2>&1) && fail "it started"
	has "$said" mdoe
	is_mounted && fail "mounted all the same"
	said=$(start --no-such-option 2>&1) && fail "it started"
	has "$said" no-such-option
	daemon_pid && fail "a daemon stays"
	return 0
}

check_bad_mountpoint()
{
	local said
	said=$(try "$BPFUSE" "$W/absent" 2>&1) && fail "it mounted on nothing"
	has "$said" "$W/absent"
	has "$said" "No such file"
	echo text > "$W/file"
	said=$(try "$BPFUSE" "$W/file" 2>&1) && fail "it mounted on a file"
	has "$said" "$W/file"
	daemon_pid "$W/absent" && fail "a daemon stays"
	daemon_pid "$W/file" && fail "a daemon stays"
	return 0
}

check_no_mountpoint()
{
	local said
	said=$(try "$BPFUSE" 2>&1) && fail "it started"
	[ -n "$said" ] || fail "it says nothing"
	return 0
}

check_help_and_version()
{
	has "$(try "$BPFUSE" --help)" MOUNTPOINT || fail "--help: $?"
	try "$BPFUSE" --help > /dev/null || fail "--help: $?"
	has "$(try "$BPFUSE" --version)" bpfuse
	try "$BPFUSE" --version > /dev/null || fail "--version: $?"
}

# What goes wrong behind the fork must be told in front of it.
check_error_of_the_start_reaches_the_caller()
{
	local said
	need unshare
	said=$(try unshare -m sh -c 'mount --bind /dev/null /dev/fuse && exec "$@"' sh "$BPFUSE" "$M" 2>&1) &&
		fail "it started without /dev/fuse"
	[ -n "$said" ] || fail "it says nothing"
	daemon_pid && fail "a daemon stays"
	return 0
}

check_sigterm_unmounts_and_ends_readers()
{
	local pid reader prog
	start || fail "bpfuse: $?"
	cp "$OBJ/produce.bpf.o" "$M/load/" || fail "cp: $?"
	prog=$(cat "$M/objects/produce/progs/produce/id")
	there prog "$prog" || fail "program $prog is not in the kernel"
	cat "$M/objects/produce/maps/numbers/stream/text" &
	reader=$!
	sleep 0.3
	pid=$(daemon_pid)
	kill -TERM "$pid"
	wait_until 3 ended "$pid" || fail "the daemon lives on"
	is_mounted && fail "still mounted"
	wait_until 2 ended "$reader" || fail "the reader still waits"
	wait_until 5 gone prog "$prog" || fail "program $prog is still in the kernel"
}

check_umount_ends_it()
{
	local pid
	start || fail "bpfuse: $?"
	pid=$(daemon_pid)
	try umount "$M" || fail "umount: $?"
	wait_until 5 ended "$pid" || fail "the daemon lives on"
}

check_umount_refuses_while_in_use()
{
	local pid
	start || fail "bpfuse: $?"
	pid=$(daemon_pid)
	sleep 30 < "$M/version" &
	try umount "$M" 2> /dev/null && fail "umount did not notice the open file"
	answers || fail "no answer"
	kill $!
	wait $! 2> /dev/null
	try umount "$M" || fail "umount: $?"
	wait_until 5 ended "$pid" || fail "the daemon lives on"
}

check_stale_mount_is_repaired()
{
	local pid said prog
	start || fail "bpfuse: $?"
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	prog=$(cat "$M/objects/version/progs/version_prog/id")
	pid=$(daemon_pid)
	kill -9 "$pid"
	wait_until 5 ended "$pid"
	said=$(stat "$M" 2>&1) && fail "not stale: $said"
	start || fail "bpfuse over a stale mount: $?"
	answers || fail "no answer"
	is "$(grep -cF " $M " /proc/self/mountinfo)" 1 "mounts"
	is "$(ls "$M/objects")" "" "objects"
	wait_until 5 gone prog "$prog" || fail "program $prog outlived its daemon"
	stop
}

# Whether the second one is refused or stacked: the first must go on as if nothing had been.
check_second_mount_does_not_hurt_the_first()
{
	local first second
	start || fail "bpfuse: $?"
	first=$(daemon_pid)
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	if start 2> said; then
		second=$(grep -cF " $M " /proc/self/mountinfo)
		is "$second" 2 "mounts"
		try umount "$M" || fail "umount: $?"
	else
		has "$(cat said)" "$M"
	fi
	kill -0 "$first" || fail "the first daemon is gone"
	is "$(cat "$M/objects/version/state")" loaded
	stop
}

check_two_mounts_are_two()
{
	start || fail "bpfuse: $?"
	mkdir "$W/other"
	try "$BPFUSE" "$W/other" || fail "the second: $?"
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	is "$(ls "$W/other/objects")" "" "objects of the other"
	[ -d "$W/other/progs/$(cat "$M/objects/version/progs/version_prog/id")" ] ||
		fail "the other does not see the program"
	try umount "$W/other" || fail "umount: $?"
	answers || fail "no answer"
	stop
}

run_checks own_daemon
