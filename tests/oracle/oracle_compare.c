/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The comparator: does tardy's answer agree with the oracle's truth?
 *
 *	oracle_compare TRUTH_SERVER TRUTH_CLIENT TARDY_NDJSON [--callee TRUTH_SERVER] [--mode NAME]
 *		[--sleep-sum] [-v]
 *
 * It exits 0 only when all of this holds, 1 when not, 2 when a file could not be used:
 *  - every request was found, none invented, with its method, status and first path segment,
 *    and none is incomplete or aborted;
 *  - |wall - sum of parts| of every request is at most 1 us;
 *  - in every group (one cause alone, or the mixtures) the errors of the group's own cause, of
 *    cpu, of runq, of wall and of all other causes together ("stray") are, against
 *	p50 <= max(2 % of the truth, 50 us)   and   p95 <= max(5 % of the truth, 50 us);
 *    and so is what a thread did after an answer, which is no more than until it waited for the next
 *    request (where a loop went on with others before, it is not known);
 *    for stray the percentage is of the wall time, as no other truth exists;
 *    Where a request waited for a device, a timer or a peer, no clock says when that woke it; a
 *    hypervisor that holds up the interrupt or the processor then makes run queue of tardy's (it
 *    begins with the wakeup) what is still the wait to the truth. So of these cause, cpu and runq
 *    are compared by their sum at p95, and each at p50 and p75;
 *    With --sleep-sum cpu and runq of groups that sleep are compared together. The scheduler does
 *    not look at its clock between an interrupt's wakeup and the switch that follows, so what the
 *    interrupt still does is cpu in the truth; where interrupts are slow (an emulated processor's
 *    take 0.1 ms) that is more than 50 us;
 *  - unknown is at most 1 % of the wall time of every group;
 *  - each group's cause was really injected (its truth is 500 us at the median, or more);
 *  - held_by names the holder's route where a request held the lock, and only there;
 *  - with --callee, each request of that server is joined to the one that called it, and no other
 *    request is anybody's callee.
 *
 * The error is per request: the distance of tardy's value from the truth, or from the range of it
 * (oracle_compare.h), less an allowance of 3 us: 1 us for each of the two readings of the
 * oracle's clocks that bound an interval, and 1 us for tardy's rounding to whole microseconds.
 *
 * Printed percentages are of max(truth, 2.5 ms), of which 2 % are 50 us: "2 %" is the limit.
 */
#define _GNU_SOURCE
#include "oracle_compare.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOWANCE_NS 3000
#define FLOOR_NS 50000
#define INJECTED_NS 500000
#define HELD_MIN_NS 1000000
#define RESIDUE_MAX_US 1
#define CHECKS_MAX 256

/* What is compared beside single causes. */
enum { WHAT_WALL = CAUSE_COUNT, WHAT_STRAY, WHAT_CPU_RUNQ, WHAT_SUM, WHAT_AFTER, WHAT_COUNT };

struct sample {
	double truth_ns, tardy_ns, error_ns, base_ns;
	const struct answer *of;
};

/* The samples of one group and one cause. */
struct check {
	char group[16];
	int what;
	bool main; /* the cause that the group is about */
	bool loose; /* judged at p75 in place of p95 */
	struct sample *v;
	size_t n;
};

struct comparison {
	struct truths truths;
	struct answers answers;
	struct check checks[CHECKS_MAX];
	int n_checks;
	bool verbose, sleep_sum;
	int failures;
	int causes; /* main checks */
	double worst_percent;
	int64_t residue_max_us;
};

