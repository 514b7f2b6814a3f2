/* SPDX-License-Identifier: BSD-2-Clause */
/* Attaching to interfaces and cgroups, with packets and connections that really pass. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <mntent.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/klink.h"
#include "tests/kernel/attach_util.h"
#include "tests/kernel/kernel_has.h"
#include "tests/unit/test.h"

enum { XDP_PASS_ = 2 };

static void up(const char *dev)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {};

	strncpy(ifr.ifr_name, dev, sizeof(ifr.ifr_name) - 1);
	CHECK_EQ(ioctl(fd, SIOCGIFFLAGS, &ifr), 0);
	ifr.ifr_flags |= IFF_UP;
	CHECK_EQ(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
}

/* A network of the test's own: lo, and two ends of a cable if @veth. */
static void make_network(bool veth)
{
	if (unshare(CLONE_NEWNET) < 0)
		SKIP("no network namespace: %s", strerror(errno));
	up("lo");
	if (!veth)
		return;
	if (system("ip link add bpfuse-t0 type veth peer name bpfuse-t1"))
		SKIP("cannot make a veth pair");
	up("bpfuse-t0");
	up("bpfuse-t1");
}

/* Frames into one end of the cable; they come out of the other. */
static void send_frames(int n)
{
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex("bpfuse-t1"),
		.sll_halen = 6,
	};
	unsigned char frame[64] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	frame[12] = 0x88;
	frame[13] = 0xb5; /* for experiments */
	while (n--)
		CHECK_EQ(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(frame));
}

static void wait_hits(const struct counter *c, uint64_t n)
{
	for (int i = 0; i < 200 && counter_read(c).hits < n; i++)
		usleep(10000);
	if (counter_read(c).hits < n)
		FAIL("%llu hits, not %llu", (unsigned long long)counter_read(c).hits,
		     (unsigned long long)n);
}

static void check_xdp(const char *spec, const char *canonical)
{
	struct counter c = counter_new(BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS_, 0, NULL, 0);
	struct attachment *a = attach_same(&c, spec, canonical);
	struct abi_link_info info;
	uint64_t hits;
	uint32_t id = a->id;

	CHECK_EQ(klink_info(a->fds[0], &info, NULL), 0);
	CHECK_EQ(info.type, BPF_LINK_TYPE_XDP);
	CHECK_EQ(info.xdp.ifindex, if_nametoindex("bpfuse-t0"));
	CHECK_EQ(info.id, id);
	send_frames(5);
	wait_hits(&c, 5);
	attachment_free(a);
	CHECK(!link_exists(id));
	hits = counter_read(&c).hits;
	send_frames(5);
	usleep(50000);
	CHECK_EQ(counter_read(&c).hits, hits);
	counter_close(&c);
}

TEST(xdp_attaches_in_each_mode)
{
	make_network(true);
	check_xdp("xdp dev=bpfuse-t0", "xdp dev=bpfuse-t0");
	check_xdp("xdp mode=generic dev=bpfuse-t0", "xdp dev=bpfuse-t0 mode=generic");
	check_xdp("xdp.frags dev=bpfuse-t0 mode=native", "xdp dev=bpfuse-t0 mode=native");
}

TEST(xdp_errors)
{
	struct counter c, map;
	struct attachment *a;

	make_network(true);
	c = counter_new(BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS_, 0, NULL, 0);
	attach_refused(&c, "xdp dev=bpfuse-t2", -ENODEV,
		       "no interface 'bpfuse-t2'; close: bpfuse-t");
	attach_refused(&c, "xdp dev=a-name-that-is-much-too-long", -ENODEV, "no interface");
	attach_refused(&c, "xdp", -EINVAL, "dev=NAME");
	attach_refused(&c, "xdp dev=bpfuse-t0 mode=fast", -EINVAL, "native, generic, offload");
	attach_refused(&c, "xdp dev=lo mode=native", -EOPNOTSUPP, "no native XDP");
	attach_refused(&c, "uprobe//bin/sh:main", -EINVAL,
		       "uprobe is for kprobe programs, but 'counter' is a xdp program");
	a = attach_ok(&c, "xdp dev=bpfuse-t0");
	attach_refused(&c, "xdp dev=bpfuse-t0", -EBUSY, "has an XDP program already");
	attach_refused(&c, "xdp dev=bpfuse-t0 mode=generic", -EEXIST, "another mode");
	attachment_free(a);
	map = counter_new(BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, XDP_PASS_, 0, NULL, 0);
	attach_refused(&map, "xdp dev=bpfuse-t0", -EINVAL, "loaded to run from a map");
	counter_close(&map);
	counter_close(&c);
}

