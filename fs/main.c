/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main - options, mounting, signals, and the order of starting and stopping.
 *
 * The parent stays until the mount is usable or has failed, so that a script can
 * go on after `bpfuse DIR` and sees the exit status. Threads are made after the
 * fork only.
 */
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "fs/entry.h"
#include "fs/error_log.h"
#include "fs/file.h"
#include "fs/fs.h"
#include "fs/hub.h"
#include "fs/instance.h"
#include "fs/mark.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/upload.h"
#include "fs/worker.h"
#include "loader/kernel_btf.h"

enum {
	STOP_WAIT_MS = 3000,
	LOAD_WAIT_MS = 200,
	TRIM_PERIOD_S = 10,
	BTF_IDLE_MS = 30000,
	MAX_LOOP_THREADS = 8
};

#define OPT(template, field, value)                                 \
	{                                                           \
		template, offsetof(struct fs_options, field), value \
	}
static const struct fuse_opt option_table[] = {
	OPT("-h", show_help, 1), OPT("--help", show_help, 1), OPT("-V", show_version, 1),
	OPT("--version", show_version, 1), OPT("-f", foreground, 1), OPT("-d", debug, 1),
	OPT("allow_other", allow_other, 1), OPT("uid=%u", uid, 0), OPT("gid=%u", gid, 0),
	OPT("mode=%o", mode, 0),
	/* What mount(8) and fstab put into every option list. */
	FUSE_OPT_KEY("rw", FUSE_OPT_KEY_DISCARD), FUSE_OPT_KEY("defaults", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("nofail", FUSE_OPT_KEY_DISCARD), FUSE_OPT_KEY("noauto", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("auto", FUSE_OPT_KEY_DISCARD), FUSE_OPT_KEY("user", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("nouser", FUSE_OPT_KEY_DISCARD), FUSE_OPT_KEY("users", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("_netdev", FUSE_OPT_KEY_DISCARD), FUSE_OPT_KEY("x-", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("default_permissions", FUSE_OPT_KEY_DISCARD), /* comes with allow_other */
	FUSE_OPT_END
};

static const char usage[] =
	"usage: bpfuse [SOURCE] MOUNTPOINT [-f] [-o OPTIONS]\n"
	"\n"
	"Mounts a directory in which BPF is files; its README says how to use it.\n"
	"\n"
	"  -f              stay in the foreground\n"
	"  -d              show every request (and stay in the foreground)\n"
	"  -o allow_other  let others in than the one who mounts, as far as uid, gid and mode "
	"say;\n"
	"                  whoever may write here is as good as root\n"
	"  -o uid=N,gid=N  owner of everything (default: who mounts)\n"
	"  -o mode=OCTAL   mode of directories; files have its read and write bits (default: "
	"0700)\n"
	"  -V, --version   -h, --help\n";

/* mount(8) calls us with a source that means nothing, then the mountpoint. */
static int take_argument(void *data, const char *arg, int key, struct fuse_args *outargs)
{
	struct fs_options *opt = data;

	(void)outargs;
	if (key != FUSE_OPT_KEY_NONOPT)
		return 1; /* libfuse may know it */
	if (opt->source) {
		fprintf(stderr, "bpfuse: too many arguments: '%s'\n", arg);
		return -1;
	}
	opt->source = opt->mountpoint;
	opt->mountpoint = strdup(arg);
	return opt->mountpoint ? 0 : -1;
}

/*
 * The mountpoint.
 */
/* mountinfo writes blanks and backslashes as \\NNN, in octal. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/*
 * Is the last thing mounted at @path ours, going by mountinfo? A stat(2) would
 * wait for the daemon: for nobody, or for ourselves.
 */
static bool mounted_by_us(const char *path, dev_t *ret_dev)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t cap = 0;
	bool ours = false;

	while (f && getline(&line, &cap, f) > 0) {
		unsigned major, minor;
		char target[PATH_MAX];
		const char *type = strstr(line, " - ");

		/* 36 35 98:0 /root /target options … - type source … */
		if (!type || sscanf(line, "%*d %*d %u:%u %*s %4095s", &major, &minor, target) != 3)
			continue;
		unescape(target);
		if (strcmp(target, path))
			continue;
		ours = str_has_prefix(type, " - fuse.bpfuse ");
		if (ours && ret_dev)
			*ret_dev = makedev(major, minor);
	}
	free(line);
	if (f)
		fclose(f);
	return ours;
}

/* Make an absolute path without asking what is there: a dead mount answers nothing. */
static char *absolute(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_free_ char *parent = NULL;
	char *base, *full = NULL;
	size_t len = copy ? strlen(copy) : 0;

	if (!copy)
		return NULL;
	if (!len) {
		errno = ENOENT;
		return NULL;
	}
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	base = strrchr(copy, '/');
	if (base && base != copy) {
		*base++ = '\0';
		parent = realpath(copy, NULL);
	} else {
		parent = base ? strdup("") : getcwd(NULL, 0);
		base = base ? base + 1 : copy;
	}
	if (!parent || asprintf(&full, "%s/%s", strcmp(parent, "/") ? parent : "", base) < 0)
		return NULL;
	return full;
}

/* A daemon that was killed leaves a mount on which everything fails with ENOTCONN: take it away. */
static int check_mountpoint(struct fs_options *opt)
{
	char *path = absolute(opt->mountpoint), *real;
	struct stat st;

	if (!path) {
		fprintf(stderr, "bpfuse: '%s': %s\n", opt->mountpoint, strerror(errno));
		return -1;
	}
	if (stat(path, &st) < 0 && errno == ENOTCONN && mounted_by_us(path, NULL)) {
		if (umount2(path, MNT_DETACH) < 0) {
			fprintf(stderr, "bpfuse: %s is a dead mount and cannot be unmounted: %s\n",
				path, strerror(errno));
			free(path);
			return -1;
		}
		fprintf(stderr, "bpfuse: removed the dead mount of an earlier bpfuse from %s\n",
			path);
	}
	if (stat(path, &st) < 0 || (!S_ISDIR(st.st_mode) && (errno = ENOTDIR))) {
		fprintf(stderr, "bpfuse: %s: %s\n", path, strerror(errno));
		free(path);
		return -1;
	}
	/* A symbolic link to the mountpoint would not be found in mountinfo. */
	real = realpath(path, NULL);
	if (real) {
		free(path);
		path = real;
	}
	/* Nobody could reach it there, and to unmount "/" means the file system below. */
	if (!strcmp(path, "/")) {
		fprintf(stderr, "bpfuse: cannot be mounted over the root directory\n");
		free(path);
		return -1;
	}
	if (mounted_by_us(path, NULL)) {
		fprintf(stderr, "bpfuse: %s has a bpfuse mounted on it already\n", path);
		free(path);
		return -1;
	}
	free(opt->mountpoint);
	opt->mountpoint = path;
	return 0;
}

/*
 * Starting in the background.
 */
/* In the child: tell the parent how it went. @fd is -1 in the foreground. */
static void tell_parent(int *fd, char status)
{
	if (*fd >= 0 && write(*fd, &status, 1) < 0) {
		/* The parent was killed: nobody to tell. */
	}
	closep(fd);
	*fd = -1;
}

/* The child returns with a descriptor for tell_parent(); the parent never does. */
static int go_to_background(void)
{
	char status = 1;
	int fds[2];
	pid_t pid;

	/* What the caller had open is not ours to keep: a pipe whose reader waits for its end, say.
	 */
	close_range(3, ~0u, 0);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		if (read(fds[0], &status, 1) != 1)
			status = 1;
		_exit(status);
	}
	close(fds[0]);
	setsid();
	return fds[1];
}

/* Who calls us with 0, 1 or 2 closed must not find our messages in what comes to be there. */
static void open_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2);
	closep(&fd);
}

static void detach_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	if (chdir("/") < 0) {
		/* Only keeps the old directory busy. */
	}
}