/* Groups that are not named as the cause they inject. */
static const struct {
	const char *group;
	enum cause cause;
} group_causes[] = {
	{ "runq", CAUSE_RUNQ },    { "throttle", CAUSE_THROTTLE }, { "backlog", CAUSE_QUEUE },
	{ "crowd", CAUSE_QUEUE },  { "mix", CAUSE_COUNT },         { "slot", CAUSE_COUNT },
	{ "alike", CAUSE_COUNT },  { "calls", CAUSE_UPSTREAM },    { "sharing", CAUSE_COUNT },
	{ "callee", CAUSE_SLEEP }, { "loopblock", CAUSE_LOOP },    { "overlap", CAUSE_UPSTREAM },
	{ "timers", CAUSE_SLEEP }, { "hold", CAUSE_SLEEP },        { "blocker", CAUSE_CPU },
	{ "guest", CAUSE_CPU },
};

static const char *what_name(int what)
{
	static const char *const names[] = {
#define X(id, letter, name, help) name,
		CAUSES(X)
#undef X
			"wall",
		"stray",
		"cpu+runq",
		"all three",
		"after",
	};

	return names[what];
}

/* The cause that a group is about, CAUSE_COUNT = those that its requests waited for, -1 = its parts have no truth. */
static int group_cause(const char *group)
{
	int oracle = oracle_cause_parse(group, (int)strlen(group));

	for (size_t i = 0; i < sizeof(group_causes) / sizeof(*group_causes); i++)
		if (!strcmp(group, group_causes[i].group))
			return group_causes[i].cause;
	for (int i = 0; i < CAUSE_COUNT && oracle >= 0; i++)
		if (!strcmp(what_name(i), oracle_cause_tardy(oracle)))
			return i;
	return -1;
}

static double error_of(double value, struct range truth)
{
	double off = value < (double)truth.lo ? (double)truth.lo - value :
		     value > (double)truth.hi ? value - (double)truth.hi :
						0;

	return off > ALLOWANCE_NS ? off - ALLOWANCE_NS : 0;
}

static struct check *check_add(struct comparison *c, const char *group, int what, bool is_main,
			       struct sample sample)
{
	struct check *k = NULL;

	for (int i = 0; i < c->n_checks && !k; i++)
		if (c->checks[i].what == what && !strcmp(c->checks[i].group, group))
			k = &c->checks[i];
	if (!k) {
		if (c->n_checks == CHECKS_MAX)
			abort();
		k = &c->checks[c->n_checks++];
		snprintf(k->group, sizeof(k->group), "%s", group);
		k->what = what;
		k->main = is_main;
	}
	if (!(k->n & (k->n - 1)))
		k->v = realloc(k->v, (k->n ? 2 * k->n : 1) * sizeof(*k->v));
	if (!k->v)
		abort();
	k->v[k->n++] = sample;
	return k;
}

static struct sample sample_of(const struct answer *a, double value, struct range truth)
{
	double middle = (double)(truth.lo + truth.hi) / 2;

	return (struct sample){ middle, value, error_of(value, truth), middle, a };
}

