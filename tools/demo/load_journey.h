/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the demo classroom's visitors do: the routes they know, the pages that fire them, and for
 * each mode who comes, how long they think and how often they open which page. Tables only, so
 * that a mode is changed without reading the load generator; included by load.c alone.
 */
#ifndef DEMO_LOAD_JOURNEY_H
#define DEMO_LOAD_JOURNEY_H

#include <stdbool.h>

enum { LANES = 4 }; /* connections of one user, as a browser has */

enum route {
	R_LOGIN,
	R_DASHBOARD,
	R_COURSE,
	R_QUIZ_START,
	R_QUIZ_SUBMIT,
	R_GRADEBOOK,
	R_UPLOAD,
	R_AJAX,
	R_REPORT,
	R_TUTOR,
	R_CSS,
	R_JS,
	R_PNG,
	R_COUNT,
};

struct RouteDef {
	const char *method;
	const char *path;
	int status; /* what a healthy answer has; anything else is an error */
	bool wants_course; /* the path ends with the number of a course ... */
	bool wants_quiz; /* ... or of a quiz */
};

static const struct RouteDef routes[R_COUNT] = {
	[R_LOGIN] = { "POST", "/login.php", 303, false, false },
	[R_DASHBOARD] = { "GET", "/dashboard.php", 200, false, false },
	[R_COURSE] = { "GET", "/course.php?id=", 200, true, false },
	[R_QUIZ_START] = { "POST", "/quiz_start.php?id=", 200, false, true },
	[R_QUIZ_SUBMIT] = { "POST", "/quiz_submit.php", 200, false, false },
	[R_GRADEBOOK] = { "GET", "/gradebook.php?id=", 200, true, false },
	[R_UPLOAD] = { "POST", "/upload.php", 200, false, false },
	[R_AJAX] = { "GET", "/ajax.php", 200, false, false },
	[R_REPORT] = { "GET", "/report.php", 200, false, false },
	[R_TUTOR] = { "GET", "/tutor.php?id=", 200, true, false },
	[R_CSS] = { "GET", "/static/classroom.css", 200, false, false },
	[R_JS] = { "GET", "/static/classroom.js", 200, false, false },
	[R_PNG] = { "GET", "/static/logo.png", 200, false, false },
};

/* One request of a page; delay_ms after the page's start, or after its first answer. */
struct Hit {
	enum route route;
	int delay_ms;
	bool after_first;
};

/* What one click fires, on as many connections as it has hits. */
struct Page {
	int weight;
	int hit_count;
	struct Hit hits[LANES];
};

struct Mode {
	const char *name;
	const char *role; /* stem of the users' names */
	int names; /* how many such users the schema has */
	int users; /* unless told */
	int think_min_ms, think_max_ms;
	bool start_line; /* users wait for each other before the journey begins */
	int page_count;
	struct Page pages[6];
};

/* Every user begins with these, in this order; the links for the journey come from them. */
static const struct Page warm_up[] = {
	{ 0, 1, { { R_LOGIN, 0, false } } },
	{ 0,
	  4,
	  { { R_DASHBOARD, 0, false },
	    { R_CSS, 2, true },
	    { R_JS, 2, true },
	    { R_PNG, 3, true } } },
	{ 0, 1, { { R_COURSE, 0, false } } },
};
static const struct Page submit_page = { 0, 1, { { R_QUIZ_SUBMIT, 0, false } } };

static const struct Mode modes[] = {
	{ "normal",
	  "student",
	  3000,
	  20,
	  500,
	  2500,
	  false,
	  6,
	  { { 30, 2, { { R_DASHBOARD, 0, false }, { R_AJAX, 20, true } } },
	    { 35, 2, { { R_COURSE, 0, false }, { R_PNG, 3, true } } },
	    { 10, 1, { { R_QUIZ_START, 0, false } } },
	    { 5, 1, { { R_UPLOAD, 0, false } } },
	    { 18, 1, { { R_AJAX, 0, false } } },
	    { 2, 1, { { R_REPORT, 0, false } } } } },
	{ "exam-start",
	  "student",
	  3000,
	  40,
	  50,
	  250,
	  true,
	  1,
	  { { 1, 1, { { R_QUIZ_START, 0, false } } } } },
	{ "session-lock",
	  "student",
	  3000,
	  12,
	  1500,
	  3500,
	  false,
	  1,
	  { { 1,
	      4,
	      { { R_REPORT, 0, false },
		{ R_AJAX, 10, false },
		{ R_DASHBOARD, 15, false },
		{ R_AJAX, 20, false } } } } },
	{ "n-plus-one",
	  "teacher",
	  40,
	  3,
	  200,
	  800,
	  false,
	  2,
	  { { 9, 1, { { R_GRADEBOOK, 0, false } } }, { 1, 1, { { R_DASHBOARD, 0, false } } } } },
	{ "upload-disk",
	  "student",
	  3000,
	  12,
	  200,
	  800,
	  false,
	  3,
	  { { 8, 1, { { R_UPLOAD, 0, false } } },
	    { 1, 1, { { R_DASHBOARD, 0, false } } },
	    { 1, 1, { { R_COURSE, 0, false } } } } },
	{ "cpu-quota",
	  "student",
	  3000,
	  6,
	  500,
	  1500,
	  false,
	  3,
	  { { 2, 1, { { R_QUIZ_START, 0, false } } },
	    { 4, 1, { { R_DASHBOARD, 0, false } } },
	    { 4, 1, { { R_COURSE, 0, false } } } } },
	{ "tutor",
	  "student",
	  3000,
	  10,
	  500,
	  2000,
	  false,
	  3,
	  { { 7, 1, { { R_TUTOR, 0, false } } },
	    { 2, 2, { { R_DASHBOARD, 0, false }, { R_AJAX, 20, true } } },
	    { 1, 1, { { R_COURSE, 0, false } } } } },
	{ "cpu-hog",
	  "student",
	  3000,
	  10,
	  400,
	  1600,
	  false,
	  3,
	  { { 4, 1, { { R_QUIZ_START, 0, false } } },
	    { 3, 2, { { R_DASHBOARD, 0, false }, { R_AJAX, 20, true } } },
	    { 3, 1, { { R_COURSE, 0, false } } } } },
};

#endif