/*
 * The fs.
 */
static void fs_free(struct fs *fs)
{
	if (!fs)
		return;
	files_free(fs);
	open_dirs_free(fs);
	nodes_free(fs->nodes);
	vec_for_each (u, &fs->uploads)
		upload_unref(*u);
	vec_for_each (l, &fs->links)
		link_unref(*l);
	vec_for_each (inst, &fs->instances)
		instance_unref(*inst);
	vec_deinit(&fs->uploads);
	vec_deinit(&fs->links);
	vec_deinit(&fs->instances);
	marks_free(fs);
	hubs_free(fs->hubs);
	worker_pool_free(fs->workers);
	error_log_free(fs->errors);
	kernel_btf_free(fs->env.kernel_btf);
	pthread_mutex_destroy(&fs->lock);
	free(fs);
}

static const struct entry root_entry = { "", ENTRY_DIR, 0755, .dir = &root_dir };

static struct fs *fs_new(const struct fs_options *opt)
{
	struct fs *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return NULL;
	fs->opt = *opt;
	clock_gettime(CLOCK_REALTIME, &fs->start);
	pthread_mutex_init(&fs->lock, NULL);
	fs->env.features = &fs->features;
	fs->env.kernel_btf = kernel_btf_new();
	fs->errors = error_log_new();
	fs->workers = worker_pool_new();
	fs->nodes = nodes_new(&root_entry);
	fs->hubs = hubs_new(fs);
	if (fs->env.kernel_btf && fs->errors && fs->workers && fs->nodes && fs->hubs)
		return fs;
	fs_free(fs);
	return NULL;
}

