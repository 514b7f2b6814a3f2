#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# leaks.sh - the same over and over again: nothing adds up, here or in the kernel.
. "$(dirname "$0")/lib.sh"

CYCLES=50

# Memory that the daemon uses, in KiB.
memory()
{
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' /proc/"$(daemon_pid)"/status
}

threads()
{
	ls /proc/"$(daemon_pid)"/task | wc -l
}

nothing_held()
{
	[ -z "$(held prog)$(held map)$(held link)" ]
}

fds_are()
{
	[ "$(count_fds)" -le "$1" ]
}

threads_are()
{
	[ "$(threads)" -le "$1" ]
}

# steady FUNCTION: after some rounds to warm up, fifty more cost nothing
steady()
{
	local function=$1 i fds kib n_threads
	for i in $(seq 5); do
		"$function" "$i"
	done
	wait_until 10 nothing_held || fail "something is held after 5 rounds"
	fds=$(count_fds) kib=$(memory) n_threads=$(threads)
	for i in $(seq $CYCLES); do
		"$function" "$i"
	done
	wait_until 10 nothing_held ||
		fail "still held: programs $(held prog | tr '\n' ' ') maps $(held map | tr '\n' ' ') links $(held link | tr '\n' ' ')"
	wait_until 5 fds_are "$fds" || fail "descriptors: $fds before, $(count_fds) after"
	wait_until 10 threads_are $((n_threads + 2)) || fail "threads: $n_threads before, $(threads) after"
	# A sanitizer keeps freed memory for a while.
	[ "$SLOW" -gt 1 ] || [ "$(memory)" -lt $((kib + 4096)) ] || fail "memory: $kib KiB before, $(memory) KiB after"
}

load_attach_unload()
{
	local object=$M/objects/kinds
	cp "$OBJ/kinds.bpf.o" "$M/load/" || fail "cp: $?"
	echo "on_raw_tp raw_tp/sys_enter" > "$object/attach" || fail "attach: $(cat "$object/status")"
	echo "on_tracepoint tracepoint/syscalls/sys_enter_personality" > "$object/attach" || fail "attach: $(cat "$object/status")"
	echo "on_uprobe uprobe/$PRODUCE:produce_number cookie=$1" > "$object/attach" || fail "attach: $(cat "$object/status")"
	"$PRODUCE" 1
	cat "$object/maps/hits/dump" "$object/maps/hits/dump.json" "$object/progs/on_uprobe/info.json" > /dev/null || fail "cat: $?"
	rm "$M/load/kinds.bpf.o" || fail "rm: $?"
}

limit[check_load_attach_unload]=300
check_load_attach_unload()
{
	steady load_attach_unload
}

run_and_remove()
{
	cp "$OBJ/auto.bpf.o" "$M/run/" || fail "cp: $?"
	rm "$M/run/auto.bpf.o" || fail "rm: $?"
}

limit[check_run_and_remove]=300
check_run_and_remove()
{
	steady run_and_remove
}

overwrite()
{
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp over it: $?"
	rmdir "$M/objects/version" || fail "rmdir: $?"
}

limit[check_overwriting]=300
check_overwriting()
{
	steady overwrite
}

fails()
{
	errno_of write "$M/load/bad.bpf.o" < "$OBJ/rejected.bpf.o" > said
	is "$(cat said)" "write EACCES"
	errno_of write "$M/load/text.bpf.o" < "$HERE/leaks.sh" > said
	is "$(cat said)" "write ENOEXEC"
	rm -f "$M/load/bad.bpf.o" "$M/load/text.bpf.o"
}

limit[check_failed_loads]=300
check_failed_loads()
{
	steady fails
}

stream()
{
	local object=$M/objects/produce
	cp "$OBJ/produce.bpf.o" "$M/load/" || fail "cp: $?"
	echo "uprobe/$PRODUCE:produce_number" > "$object/progs/produce/attach" || fail "attach: $?"
	"$PRODUCE" 20
	try head -n 5 "$object/maps/numbers/stream/json" > /dev/null || fail "head: $?"
	timeout 0.05 cat "$object/maps/numbers/stream/raw" > /dev/null
	rm "$M/load/produce.bpf.o" || fail "rm: $?"
}

limit[check_streams]=300
check_streams()
{
	steady stream
}

staged()
{
	local object=$M/objects/staged
	mkdir "$object" || fail "mkdir: $?"
	cp "$OBJ/shapes.bpf.o" "$object/elf" || fail "cp: $?"
	[ $(($1 % 2)) -eq 0 ] || echo load > "$object/ctl" || fail "load: $?"
	rmdir "$object" || fail "rmdir: $?"
}

limit[check_staged_objects]=300
check_staged_objects()
{
	steady staged
}

look()
{
	ls -lR "$M/objects" "$M/progs" "$M/maps" "$M/links" > /dev/null 2>&1
	cat "$M/README" "$M/error_log" "$M/progs/list.json" "$M/maps/list.json" > /dev/null || fail "cat: $?"
}

limit[check_looking]=300
check_looking()
{
	steady look
}

run_checks