TEST(xdp_offload_needs_hardware)
{
	struct counter c;

	make_network(true);
	c = counter_new(BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS_, 0, NULL, 0);
	attach_refused(&c, "xdp dev=bpfuse-t0 mode=offload", -EINVAL, "mode=offload");
	counter_close(&c);
}

static char cgroup[512], v1[512];

/* A cgroup of the test's own; removed by a process that outlives it. */
static void make_cgroup(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int status;
	pid_t pid;

	CHECK(f);
	while ((m = getmntent(f))) {
		if (!strcmp(m->mnt_type, "cgroup2"))
			snprintf(cgroup, sizeof(cgroup), "%s/bpfuse-test-%d", m->mnt_dir, getpid());
		else if (!strcmp(m->mnt_type, "cgroup"))
			snprintf(v1, sizeof(v1), "%s", m->mnt_dir);
	}
	endmntent(f);
	if (!cgroup[0])
		SKIP("no cgroup2 is mounted");
	if (mkdir(cgroup, 0755) < 0)
		SKIP("%s: %s", cgroup, strerror(errno));
	pid = fork();
	if (pid == 0) {
		alarm(50 * test_slowness());
		return;
	}
	waitpid(pid, &status, 0);
	/* Processes that just ended may still be counted for a moment. */
	for (int i = 0; i < 100 && rmdir(cgroup) < 0; i++)
		usleep(10000);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* A datagram over lo, or a connection that is refused, by a process in the cgroup. */
static void use_network(bool connect_it)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int procs = open(fmt("%s/cgroup.procs", cgroup), O_WRONLY);
		int fd;

		if (write(procs, "0", 1) != 1)
			_exit(1);
		fd = socket(AF_INET, connect_it ? SOCK_STREAM : SOCK_DGRAM, 0);
		if (connect_it)
			_exit(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? 0 : errno);
		_exit(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1 ? 0 : errno);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), connect_it ? ECONNREFUSED : 0);
}

static void check_cgroup(struct counter *c, const char *spec, const char *canonical,
			 uint32_t attach_type, bool connect_it)
{
	struct attachment *a = attach_same(c, fmt("%s cgroup=%s/", spec, cgroup),
					   fmt("%s cgroup=%s", canonical, cgroup));
	struct abi_link_info info;
	struct stat st;
	uint64_t hits;
	uint32_t id = a->id;

	use_network(connect_it);
	CHECK(counter_read(c).hits >= 1);
	CHECK_EQ(klink_info(a->fds[0], &info, NULL), 0);
	CHECK_EQ(info.type, BPF_LINK_TYPE_CGROUP);
	CHECK_EQ(info.cgroup.attach_type, attach_type);
	CHECK(stat(cgroup, &st) == 0);
	CHECK_EQ(info.cgroup.cgroup_id, st.st_ino);
	attachment_free(a);
	CHECK(!link_exists(id));
	hits = counter_read(c).hits;
	use_network(connect_it);
	CHECK_EQ(counter_read(c).hits, hits);
	counter_close(c);
}

static struct counter skb_counter(uint32_t attach_type)
{
	return counter_new(BPF_PROG_TYPE_CGROUP_SKB, attach_type, 1, 0, NULL, 0);
}

TEST(cgroup_egress_sees_packets)
{
	struct counter c;

	make_cgroup();
	make_network(false);
	c = skb_counter(BPF_CGROUP_INET_EGRESS);
	check_cgroup(&c, "cgroup_skb/egress", "cgroup_skb/egress", BPF_CGROUP_INET_EGRESS, false);
	/* A program of SEC("cgroup/skb") says no direction and may be used for both. */
	c = skb_counter(0);
	check_cgroup(&c, "cgroup_skb egress", "cgroup_skb/egress", BPF_CGROUP_INET_EGRESS, false);
	c = skb_counter(0);
	attach_refused(&c, fmt("cgroup/skb cgroup=%s", cgroup), -EINVAL,
		       "cgroup_skb/ingress or cgroup_skb/egress");
	counter_close(&c);
}

