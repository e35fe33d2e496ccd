/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a person typed to search or filter rows: "text" (anywhere, case ignored), "~regex"
 * (POSIX extended, case ignored), "!not" in front of either.
 */
#ifndef TARDY_VIEW_VIEW_FILTER_H
#define TARDY_VIEW_VIEW_FILTER_H
#include <regex.h>
#include <stdbool.h>

enum { VIEW_FILTER_MAX = 160 };

struct view_filter {
	char text[VIEW_FILTER_MAX]; /* as typed; empty = everything matches */
	const char *needle; /* into text, behind '!' and '~' */
	bool negate;
	bool is_regex;
	bool compiled; /* re is to be freed */
	regex_t re;
};

/* Zeroed memory is a valid empty filter. Returns 0, or -EINVAL for a regex that does not compile:
 * the filter then matches everything. Frees what was set before. */
int view_filter_set(struct view_filter *f, const char *text);
bool view_filter_matches(const struct view_filter *f, const char *label);
void view_filter_release(struct view_filter *f);
#endif
