#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# stream.sh - ring buffers as files: every way of reading, and nothing lost.
#
# The records of tests/data/produce.bpf.c are numbered from 0 as they find room in the ring: a gap
# in what a reader sees is our loss.
. "$(dirname "$0")/lib.sh"

P=$M/objects/produce
S=$P/maps/numbers/stream
RECORD=32 # bytes of a struct number

loaded()
{
	need jq
	cp "$OBJ/produce.bpf.o" "$M/load/" || fail "cp: $?; $(cat "$P/status")"
	echo "uprobe/$PRODUCE:produce_number" > "$P/progs/produce/attach" || fail "attach: $(cat "$P/status")"
}

produce()
{
	"$PRODUCE" "$@" || fail "produce: $?"
}

# Records that found room, as the kernel counts them.
n_made()
{
	bpftool_json map dump id "$(cat "$P/maps/.bss/id")" | jq '[.. | objects | .next_number? // empty][0]'
}

# reader FORMAT FILE [COMMAND…]: in the background, started when this returns; its pid in $reader
reader()
{
	local format=$1 file=$2
	shift 2
	[ $# -gt 0 ] || set -- cat
	"$@" < "$S/$format" > "$file" &
	reader=$!
	wait_until 5 [ -e "$file" ] || fail "$format does not open"
}

# numbers FILE: of JSON records
numbers()
{
	jq -c 'select(.lost == null) | .number' "$1"
}

# all_there FILE COUNT: the JSON records 0…COUNT-1, in order, none twice
all_there()
{
	numbers "$1" > seen
	cmp -s seen <(seq 0 $(($2 - 1))) ||
		fail "$1: $(wc -l < seen) of $2 records; first difference: $(diff seen <(seq 0 $(($2 - 1))) | head -n 2 | tr '\n' ' ')"
}

lines_are()
{
	[ "$(wc -l < "$1")" -ge "$2" ]
}

size_is()
{
	[ "$(stat -c %s "$1")" -ge "$2" ]
}

check_formats()
{
	loaded
	produce 1 0 40
	reader text text
	reader json json
	reader raw raw
	reader frames frames
	produce 2 0 41
	wait_until 5 lines_are json 2 || fail "json has $(wc -l < json) lines"
	wait_until 5 lines_are text 2 || fail "text has $(wc -l < text) lines"
	# The first reader got what was waiting; the others what came after their open.
	is "$(head -n 1 text | sed 's/pid=[0-9]*/pid=N/')" "number=0 pid=N tag=numbered given=40" "text"
	is "$(tail -n 1 json | jq -c 'del(.pid)')" '{"number":2,"tag":"numbered","given":42}' "json"
	is "$(($(stat -c %s raw) % RECORD))" 0 "rest of raw"
	is "$(od -An -v -tu8 -j $(($(stat -c %s raw) - RECORD)) -N 8 raw | tr -d ' ')" 2 "number in raw"
	is "$(od -An -v -tu4 -N 4 frames | tr -d ' ')" $RECORD "length in frames"
	is "$(($(stat -c %s frames) % (RECORD + 4)))" 0 "rest of frames"
}

check_waiting_records_are_given()
{
	loaded
	produce 5
	try head -n 5 "$S/json" > json || fail "head: $?"
	all_there json 5
}

# A block was read, some lines used, and sought back: the next one finds the rest.
check_head_then_cat()
{
	loaded
	produce 10
	{
		head -n 2
		timeout 2 cat
	} < "$S/json" > json
	all_there json 10
}

check_head_ends_at_once()
{
	loaded
	( sleep 0.5 && produce 3 ) &
	try head -n 1 "$S/text" > text || fail "head: $?"
	is "$(wc -l < text)" 1 lines
}

check_sed_quits()
{
	loaded
	produce 10
	{
		try sed 3q
		timeout 2 cat
	} < "$S/json" > json
	all_there json 10
}

check_while_read()
{
	local n=0 line
	loaded
	produce 10
	while read -r line; do
		printf '%s\n' "$line"
		n=$((n + 1))
		[ $n -lt 10 ] || break
	done < "$S/json" > json
	all_there json 10
}

check_dash_while_read()
{
	need dash
	loaded
	produce 10
	try dash -c 'n=0; while read -r line; do echo "$line"; n=$((n + 1)); [ $n -lt 10 ] || break; done' \
		< "$S/json" > json || fail "dash: $?"
	all_there json 10
}

check_timeout_cat()
{
	local start=$SECONDS
	loaded
	produce 3
	timeout 2 cat "$S/json" > json
	is $? 124 "exit status"
	[ $((SECONDS - start)) -le $((4 * SLOW)) ] || fail "it took $((SECONDS - start)) s"
	all_there json 3
}

check_ctrl_c()
{
	local start=$SECONDS
	loaded
	timeout -s INT 1 cat "$S/text"
	is $? 124 "exit status"
	timeout -s INT 1 head -n 1 "$S/json"
	is $? 124 "exit status"
	[ $((SECONDS - start)) -le $((4 * SLOW)) ] || fail "it took $((SECONDS - start)) s"
}

check_jq_unbuffered()
{
	loaded
	reader json out jq --unbuffered -r .number
	produce 1
	wait_until 3 lines_are out 1 || fail "jq shows nothing"
	produce 2
	wait_until 3 lines_are out 3 || fail "jq shows $(wc -l < out) lines"
	is "$(tr '\n' ' ' < out)" "0 1 2 "
}

# A record arrives when it is made, not when a buffer is full.
check_records_come_at_once()
{
	local i
	loaded
	reader json json
	for i in 1 2 3; do
		produce 1
		wait_until 2 lines_are json "$i" || fail "record $i does not come"
	done
}

# A reader smaller than a record gets it in pieces.
check_one_byte_at_a_time()
{
	loaded
	produce 20
	try dd if="$S/raw" of=raw bs=1 count=$((10 * RECORD)) 2> /dev/null || fail "dd: $?"
	is "$(stat -c %s raw)" $((10 * RECORD)) "bytes"
	is "$(od -An -v -tu8 -w$RECORD raw | awk '{ print $1 }' | tr '\n' ' ')" "0 1 2 3 4 5 6 7 8 9 " "numbers"
}

check_odd_blocks()
{
	local bs
	loaded
	for bs in 7 31 33 100 4095; do
		reader raw "raw$bs" timeout 10 dd bs=$bs 2> /dev/null
	done
	reader raw whole
	produce 2000 50
	wait_until 10 size_is whole $((2000 * RECORD)) || fail "cat has $(stat -c %s whole) bytes"
	for bs in 7 31 33 100 4095; do
		wait_until 10 size_is "raw$bs" $((2000 * RECORD)) || fail "blocks of $bs: $(stat -c %s "raw$bs") bytes"
		cmp whole "raw$bs" || fail "blocks of $bs"
	done
}

check_frames_are_framed()
{
	loaded
	reader frames frames
	produce 500
	wait_until 5 size_is frames $((500 * (RECORD + 4))) || fail "$(stat -c %s frames) bytes"
	try python3 - frames <<- 'END' || fail "python3: $?"
		import struct, sys
		data, at, numbers = open(sys.argv[1], "rb").read(), 0, []
		while at < len(data):
		    length, = struct.unpack_from("<I", data, at)
		    assert length == 32, length
		    numbers.append(struct.unpack_from("<Q", data, at + 4)[0])
		    at += 4 + length
		assert numbers == list(range(500)), numbers[:10]
	END
}

limit[check_one_reader_loses_nothing]=120
check_one_reader_loses_nothing()
{
	local made
	loaded
	reader raw raw
	produce 300000
	made=$(n_made)
	wait_until 10 size_is raw $((made * RECORD)) || fail "$(stat -c %s raw) bytes of $((made * RECORD))"
	try python3 - raw "$made" <<- 'END' || fail "python3: $?"
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		numbers = [n[0] for n in struct.iter_unpack("<QI12sQ", data)]
		assert numbers == list(range(int(sys.argv[2]))), (len(numbers), sys.argv[2])
	END
	# The ring is 64 KiB: it came round some times.
	[ "$made" -gt 10000 ] || fail "only $made records found room"
}

# Each one sees all; one that is slow is told how many it missed.
limit[check_several_readers]=120
check_several_readers()
{
	local i made lost
	loaded
	for i in 1 2 3; do
		reader json "json$i"
	done
	produce 20000 20
	made=$(n_made)
	for i in 1 2 3; do
		wait_until 10 last_number_is "json$i" $((made - 1)) || fail "reader $i ends with $(tail -n 1 "json$i")"
		lost=$(jq -s 'map(.lost // 0) | add' "json$i")
		is $(($(numbers "json$i" | wc -l) + lost)) "$made" "reader $i: records and lost ones ($lost)"
		numbers "json$i" | sort -nuc || fail "reader $i: out of order"
	done
}

last_number_is()
{
	[ "$(tail -n 1 "$1" | jq -r '.number // empty' 2> /dev/null)" = "$2" ]
}

# One who stops reading holds up nobody for ever, and hears of it.
limit[check_slow_reader_is_told]=120
check_slow_reader_is_told()
{
	local made stopped lost
	loaded
	reader json slow
	stopped=$reader
	reader json quick
	kill -STOP "$stopped"
	produce 100000
	made=$(n_made)
	wait_until 10 last_number_is quick $((made - 1)) || fail "the quick one ends with $(tail -n 1 quick)"
	kill -CONT "$stopped"
	produce 1
	wait_until 10 last_number_is slow "$made" || fail "the slow one ends with $(tail -n 1 slow)"
	lost=$(jq -s 'map(.lost // 0) | add' slow)
	is $(($(numbers slow | wc -l) + lost)) $((made + 1)) "records and lost ones ($lost)"
}

check_stop_and_continue()
{
	loaded
	reader json json
	produce 10
	wait_until 5 lines_are json 10 || fail "$(wc -l < json) lines"
	kill -STOP "$reader"
	produce 100
	sleep 0.3
	kill -CONT "$reader"
	produce 10
	wait_until 5 lines_are json 120 || fail "$(wc -l < json) lines"
	all_there json 120
}

check_nonblocking_and_poll()
{
	loaded
	try python3 - "$S/raw" "$PRODUCE" <<- 'END' || fail "python3: $?"
		import os, select, subprocess, sys, time
		fd = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
		try:
		    os.read(fd, 4096)
		    raise SystemExit("a read of nothing gave something")
		except BlockingIOError:
		    pass
		poll = select.poll()
		poll.register(fd, select.POLLIN)
		assert poll.poll(200) == [], "poll says readable"
		producer = subprocess.Popen(["sh", "-c", 'sleep 0.3; exec "$0" 3', sys.argv[2]])
		began = time.monotonic()
		assert poll.poll(5000) == [(fd, select.POLLIN)], "poll does not wake"
		assert 0.2 < time.monotonic() - began < 3, time.monotonic() - began
		producer.wait()
		data = os.read(fd, 4096)
		assert len(data) == 96, len(data)
		epoll = select.epoll()
		epoll.register(fd, select.EPOLLIN)
		assert epoll.poll(0.2) == [], "epoll says readable"
		producer = subprocess.Popen(["sh", "-c", 'sleep 0.3; exec "$0" 1', sys.argv[2]])
		assert epoll.poll(5) == [(fd, select.EPOLLIN)], "epoll does not wake"
		producer.wait()
		assert len(os.read(fd, 4096)) == 32
		assert epoll.poll(0.2) == [], "epoll says readable after all was read"
	END
}

# What was handed out can be asked for once more at its old place, and only that.
check_last_reply_can_be_read_again()
{
	loaded
	produce 4
	try python3 - "$S/raw" <<- 'END' || fail "python3: $?"
		import os, sys
		fd = os.open(sys.argv[1], os.O_RDONLY)
		data = os.read(fd, 4096)
		assert len(data) == 128, len(data)
		assert os.pread(fd, 64, 32) == data[32:96]
		assert os.pread(fd, 4096, 0) == data
		try:
		    os.pread(fd, 10, 100000)
		    raise SystemExit("a read far behind the end succeeded")
		except OSError as error:
		    assert error.errno == 29, error
	END
}

check_killed_reader()
{
	local first
	loaded
	reader json first
	first=$reader
	reader json json
	produce 5
	wait_until 5 lines_are json 5 || fail "$(wc -l < json) lines"
	kill -9 "$first"
	wait_until 3 ended "$first" || fail "it does not die"
	produce 5
	wait_until 5 lines_are json 10 || fail "$(wc -l < json) lines after the other's death"
	all_there json 10
}

check_unloading_ends_the_stream()
{
	local others
	loaded
	reader json json
	others=$reader
	reader raw raw
	produce 3
	wait_until 5 lines_are json 3 || fail "$(wc -l < json) lines"
	try rm "$M/load/produce.bpf.o" || fail "rm: $?"
	wait_until 5 ended "$reader" || fail "the reader of raw still waits"
	wait_until 5 ended "$others" || fail "the reader of json still waits"
	wait "$others"
	is $? 0 "exit status of cat"
	all_there json 3
}

check_searching_does_not_consume()
{
	loaded
	produce 5
	try grep -rs numbered "$P" "$M/maps/$(cat "$P/maps/numbers/id")"
	[ $? -ne 124 ] || fail "grep -r waits"
	try head -n 5 "$S/json" > json || fail "head: $?"
	all_there json 5
}

# Opened and closed without a read.
check_opening_does_not_consume()
{
	loaded
	produce 5
	: < "$S/json"
	: < "$S/raw"
	try head -n 5 "$S/json" > json || fail "head: $?"
	all_there json 5
}

check_ring_tells()
{
	local ring=$P/maps/numbers/ring
	loaded
	produce 5
	has "$(cat "$ring")" 65536 "size"
	reader json json
	wait_until 5 lines_are json 5 || fail "$(wc -l < json) lines"
	has "$(cat "$ring")" readers
	has "$(cat "$ring")" avail
}

check_by_id()
{
	loaded
	produce 3
	try head -n 3 "$M/maps/$(cat "$P/maps/numbers/id")/stream/json" > json || fail "head: $?"
	all_there json 3
}

check_record_type()
{
	local file=$P/maps/numbers/record_type
	loaded
	is "$(cat "$file")" "struct number"
	is "$(echo "struct no_such_type" | errno_of append "$file")" "write ENOENT"
	has "$(cat "$P/status")$(tail -n 5 "$M/error_log")" no_such_type
	is "$(cat "$file")" "struct number" "after a wrong one"
}

# Somebody else's ring is not touched until that is asked for.
check_foreign_ring()
{
	local id bpffs=$PWD/bpffs
	loaded
	mkdir "$bpffs"
	mount -t bpf bpf "$bpffs" || skip "cannot mount bpffs"
	try bpftool map create "$bpffs/ring" type ringbuf key 0 value 0 entries 4096 name foreign_ring || { umount "$bpffs"; fail "bpftool: $?"; }
	id=$(bpftool_json map show pinned "$bpffs/ring" | jq .id)
	errno_of read "$M/maps/$id/stream/raw" > before
	echo steal > "$M/maps/$id/ctl"
	echo $? > stolen
	timeout 1 cat "$M/maps/$id/stream/raw"
	echo $? > after
	umount "$bpffs"
	is "$(cat before)" "open EBUSY" "without asking"
	is "$(cat stolen)" 0 "steal"
	is "$(cat after)" 124 "a reader then waits"
}

run_checks
