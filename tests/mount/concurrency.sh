#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# concurrency.sh - nothing waits for something unrelated.
#
# tests/data/slow.bpf.c keeps the verifier busy for seconds.
. "$(dirname "$0")/lib.sh"

S=$M/objects/slow
P=$M/objects/produce

# In the background; its pid in $loading. It is in the verifier when this returns.
load_slowly()
{
	cp "$OBJ/slow.bpf.o" "$M/load/" &
	loading=$!
	wait_until 5 [ -d "$S" ] || fail "objects/slow does not appear while it loads"
	ended "$loading" && skip "the verifier is too quick here"
}

is_loading()
{
	! ended "$loading"
}

with_stream()
{
	cp "$OBJ/produce.bpf.o" "$M/load/" || fail "cp: $?"
	echo "uprobe/$PRODUCE:produce_number" > "$P/progs/produce/attach" || fail "attach: $?"
	cat "$P/maps/numbers/stream/json" > json &
	reader=$!
}

lines_are()
{
	[ "$(wc -l < "$1")" -ge "$2" ]
}

check_ls_answers_while_one_loads()
{
	local rounds=0 start longest=0 took
	with_stream
	load_slowly
	while is_loading; do
		start=$(date +%s%N)
		# Programs of others may vanish meanwhile: then it ends with 1.
		try ls -R "$M" > listing 2> said
		[ $? -le 1 ] || fail "ls -R: $(tail -n 2 said)"
		took=$((($(date +%s%N) - start) / 1000000))
		is_loading || break
		rounds=$((rounds + 1))
		[ $took -le $longest ] || longest=$took
	done
	wait "$loading" || fail "cp: $?; $(cat "$S/status")"
	is "$(cat "$S/state")" loaded
	[ $rounds -ge 1 ] || fail "ls -R did not end before the load did"
	[ $longest -lt $((1500 * SLOW)) ] || fail "ls -R took $longest ms"
	has "$(cat listing)" produce
	ended "$reader" && fail "the reader has ended"
	return 0
}

check_other_objects_work_while_one_loads()
{
	with_stream
	load_slowly
	"$PRODUCE" 10
	wait_until 2 lines_are json 10 || fail "the stream stands still: $(wc -l < json) lines"
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp of another: $?"
	is "$(cat "$M/objects/version/state")" loaded
	echo "raw_tp/sys_enter" > "$M/objects/version/progs/version_prog/attach" || fail "attach of another: $?"
	try rm "$M/load/version.bpf.o" || fail "rm of another: $?"
	is_loading || fail "all that had to wait for the load"
	wait "$loading" || fail "cp: $?"
}

# Its own files, too: its state is what people look at while they wait.
check_the_loading_object_can_be_looked_at()
{
	local state
	load_slowly
	state=$(timeout 3 cat "$S/state")
	is_loading || skip "the verifier is too quick here"
	[ -n "$state" ] && [ "$state" != loaded ] || fail "state is '$state'"
	timeout 3 cat "$S/status" "$S/log" > /dev/null || fail "status or log: $?"
	timeout 3 ls "$S/progs" > /dev/null || fail "progs: $?"
	wait "$loading" || fail "cp: $?"
	is "$(held prog | wc -l)" 24 "programs"
}

# Who does not want to wait any longer gets away, and nothing comes of it later.
check_interrupted_load_is_abandoned()
{
	timeout -s INT 1 cp "$OBJ/slow.bpf.o" "$M/load/"
	is $? 124 "exit status"
	# The program that the verifier is at can finish first.
	sleep 1
	wait_until 30 no_programs || fail "$(held prog | wc -l) programs stay loaded"
	[ "$(cat "$S/state" 2> /dev/null)" != loaded ] || fail "it was loaded all the same"
	answers || fail "no answer"
}

no_programs()
{
	[ -z "$(held prog)" ]
}

check_two_slow_ones_at_once()
{
	local first second
	cp "$OBJ/slow.bpf.o" "$M/load/one.bpf.o" &
	first=$!
	cp "$OBJ/slow.bpf.o" "$M/load/two.bpf.o" &
	second=$!
	wait "$first" || fail "the first: $?"
	wait "$second" || fail "the second: $?"
	is "$(cat "$M/objects/one/state" "$M/objects/two/state" | sort -u)" loaded
}

# Many at the same time, in one object and in many.
limit[check_many_writers]=120
check_many_writers()
{
	local i pids=()
	for i in $(seq 8); do
		(
			for _ in $(seq 10); do
				cp "$OBJ/version.bpf.o" "$M/load/v$i.bpf.o" || exit 1
				echo "raw_tp/sys_enter" > "$M/objects/v$i/progs/version_prog/attach" || exit 2
				cat "$M/objects/v$i/attach" > /dev/null || exit 3
				rm "$M/load/v$i.bpf.o" || exit 4
			done
		) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "a writer: $?; $(tail -n 8 "$M/error_log")"
	done
	is "$(ls "$M/objects")" "" "objects"
	wait_until 5 no_programs || fail "programs stay: $(held prog | tr '\n' ' ')"
}

check_many_readers_cost_no_thread()
{
	local after i
	cp "$OBJ/produce.bpf.o" "$M/load/" || fail "cp: $?"
	echo "uprobe/$PRODUCE:produce_number" > "$P/progs/produce/attach" || fail "attach: $?"
	for i in $(seq 40); do
		cat "$P/maps/numbers/stream/json" > "json$i" &
	done
	wait_until 5 [ -e json40 ]
	sleep 0.5
	after=$(ls /proc/"$(daemon_pid)"/task | wc -l)
	[ "$after" -lt 30 ] || fail "$after threads for 40 readers"
	answers || fail "no answer"
	"$PRODUCE" 5
	for i in $(seq 40); do
		wait_until 5 lines_are "json$i" 5 || fail "reader $i has $(wc -l < "json$i") lines"
	done
}

# The same object, written by several at once: one wins, whole.
check_same_name_at_once()
{
	local i pids=()
	for i in $(seq 6); do
		cp "$OBJ/version.bpf.o" "$M/load/" 2> "said$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	is "$(cat "$M/objects/version/state")" loaded
	cmp "$OBJ/version.bpf.o" "$M/load/version.bpf.o" || fail "the file is a mixture"
	wait_until 5 one_program || fail "programs: $(held prog | tr '\n' ' ')"
}

one_program()
{
	[ "$(held prog | wc -l)" -eq 1 ]
}

run_checks
