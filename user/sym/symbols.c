// SPDX-License-Identifier: GPL-2.0-only
#include "sym/symbols.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
	FORGETS_MAX = 1024, /* beyond it all is forgotten */
	THREAD_STACK_BYTES = 8 << 20, /* demangling recurses; touched only as far as it does */
	THREAD_NICE = 5,
	END_WAIT_S = 2,
};

struct job {
	struct symbol_ask ask;
	bool forget; /* ask.tgid */
};

struct symbols {
	struct resolver *resolver; /* the thread's alone */
	pthread_t thread;
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t work;
	bool stop, ended, left_behind;
	/* rings; answers have room for every question, so that the thread never waits for it */
	struct job *jobs;
	struct symbol_answer *answers;
	size_t n_jobs, first_job, cap_jobs;
	size_t n_answers, first_answer;
	size_t open, max_asks; /* questions whose answers were not taken */
	size_t n_forgets;
	bool forget_all;
	struct resolve_stats stats;
};

static void release(struct symbols *s)
{
	resolver_free(s->resolver);
	free(s->jobs);
	free(s->answers);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* Takes the next job with the lock held; false: the end. */
static bool next_job(struct symbols *s, struct job *out)
{
	while (!s->stop && !s->n_jobs && !s->forget_all)
		pthread_cond_wait(&s->work, &s->lock);
	if (s->stop)
		return false;
	if (s->forget_all) {
		s->forget_all = false;
		*out = (struct job){ .forget = true };
		return true;
	}
	*out = s->jobs[s->first_job];
	s->n_jobs--;
	s->first_job = s->n_jobs ? (s->first_job + 1) % s->cap_jobs : 0;
	s->n_forgets -= out->forget;
	return true;
}

static void *run(void *arg)
{
	struct symbols *s = arg;
	struct symbol_answer answer;
	bool left_behind;
	struct job job;

	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + THREAD_NICE);
	pthread_mutex_lock(&s->lock);
	while (next_job(s, &job)) {
		pthread_mutex_unlock(&s->lock);
		answer.ask = job.ask;
		if (job.forget)
			resolver_forget(s->resolver, job.ask.tgid);
		else
			resolver_resolve(s->resolver, job.ask.tgid, job.ask.addr,
					 job.ask.after_call, &answer.sym);
		pthread_mutex_lock(&s->lock);
		s->stats = resolver_stats(s->resolver);
		if (!job.forget)
			s->answers[(s->first_answer + s->n_answers++) % s->max_asks] = answer;
	}
	s->ended = true;
	left_behind = s->left_behind;
	pthread_mutex_unlock(&s->lock);
	if (left_behind) /* nobody else has it any more */
		release(s);
	return NULL;
}

/* Signals are the main thread's. */
static int start(struct symbols *s)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&s->thread, &attr, run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		pthread_setname_np(s->thread, "tardy-symbols");
	return -err;
}

/* ---- the asker --------------------------------------------------------------------------- */

struct symbols *symbols_new(const struct resolve_opts *opts, size_t max_asks)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	s->max_asks = max_asks ? max_asks : SYMBOLS_ASKS_MAX;
	s->cap_jobs = s->max_asks + FORGETS_MAX;
	s->jobs = calloc(s->cap_jobs, sizeof(*s->jobs));
	s->answers = calloc(s->max_asks, sizeof(*s->answers));
	s->resolver = resolver_new(opts);
	if (!s->jobs || !s->answers || !s->resolver || start(s)) {
		release(s);
		return NULL;
	}
	return s;
}

static void job_put(struct symbols *s, const struct job *job)
{
	s->jobs[(s->first_job + s->n_jobs++) % s->cap_jobs] = *job;
}

int symbols_ask(struct symbols *s, const struct symbol_ask *asks, size_t n)
{
	int err = 0;

	pthread_mutex_lock(&s->lock);
	if (n > s->max_asks - s->open)
		err = -EAGAIN;
	for (size_t i = 0; !err && i < n; i++)
		job_put(s, &(struct job){ .ask = asks[i] });
	if (!err)
		s->open += n;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	return err;
}

bool symbols_take(struct symbols *s, struct symbol_answer *out)
{
	bool any;

	pthread_mutex_lock(&s->lock);
	any = s->n_answers;
	if (any) {
		*out = s->answers[s->first_answer];
		/* back to the front when empty: memory is used only as far as it is needed */
		s->n_answers--;
		s->first_answer = s->n_answers ? (s->first_answer + 1) % s->max_asks : 0;
		s->open--;
	}
	pthread_mutex_unlock(&s->lock);
	return any;
}

void symbols_forget(struct symbols *s, uint32_t tgid)
{
	pthread_mutex_lock(&s->lock);
	if (s->n_forgets < FORGETS_MAX) {
		job_put(s, &(struct job){ .ask.tgid = tgid, .forget = true });
		s->n_forgets++;
	} else {
		s->forget_all = true;
	}
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
}

struct resolve_stats symbols_stats(struct symbols *s)
{
	struct resolve_stats stats;

	pthread_mutex_lock(&s->lock);
	stats = s->stats;
	pthread_mutex_unlock(&s->lock);
	return stats;
}

void symbols_free(struct symbols *s)
{
	struct timespec until;
	bool left_behind;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += END_WAIT_S;
	if (pthread_clockjoin_np(s->thread, NULL, CLOCK_MONOTONIC, &until)) {
		pthread_mutex_lock(&s->lock);
		left_behind = s->left_behind = !s->ended;
		if (left_behind)
			pthread_detach(s->thread);
		pthread_mutex_unlock(&s->lock);
		if (left_behind)
			return;
		pthread_join(s->thread, NULL);
	}
	release(s);
}
