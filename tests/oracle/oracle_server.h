/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle's server: what its files share. A request names its causes in its path,
 *	GET /c/spin=20000,futex=5000	causes in order, arguments in us (disk, fsync, reader: KiB)
 *	GET /c/none			nothing
 *	GET /hold/mutex=20000		hold the lock that others wait for with mutex=0
 *	GET /setup/pin=1		bind the serving thread to CPU 1
 *	GET /setup/throttle=0		put the serving thread into the CPU cgroup
 * and its number in the field X-Id; the field X-Call of a proxy goes before that.
 */
#ifndef ORACLE_SERVER_H
#define ORACLE_SERVER_H
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include "oracle_truth.h"

struct oracle_options {
	const char *mode; /* "threads", "workers", "pool", "loop", "proxy", "lasting", "store" */
	struct sockaddr_in listen;
	struct sockaddr_in upstream; /* sin_port 0 = none */
	struct sockaddr_in store; /* the same */
	int workers;
	const char *dir; /* for lock and data files */
	const char *cpu_cgroup; /* with a quota; NULL = none */
	const char *truth; /* path of the truth log; NULL = none wanted (upstream) */
	const char *ready; /* file to write the pids to once listening; NULL = none */
};

struct oracle_op {
	int cause;
	int64_t arg;
};

enum oracle_kind { ORACLE_CAUSES_LIST, ORACLE_HOLD, ORACLE_SETUP_PIN, ORACLE_SETUP_THROTTLE };

struct oracle_request {
	char method[8];
	char path[160];
	uint64_t id;
	bool close;
	size_t head_len, body_len, reader_bytes;
	enum oracle_kind kind;
	int64_t setup_arg;
	int n_ops;
	struct oracle_op ops[ORACLE_WAITS_MAX];
};

struct oracle_helper;
struct oracle_fault;

/* One serving thread with all that its causes need, made before its first request. */
struct oracle_thread {
	const struct oracle_options *opt;
	struct oracle_shared *shared;
	struct oracle_clock clock;
	struct oracle_helper *helper;
	struct oracle_fault *fault; /* NULL when userfaultfd is not available */
	int hold_fd; /* flock() of /hold/hflock, one open file for each thread */
	int disk_fd, fsync_fd;
	int upstream_fd; /* -1 in mode loop, where each connection has its own */
	int store_fd;
	struct oracle_call call; /* that its latest cause made */
	char *block; /* aligned, for O_DIRECT and response bodies */
	bool has_prev;
	struct oracle_mark prev_end;
	_Atomic int64_t
		woken_ns; /* when a helper thread began to end its latest wait, 0 = none did */
};

/* How a serving thread came to its next request. */
struct oracle_coming {
	struct oracle_mark call, done; /* of accept(); mono_ns 0 = by another thread */
	struct oracle_mark
		wait; /* before it waited to be handed one; mono_ns 0 = it waits in the read */
	int64_t hand_ns, handed_ns; /* as in oracle_record */
};

#define ORACLE_WORKERS_MAX 16
#define ORACLE_BLOCK_BYTES (1024 * 1024)
#define ORACLE_HEAD_MAX 2048

/* oracle_server.c */
/* Serves one request on a blocking connection. 1 = keep it, 0 = it is over, -errno. */
int oracle_serve_one(struct oracle_thread *t, int fd, struct oracle_coming *coming);
void oracle_socket_options(int fd);
/* Says that it listens, and which processes serve. */
int oracle_write_ready(const struct oracle_options *opt, const pid_t *pids, int n);

/* oracle_server_http.c */
/* Parses a request head. Its length in bytes, 0 when more is needed, -EINVAL. */
int oracle_request_parse(struct oracle_request *r, const char *data, size_t len);
/* Writes a response head with len bytes of body to come; its length. */
int oracle_response_head(char *to, size_t size, size_t body_len, bool close);
/* Fills in who, what and when of *r: the record of a request whose first bytes were read
 * between the marks call and done. */