/* Sorts the parts of one request into the checks of its group. */
static void check_request(struct comparison *c, const struct answer *a)
{
	const struct truth *t = a->truth;
	struct sample stray = { 0, 0, 0, (double)t->wall.hi, a };
	const struct range *cpu = &t->cause[CAUSE_CPU], *runq = &t->cause[CAUSE_RUNQ];
	struct range sum_truth = { 0, 0 };
	int about = group_cause(t->group);
	double sum = 0;
	bool together = c->sleep_sum && about == CAUSE_SLEEP;

	if (about < 0)
		return;
	if (together)
		check_add(c, t->group, WHAT_CPU_RUNQ, false,
			  sample_of(a, (double)(a->cause_ns[CAUSE_CPU] + a->cause_ns[CAUSE_RUNQ]),
				    (struct range){ cpu->lo + runq->lo, cpu->hi + runq->hi }));
	for (int i = 0; i < CAUSE_COUNT; i++) {
		struct sample s = sample_of(a, (double)a->cause_ns[i], t->cause[i]);
		bool is_main = i == about ? t->cause[i].hi > 0 :
					    about == CAUSE_COUNT && t->waited & 1u << i;

		if (i == CAUSE_UNKNOWN || (together && (i == CAUSE_CPU || i == CAUSE_RUNQ)))
			continue;
		if (i == CAUSE_CPU || i == CAUSE_RUNQ || is_main) {
			check_add(c, t->group, i, is_main, s)->loose |= t->unwoken;
			sum += (double)a->cause_ns[i];
			sum_truth.lo += t->cause[i].lo;
			sum_truth.hi += t->cause[i].hi;
			continue;
		}
		stray.tardy_ns += s.tardy_ns;
		stray.truth_ns += s.truth_ns;
		stray.error_ns += s.error_ns;
	}
	if (t->unwoken)
		check_add(c, t->group, WHAT_SUM, false, sample_of(a, sum, sum_truth));
	if (t->after_ns >= 0)
		check_add(c, t->group, WHAT_AFTER, false,
			  sample_of(a, (double)a->after_ns, (struct range){ 0, t->after_ns }));
	check_add(c, t->group, WHAT_STRAY, false, stray);
	check_add(c, t->group, WHAT_WALL, false, sample_of(a, (double)a->wall_ns, t->wall));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Nearest rank. */
static double percentile(const double *sorted, size_t n, int percent)
{
	size_t rank = (n * (size_t)percent + 99) / 100;

	return n ? sorted[rank ? rank - 1 : 0] : 0;
}

enum field { TRUTH, TARDY, ERROR, RATIO_2, RATIO_5, PERCENT };

static double field_of(const struct sample *s, enum field field)
{
	double limit;

	switch (field) {
	case TRUTH:
		return s->truth_ns;
	case TARDY:
		return s->tardy_ns;
	case ERROR:
		return s->error_ns;
	case PERCENT:
		limit = s->base_ns > 50 * FLOOR_NS ? s->base_ns : 50 * FLOOR_NS;
		return 100 * s->error_ns / limit;
	default:
		limit = s->base_ns * (field == RATIO_2 ? 0.02 : 0.05);
		return s->error_ns / (limit > FLOOR_NS ? limit : FLOOR_NS);
	}
}

static double check_percentile(const struct check *k, enum field field, int percent)
{
	double *v = malloc((k->n + 1) * sizeof(*v)), result;

	if (!v)
		abort();
	for (size_t i = 0; i < k->n; i++)
		v[i] = field_of(&k->v[i], field);
	qsort(v, k->n, sizeof(*v), by_value);
	result = percentile(v, k->n, percent);
	free(v);
	return result;
}

/* Names the requests whose error is above the limit of one: what was to be explained. */
static void print_outliers(const struct check *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct sample *s = &k->v[i];

		if (field_of(s, RATIO_5) > 1)
			printf("  id %llu %s: %s %.0f us, by tardy %.0f, off by %.0f\n",
			       (unsigned long long)s->of->truth->id, s->of->truth->path,
			       what_name(k->what), s->truth_ns / 1000, s->tardy_ns / 1000,
			       s->error_ns / 1000);
	}
}

static void check_judge(struct comparison *c, const struct check *k)
{
	double percent = check_percentile(k, PERCENT, 50);
	bool injected = !k->main || check_percentile(k, TRUTH, 50) >= INJECTED_NS;
	bool good = check_percentile(k, RATIO_2, 50) <= 1 &&
		    check_percentile(k, RATIO_5, k->loose ? 75 : 95) <= 1;

	c->causes += k->main;
	if (percent > c->worst_percent)
		c->worst_percent = percent;
	if (!good || !injected)
		c->failures++;
	if (!k->main && good && !c->verbose)
		return;
	printf("%-10s %-9s %4zu %10.0f %10.0f %9.0f %6.2f %9.0f  %s\n", k->group,
	       what_name(k->what), k->n, check_percentile(k, TRUTH, 50) / 1000,
	       check_percentile(k, TARDY, 50) / 1000, check_percentile(k, ERROR, 50) / 1000,
	       percent, check_percentile(k, ERROR, 95) / 1000,
	       !injected ? "FAIL: not injected" :
	       good      ? "ok" :
			   "FAIL");
	if (!good)
		print_outliers(k);
}