/*
 * Unloading at the end, on the workers: an instance in the verifier is not waited for. It has
 * nothing attached, and what it has goes with the process.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned left; /* protected by lock */
} unloading = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

struct unload_job {
	struct job job;
	struct instance *inst; /* counted */
	bool awaited;
};

static void unload_run(struct job *j)
{
	instance_unload(container_of(j, struct unload_job, job)->inst);
}

static void unload_release(struct job *j)
{
	struct unload_job *job = container_of(j, struct unload_job, job);

	instance_unref(job->inst);
	pthread_mutex_lock(&unloading.lock);
	unloading.left -= job->awaited;
	pthread_cond_signal(&unloading.cond);
	pthread_mutex_unlock(&unloading.lock);
	free(job);
}

/* @inst: counted for the job. */
static void submit_unload(struct fs *fs, struct instance *inst, bool awaited)
{
	struct unload_job *job = calloc(1, sizeof(*job));

	if (!job) {
		instance_unref(inst);
		return;
	}
	*job = (struct unload_job){ .job = { .run = unload_run, .release = unload_release },
				    .inst = inst,
				    .awaited = awaited };
	pthread_mutex_lock(&unloading.lock);
	unloading.left += awaited;
	pthread_mutex_unlock(&unloading.lock);
	if (worker_submit(fs->workers, &inst->strand, &job->job) < 0) {
		unload_run(&job->job);
		unload_release(&job->job);
	}
}

static struct link *any_link(struct fs *fs)
{
	struct link *l = NULL;

	pthread_mutex_lock(&fs->lock);
	if (fs->links.len)
		l = link_ref(fs->links.data[fs->links.len - 1]);
	pthread_mutex_unlock(&fs->lock);
	return l;
}

/* Detach and unload everything that is not pinned, in order and in the open: not by dying. */
static void unload_all(struct fs *fs)
{
	VEC(struct unload_job) list = {};
	struct timespec until;
	struct link *l;

	pthread_mutex_lock(&fs->lock);
	vec_for_each (inst, &fs->instances) {
		struct unload_job item = { .inst = instance_ref(*inst),
					   .awaited = !(*inst)->loading };

		if (vec_push(&list, item) < 0)
			instance_unref(*inst);
	}
	pthread_mutex_unlock(&fs->lock);
	vec_for_each (item, &list)
		submit_unload(fs, item->inst, item->awaited);
	vec_deinit(&list);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_WAIT_MS / 1000;
	pthread_mutex_lock(&unloading.lock);
	while (unloading.left)
		if (pthread_cond_timedwait(&unloading.cond, &unloading.lock, &until) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&unloading.lock);
	while ((l = any_link(fs))) {
		link_destroy(fs, l);
		link_unref(l);
	}
}

/*
 * Signals and housekeeping: one thread that waits for SIGTERM and friends, and
 * every few seconds gives back what nobody has used for a while.
 */
static pthread_t main_thread;
static bool loop_ended; /* atomic; SIGUSR2 says so, unless anybody else sent it */

static void wake_up(int sig)
{
	(void)sig;
}

/* Is what is on top at the mountpoint this very mount? After `umount -l` it may be another one. */
static bool is_mounted(const struct fs *fs)
{
	dev_t dev = 0;

	return mounted_by_us(fs->opt.mountpoint, &dev) && dev == fs->dev;
}

static void *signal_main(void *arg)
{
	struct fs *fs = arg;
	sigset_t set;
	struct timespec period = { .tv_sec = TRIM_PERIOD_S }, again = { .tv_nsec = 100000000 };

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	for (;;) {
		int sig = sigtimedwait(&set, NULL, &period);

		if (sig == SIGUSR2 && __atomic_load_n(&loop_ended, __ATOMIC_ACQUIRE))
			return NULL;
		if (sig > 0 && sig != SIGUSR2)
			break;
		kernel_btf_trim(fs->env.kernel_btf, BTF_IDLE_MS);
	}
	/* Waiting readers first: they get their end of file, not an aborted connection. */
	hubs_stop(fs->hubs);
	fuse_session_exit(fs->session);
	/* Aborts the connection, which ends the loop's reads; and the place is free again. */
	if (is_mounted(fs))
		umount2(fs->opt.mountpoint, MNT_FORCE | MNT_DETACH);
	/*
	 * Where there is nothing to abort while somebody is still inside, libfuse's loop has to be
	 * woken, by a signal that does nothing else.
	 */
	while (!__atomic_load_n(&loop_ended, __ATOMIC_ACQUIRE)) {
		pthread_kill(main_thread, SIGUSR1);
		sigtimedwait(&set, NULL, &again);
	}
	return NULL;
}

