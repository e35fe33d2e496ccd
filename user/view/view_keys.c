// SPDX-License-Identifier: GPL-2.0-only
/* Looks keys up in the tables of view_keys.h. */
#include <curses.h>
#include <stdio.h>
#include <string.h>
#include "view/view_keys.h"

struct key {
	int code;
	const char *label;
	enum view_action action;
};

static const struct key keys[] = {
#define X(key_code, key_label, id) { key_code, key_label, VIEW_ACTION_##id },
	VIEW_KEYS(X)
#undef X
};

static const struct {
	const char *brief, *help;
} actions[VIEW_ACTION_COUNT] = {
#define X(id, brief_text, help_text) [VIEW_ACTION_##id] = { brief_text, help_text },
	VIEW_ACTIONS(X)
#undef X
};

enum view_action view_keys_action(int code)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].action;
	return VIEW_ACTION_NONE;
}

void view_keys_labels(enum view_action action, char *buf, size_t size)
{
	size_t at = 0;

	*buf = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && at < size; i++)
		if (keys[i].action == action && keys[i].label)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? " " : "",
					       keys[i].label);
}

const char *view_keys_brief(enum view_action action)
{
	return actions[action].brief;
}

const char *view_keys_help(enum view_action action)
{
	return actions[action].help ? actions[action].help : "";
}