/* A request's route must begin with its method and the first segment of its path. One without a method
 * is of a protocol that nobody knows: the server's port is all that it may be called by. */
static bool same_route(const struct answer *a)
{
	const struct truth *t = a->truth;
	size_t len = strcspn(t->path + 1, "/") + 1;
	char want[200];

	if (!*t->method)
		return !strncmp(a->route, "port ", 5) && !*a->method && !a->status;
	snprintf(want, sizeof(want), "%s %.*s", t->method, (int)len, t->path);
	return a->status == 200 && !strncmp(a->route, want, strlen(want)) &&
	       !strcmp(a->method, t->method);
}

/* A connection of the server's to its callee is older than the recording: of a protocol that is not
 * known, the first exchange on it may have begun before. The warmup takes that. */
static bool may_lack(const struct truth *t)
{
	return t->caller && !*t->method && !strcmp(t->group, "warmup");
}

static void judge_requests(struct comparison *c)
{
	size_t found = 0, missed = 0, invented = 0, unlike = 0, incomplete = 0, aborted = 0,
	       residues = 0;

	for (size_t i = 0; i < c->truths.n; i++) {
		found += c->truths.v[i].found;
		missed += !c->truths.v[i].found && !may_lack(&c->truths.v[i]);
	}
	for (size_t i = 0; i < c->answers.n; i++) {
		const struct answer *a = &c->answers.v[i];
		int64_t residue = llabs(a->wall_ns - a->sum_ns) / 1000;

		invented += !a->truth;
		incomplete += a->incomplete;
		aborted += a->aborted;
		residues += residue > RESIDUE_MAX_US;
		if (residue > c->residue_max_us)
			c->residue_max_us = residue;
		if (!a->truth)
			continue;
		unlike += !same_route(a);
		check_request(c, a);
	}
	printf("requests: %zu, found %zu, missed %zu, invented %zu, wrong route or status %zu, "
	       "incomplete %zu, aborted %zu, residue above %d us %zu\n",
	       c->truths.n, found, missed, invented, unlike, incomplete, aborted, RESIDUE_MAX_US,
	       residues);
	c->failures += !c->truths.n || missed || invented || unlike || incomplete || aborted ||
		       residues;
}

static void judge_unknown(struct comparison *c)
{
	for (int i = 0; i < c->n_checks; i++) {
		double unknown = 0, wall = 0;

		if (c->checks[i].what != WHAT_WALL)
			continue;
		for (size_t k = 0; k < c->answers.n; k++) {
			const struct answer *a = &c->answers.v[k];

			if (!a->truth || strcmp(a->truth->group, c->checks[i].group))
				continue;
			unknown += (double)a->cause_ns[CAUSE_UNKNOWN];
			wall += (double)a->wall_ns;
		}
		if (c->verbose || unknown * 100 > wall)
			printf("%-10s unknown %.2f %% of wall%s\n", c->checks[i].group,
			       wall > 0 ? 100 * unknown / wall : 0,
			       unknown * 100 > wall ? "  FAIL" : "");
		c->failures += unknown * 100 > wall;
	}
}

static void judge_holders(struct comparison *c)
{
	size_t held = 0, named = 0, falsely = 0;

	for (size_t i = 0; i < c->answers.n; i++) {
		const struct answer *a = &c->answers.v[i];
		bool names = strstr(a->held_by, "/hold") != NULL;

		if (!a->truth)
			continue;
		if (strcmp(a->truth->group, "mutex") && strcmp(a->truth->group, "hflock")) {
			falsely += names;
		} else if (a->truth->cause[CAUSE_LOCK].lo >= HELD_MIN_NS) {
			held++;
			named += names;
		}
	}
	printf("holders: %zu of %zu named, %zu falsely\n", named, held, falsely);
	c->failures += named * 100 < held * 95 || falsely;
}

