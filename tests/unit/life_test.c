// SPDX-License-Identifier: GPL-2.0-only
/* The life of an exchange: each change of state is allowed or ends the program. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "assemble/life.h"

/* A node as it is in a state, with no place among others. */
static void make(struct node *n, struct conn *c, enum node_state state)
{
	*n = (struct node){ .state = state, .x = { .xid = 1, .role = ROLE_ACCEPTED } };
	if (state >= NODE_OVER)
		n->end_reason = END_PROTOCOL;
	if (state >= NODE_OPEN && state != NODE_GONE) {
		n->conn = c;
		n->x.turn[1].ops = 1;
	}
}

/* Does fn(arg) end the program by an assertion? In a child, so that this one goes on. */
static bool aborts(void (*fn)(void *arg), void *arg)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		fn(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	return true;
}

struct change {
	enum node_state from, to;
	enum end_reason why;
	void (*spoil)(struct node *n);
};

static void change(void *arg)
{
	const struct change *c = arg;
	struct conn conn = { .id = 1 };
	struct node n;

	make(&n, &conn, c->from);
	if (c->to == NODE_OPEN)
		n.conn = &conn;
	if (c->spoil)
		c->spoil(&n);
	node_becomes(&n, c->to, c->why);
}

static enum end_reason reason_for(enum node_state to)
{
	return to == NODE_OPEN || to == NODE_NAMED ? END_NONE : END_CLOSED;
}

static void test_every_change(void **state)
{
	/* what each state may become, by first letters; x: gone */
	static const char *const allowed[NODE_STATE_COUNT] = {
		[NODE_NAMED] = "ox", [NODE_OPEN] = "vx",   [NODE_OVER] = "hgd", [NODE_HELD] = "ovx",
		[NODE_GIVEN] = "x",  [NODE_DROPPED] = "x", [NODE_GONE] = "",
	};
	static const char letters[NODE_STATE_COUNT] = {
		[NODE_NAMED] = 'n', [NODE_OPEN] = 'o',    [NODE_OVER] = 'v', [NODE_HELD] = 'h',
		[NODE_GIVEN] = 'g', [NODE_DROPPED] = 'd', [NODE_GONE] = 'x',
	};

	(void)state;
	for (int from = 0; from < NODE_STATE_COUNT; from++)
		for (int to = 0; to < NODE_STATE_COUNT; to++) {
			struct change c = { from, to, reason_for(to), NULL };
			bool may = strchr(allowed[from], letters[to]);

			assert_int_equal(life_allows(from, to), may);
			assert_int_equal(aborts(change, &c), !may);
		}
	assert_false(life_allows(NODE_STATE_COUNT, NODE_GONE));
	assert_false(life_allows(NODE_NAMED, NODE_STATE_COUNT));
}

static void make_call(struct node *n)
{
	n->x.role = ROLE_CONNECTED;
}

static void take_conn(struct node *n)
{
	n->conn = NULL;
}

static void take_answer(struct node *n)
{
	n->x.turn[1].ops = 0;
}

static void make_busy(struct node *n)
{
	n->busy = true;
}

static void make_linked(struct node *n)
{
	n->older = n;
}

/* What a state means has to be so. */
static void test_meaning(void **state)
{
	static const struct change wrong[] = {
		{ NODE_OPEN, NODE_OVER, END_NONE, NULL }, /* an end without a reason */
		{ NODE_OPEN, NODE_GONE, END_NONE, NULL },
		{ NODE_NAMED, NODE_GONE, END_NONE, NULL },
		{ NODE_NAMED, NODE_OPEN, END_REST, NULL }, /* a reason without an end */
		{ NODE_OPEN, NODE_OVER, END_REASON_COUNT, NULL },
		{ NODE_NAMED, NODE_OPEN, END_NONE, take_conn },
		{ NODE_OPEN, NODE_OVER, END_REST, make_call }, /* calls end with their request */
		{ NODE_OVER, NODE_HELD, END_REST, take_answer },
		{ NODE_OVER, NODE_DROPPED, END_NONE, NULL }, /* it would lose its reason */
		{ NODE_GIVEN, NODE_GONE, END_NONE, make_busy },
		{ NODE_GIVEN, NODE_GONE, END_NONE, make_linked },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct change c = wrong[i];

		assert_true(aborts(change, &c));
	}
}

static void test_reasons(void **state)
{
	struct conn c = { .id = 1 };
	struct node n;

	(void)state;
	make(&n, &c, NODE_OPEN);
	node_becomes(&n, NODE_OVER, END_REST);
	assert_int_equal(n.end_reason, END_REST);
	node_becomes(&n, NODE_HELD, END_REST);
	node_becomes(&n, NODE_OPEN, END_NONE); /* it went on */
	assert_int_equal(n.end_reason, END_NONE);
	node_becomes(&n, NODE_OVER, END_PROTOCOL);
	node_becomes(&n, NODE_GIVEN, END_CLOSED); /* the first stays */
	assert_int_equal(n.end_reason, END_PROTOCOL);
	n.conn = NULL;
	node_becomes(&n, NODE_GONE, END_ORPHANED);
	assert_int_equal(n.end_reason, END_PROTOCOL);

	make(&n, &c, NODE_OVER);
	node_becomes(&n, NODE_DROPPED, END_NO_ANSWER); /* but for why it was dropped */
	assert_int_equal(n.end_reason, END_NO_ANSWER);
}

/* Each reason has a name of its own. */
static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < END_REASON_COUNT; i++) {
		assert_true(strlen(end_reason_name(i)) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(end_reason_name(i), end_reason_name(j));
	}
	assert_string_equal(end_reason_name(END_REASON_COUNT), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_change),
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