void oracle_record_start(struct oracle_record *rec, const struct oracle_thread *t,
			 const struct oracle_mark *call, const struct oracle_mark *done);
void oracle_record_name(struct oracle_record *rec, const struct oracle_request *r);
/* Appends a wait; more than ORACLE_WAITS_MAX are refused by the parser. */
struct oracle_wait *oracle_record_wait(struct oracle_record *rec, int cause, int64_t arg,
				       const struct oracle_span *span);
/* The same for a cause that oracle_thread_cause() ran between two marks. */
void oracle_record_cause(struct oracle_record *rec, struct oracle_thread *t,
			 const struct oracle_op *op, const struct oracle_mark *a,
			 const struct oracle_mark *b);
/* The last send took from before to end. */
void oracle_record_sent(struct oracle_record *rec, const struct oracle_mark *before,
			const struct oracle_mark *end);
/* The request is over, the first read of it was done at done: fills in the rest and logs it. */
void oracle_record_end(struct oracle_record *rec, struct oracle_thread *t,
		       const struct oracle_mark *done, const struct oracle_mark *end);

/* oracle_server_cause.c */
/* Opens files, starts helpers. 0, or -errno with everything released. */
int oracle_thread_init(struct oracle_thread *t, const struct oracle_options *opt,
		       struct oracle_shared *shared);
void oracle_thread_release(struct oracle_thread *t);
/* Runs one cause, blocking; 0 or -errno (-ENOSYS: not available here). */
int oracle_thread_cause(struct oracle_thread *t, const struct oracle_op *op);
/* Holds a lock as /hold/... asks, with a sleep; fills the span of the sleep. */
int oracle_thread_hold(struct oracle_thread *t, const struct oracle_op *op,
		       struct oracle_span *slept);
int oracle_thread_setup(struct oracle_thread *t, const struct oracle_request *r);
/* A blocking connection; -errno. */
int oracle_connect(const struct sockaddr_in *to);
/* The request to the upstream; its length. */
int oracle_upstream_request(char *to, size_t size, int64_t us);
/* Whether data holds the upstream's whole answer. */
bool oracle_upstream_done(const char *data, size_t len);

/* oracle_server_store.c: mode store, and calls to it */
/* As oracle_serve_one(). */
int oracle_store_serve_one(struct oracle_thread *t, int fd);
/* Asks for an answer in us microseconds and waits for it; call->id is set. 0 or -errno. */
int oracle_store_call(int fd, int64_t us, struct oracle_call *call);

/* oracle_server_helper.c: a second thread that ends waits */
enum oracle_job { ORACLE_JOB_FUTEX, ORACLE_JOB_FLOCK, ORACLE_JOB_PIPE };
/* NULL with errno set. dir: for the file that is locked. */
struct oracle_helper *oracle_helper_new(const char *dir);
void oracle_helper_free(struct oracle_helper *h);
/* Waits for us microseconds in the way of job; *woken_ns gets when that was ended. 0 or -errno. */
int oracle_helper_wait(struct oracle_helper *h, enum oracle_job job, int64_t us,
		       _Atomic int64_t *woken_ns);

/* oracle_server_fault.c: pages that arrive late */
/* NULL with errno set. */
struct oracle_fault *oracle_fault_new(void);
void oracle_fault_free(struct oracle_fault *f);
/* Touches a page that is missing for us microseconds; *woken_ns gets when that was ended. */
void oracle_fault_touch(struct oracle_fault *f, int64_t us, _Atomic int64_t *woken_ns);

/* oracle_server_loop.c: modes loop and proxy, serves until *stop. 0 or -errno. */
int oracle_loop_run(struct oracle_thread *t, int listen_fd, volatile sig_atomic_t *stop);

/* oracle_server_pool.c: mode pool, serves until *stop. 0 or -errno. */
int oracle_pool_run(const struct oracle_options *opt, struct oracle_shared *shared, int lfd,
		    volatile sig_atomic_t *stop);

void oracle_sleep_us(int64_t us);
#endif