static int loop(struct fs *fs)
{
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();
	int r;

	if (!cfg)
		return 1;
	fuse_loop_cfg_set_max_threads(cfg, MAX_LOOP_THREADS);
	fuse_loop_cfg_set_idle_threads(cfg, MAX_LOOP_THREADS);
	r = fuse_session_loop_mt(fs->session, cfg);
	fuse_loop_cfg_destroy(cfg);
	return r;
}

/* Mount, serve, unmount. Exit status. */
static int serve(struct fs *fs, int *parent)
{
	struct sigaction wake = { .sa_handler = wake_up }; /* without SA_RESTART */
	struct pollfd conn = { .fd = -1 }; /* only POLLERR is asked for: it was aborted */
	pthread_t signals;
	sigset_t set, usr1;
	int r;

	if (fuse_session_mount(fs->session, fs->opt.mountpoint) < 0)
		return 1;
	mounted_by_us(fs->opt.mountpoint, &fs->dev);
	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	main_thread = pthread_self();
	sigaction(SIGUSR1, &wake, NULL);
	if (pthread_create(&signals, NULL, signal_main, fs)) {
		fuse_session_unmount(fs->session);
		return 1;
	}
	if (*parent >= 0)
		detach_stdio();
	tell_parent(parent, 0);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	r = loop(fs);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	__atomic_store_n(&loop_ended, true, __ATOMIC_RELEASE);
	pthread_kill(signals, SIGUSR2);
	pthread_join(signals, NULL);
	hubs_stop(fs->hubs);
	unload_all(fs);
	conn.fd = fuse_session_fd(fs->session);
	/* libfuse unmounts by path if the connection lives: what is there may not be ours. */
	if (poll(&conn, 1, 0) == 1 || is_mounted(fs))
		fuse_session_unmount(fs->session);
	return r ? 1 : 0;
}

static int add_options(struct fuse_args *args, const struct fs_options *opt)
{
	struct str s = {};
	int r;

	str_add(&s, "-osubtype=bpfuse,fsname=");
	/* A comma would end the option. */
	for (const char *p = opt->source ? opt->source : "bpfuse"; *p; p++) {
		if (*p == ',' || *p == '\\')
			str_add_char(&s, '\\');
		str_add_char(&s, *p);
	}
	if (opt->allow_other)
		str_add(&s, ",allow_other,default_permissions");
	r = str_error(&s) ? -1 : fuse_opt_add_arg(args, s.data);
	str_deinit(&s);
	if (r == 0 && opt->debug)
		r = fuse_opt_add_arg(args, "-d");
	return r;
}

/* Many maps, programs, links and waiting readers are many descriptors. */
static void raise_fd_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

static int run(struct fuse_args *args, struct fs_options *opt)
{
	struct fs *fs = NULL;
	int parent = -1, ret = 1;

	if (add_options(args, opt) < 0 || check_mountpoint(opt) < 0)
		return 1;
	if (!opt->foreground && !opt->debug) {
		parent = go_to_background();
		if (parent < 0) {
			fprintf(stderr, "bpfuse: cannot go to the background: %s\n",
				strerror(-parent));
			return 1;
		}
	}
	raise_fd_limit();
	signal(SIGPIPE, SIG_IGN);
	fs = fs_new(opt);
	if (fs)
		fs->session = fuse_session_new(args, &fs_ops, sizeof(fs_ops), fs);
	if (fs && fs->session)
		ret = serve(fs, &parent);
	tell_parent(&parent, ret);
	/* Who is still in the verifier uses all this, and is stopped by the end of the process
	 * only. */
	if (fs && !worker_pool_stop(fs->workers, LOAD_WAIT_MS))
		_exit(ret);
	if (fs && fs->session)
		fuse_session_destroy(fs->session);
	fs_free(fs);
	return ret;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fs_options opt = { .uid = getuid(), .gid = getgid(), .mode = 0700 };
	int ret = 1;

	open_stdio();
	if (fuse_opt_parse(&args, &opt, option_table, take_argument) < 0) {
		ret = 2;
	} else if (opt.uid == (unsigned)-1 || opt.gid == (unsigned)-1) {
		fprintf(stderr, "bpfuse: uid=-1 and gid=-1 are nobody's\n");
		ret = 2;
	} else if (opt.show_help) {
		fputs(usage, stdout);
		ret = 0;
	} else if (opt.show_version) {
		printf("bpfuse %s (libfuse %s)\n", BPFUSE_VERSION, fuse_pkgversion());
		ret = 0;
	} else if (!opt.mountpoint) {
		fputs(usage, stderr);
		ret = 2;
	} else {
		ret = run(&args, &opt);
	}
	free(opt.source);
	free(opt.mountpoint);
	fuse_opt_free_args(&args);
	return ret;
}