static const struct answer *answer_of(const struct comparison *c, int64_t id)
{
	for (size_t i = 0; i < c->answers.n; i++)
		if (c->answers.v[i].id == id)
			return &c->answers.v[i];
	return NULL;
}

static void judge_joins(struct comparison *c)
{
	size_t called = 0, joined = 0, falsely = 0;

	for (size_t i = 0; i < c->answers.n; i++) {
		const struct answer *a = &c->answers.v[i], *parent;
		bool right;

		if (!a->truth)
			continue;
		parent = a->parent ? answer_of(c, a->parent) : NULL;
		right = parent && parent->truth && parent->truth->id == a->truth->caller;
		called += a->truth->caller != 0;
		joined += right;
		falsely += (a->parent && !right) || a->entry != !a->truth->caller;
	}
	if (called || falsely)
		printf("calls: %zu of %zu joined, %zu falsely\n", joined, called, falsely);
	c->failures += joined != called || falsely;
}

static void print_gap(const struct comparison *c)
{
	double *v = malloc((c->truths.n + 1) * sizeof(*v));
	size_t n = c->truths.n;

	if (!v)
		abort();
	for (size_t i = 0; i < n; i++)
		v[i] = (double)c->truths.v[i].gap_ns / 1000;
	qsort(v, n, sizeof(*v), by_value);
	printf("truth: wall - cpu - delay - waits, which no clock of it has: p50 %.0f us, p95 %.0f us, "
	       "max %.0f us\n",
	       percentile(v, n, 50), percentile(v, n, 95), percentile(v, n, 100));
	free(v);
}

static int compare(struct comparison *c)
{
	answers_match(&c->answers, &c->truths);
	printf("%-10s %-9s %4s %10s %10s %9s %6s %9s  (us)\n", c->truths.mode, "cause", "n",
	       "truth p50", "tardy p50", "err p50", "%", "err p95");
	judge_requests(c);
	for (int i = 0; i < c->n_checks; i++)
		check_judge(c, &c->checks[i]);
	judge_unknown(c);
	judge_holders(c);
	judge_joins(c);
	print_gap(c);
	if (!c->causes)
		c->failures++;
	if (c->failures)
		printf("%d checks failed\n", c->failures);
	printf("oracle: %d causes, worst error %.2f %%, residue max %lld us\n", c->causes,
	       c->worst_percent, (long long)c->residue_max_us);
	return c->failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option table[] = { { "mode", 1, NULL, 'm' },
					       { "callee", 1, NULL, 'c' },
					       { "sleep-sum", 0, NULL, 's' },
					       { 0 } };
	struct comparison *c = calloc(1, sizeof(*c));
	const char *mode = NULL, *callee = NULL;
	int opt, err;

	if (!c)
		return 2;
	while ((opt = getopt_long(argc, argv, "v", table, NULL)) != -1) {
		if (opt == 'm')
			mode = optarg;
		else if (opt == 'c')
			callee = optarg;
		else if (opt == 's')
			c->sleep_sum = true;
		else if (opt == 'v')
			c->verbose = true;
		else
			argc = 0;
	}
	if (argc - optind != 3) {
		fputs("usage: oracle_compare TRUTH_SERVER TRUTH_CLIENT TARDY_NDJSON "
		      "[--callee TRUTH_SERVER] [--mode NAME] [--sleep-sum] [-v]\n",
		      stderr);
		free(c);
		return 2;
	}
	err = truths_load(&c->truths, argv[optind], argv[optind + 1], callee);
	if (!err && mode && strcmp(mode, c->truths.mode)) {
		fprintf(stderr, "oracle_compare: the truth is of mode %s\n", c->truths.mode);
		err = 2;
	}
	if (!err)
		err = answers_load(&c->answers, argv[optind + 2], &c->truths);
	if (!err)
		err = compare(c);
	for (int i = 0; i < c->n_checks; i++)
		free(c->checks[i].v);
	free(c->truths.v);
	free(c->answers.v);
	free(c);
	return err;
}
