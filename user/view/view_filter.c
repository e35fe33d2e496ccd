// SPDX-License-Identifier: GPL-2.0-only
/* Matches row labels against what was typed. */
#define _GNU_SOURCE /* strcasestr() */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "view/view_filter.h"

int view_filter_set(struct view_filter *f, const char *text)
{
	char copy[VIEW_FILTER_MAX];

	snprintf(copy, sizeof(copy), "%s", text);
	view_filter_release(f);
	memcpy(f->text, copy, sizeof(copy));
	f->needle = f->text;
	if (*f->needle == '!') {
		f->negate = true;
		f->needle++;
	}
	if (*f->needle == '~') {
		f->is_regex = true;
		f->needle++;
	}
	if (!f->is_regex || !*f->needle)
		return 0;
	if (regcomp(&f->re, f->needle, REG_EXTENDED | REG_ICASE | REG_NOSUB))
		return -EINVAL;
	f->compiled = true;
	return 0;
}

bool view_filter_matches(const struct view_filter *f, const char *label)
{
	bool found;

	if (!f->needle || !*f->needle)
		return true;
	if (f->is_regex && !f->compiled)
		return true;
	if (f->is_regex)
		found = regexec(&f->re, label, 0, NULL, 0) == 0;
	else
		found = strcasestr(label, f->needle) != NULL;
	return found != f->negate;
}

void view_filter_release(struct view_filter *f)
{
	if (f->compiled)
		regfree(&f->re);
	*f = (struct view_filter){ .compiled = false };
}