TEST(cgroup_connect_and_sock_see_sockets)
{
	struct counter c;

	make_cgroup();
	make_network(false);
	c = counter_new(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, 1, 0, NULL, 0);
	attach_refused(&c, fmt("cgroup/bind4 cgroup=%s", cgroup), -EINVAL,
		       "loaded as cgroup_inet4_connect: cgroup/bind4 wants a program of "
		       "SEC(\"cgroup/bind4\")");
	check_cgroup(&c, "cgroup/connect4", "cgroup/connect4", BPF_CGROUP_INET4_CONNECT, true);
	c = counter_new(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 1, 0, NULL, 0);
	check_cgroup(&c, "cgroup/sock", "cgroup/sock_create", BPF_CGROUP_INET_SOCK_CREATE, false);
	c = counter_new(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, 1, 0, NULL, 0);
	check_cgroup(&c, "sockops", "sockops", BPF_CGROUP_SOCK_OPS, true);
}

TEST(cgroup_places_before_and_after)
{
	struct attachment *first, *second, *third;
	struct counter one, two, three;

	if (!kernel_has_member("bpf_attr", "link_create.cgroup.relative_fd"))
		SKIP("the kernel lacks places among a cgroup's programs");
	make_cgroup();
	make_network(false);
	one = counter_new(BPF_PROG_TYPE_CGROUP_SKB, 0, 1, 0, NULL, 1);
	two = counter_new(BPF_PROG_TYPE_CGROUP_SKB, 0, 1, 0, &one, 2);
	three = counter_new(BPF_PROG_TYPE_CGROUP_SKB, 0, 1, 0, &one, 3);
	first = attach_ok(&one, fmt("cgroup_skb/egress cgroup=%s", cgroup));
	attach_refused(&two, fmt("cgroup_skb/egress cgroup=%s revision=77", cgroup), -ESTALE,
		       "no longer those of revision 77");
	second = attach_ok(&two,
			   fmt("cgroup_skb/egress cgroup=%s before=link:%u", cgroup, first->id));
	CHECK_STR(second->spec,
		  fmt("cgroup_skb/egress cgroup=%s before=link:%u", cgroup, first->id));
	use_network(false);
	CHECK_EQ(counter_read(&one).hits, 2);
	CHECK_EQ(counter_read(&one).mark, 1);
	third = attach_same(&three,
			    fmt("cgroup_skb/egress after=link:%u cgroup=%s", first->id, cgroup),
			    fmt("cgroup_skb/egress cgroup=%s after=link:%u", cgroup, first->id));
	use_network(false);
	CHECK_EQ(counter_read(&one).mark, 3);
	attachment_free(third);
	attach_refused(&three, fmt("cgroup_skb/egress cgroup=%s after=link:999999999", cgroup),
		       -ENOENT, "refuses the place");
	attachment_free(first);
	attachment_free(second);
	counter_close(&one);
	counter_close(&two);
	counter_close(&three);
}

TEST(cgroup_errors)
{
	struct counter c;

	make_cgroup();
	c = skb_counter(0);
	attach_refused(&c, "cgroup_skb/egress", -EINVAL, "cgroup=PATH");
	attach_refused(&c, "cgroup_skb/egress cgroup=/nothing", -ENOENT, "cannot open /nothing");
	attach_refused(&c, "cgroup_skb/egress cgroup=/etc", -EINVAL, "/etc is no cgroup");
	attach_refused(&c, "cgroup_skb/egress cgroup=relative", -EINVAL, "relative path");
	attach_refused(&c, fmt("cgroup_skb/egress cgroup=%s/cgroup.procs", cgroup), -ENOTDIR,
		       "no directory");
	if (v1[0])
		attach_refused(&c, fmt("cgroup_skb/egress cgroup=%s", v1), -EINVAL, "cgroup v1");
	attach_refused(&c, fmt("cgroup_skb/egress cgroup=%s before=link:1 after=link:1", cgroup),
		       -EINVAL, "exclude each other");
	attach_refused(&c, fmt("cgroup_skb/egress cgroup=%s before=1", cgroup), -EINVAL,
		       "neither prog:ID nor link:ID");
	attach_refused(&c, fmt("cgroup_skb/egress cgroup=%s after=link:0", cgroup), -EINVAL,
		       "neither prog:ID nor link:ID");
	attach_refused(&c, fmt("cgroup_skb/egress cgroup=%s revision=x", cgroup), -EINVAL,
		       "no number");
	counter_close(&c);
}
