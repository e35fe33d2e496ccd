/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/attachments.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/format.h"
#include "base/json.h"

enum { RULE_WIDTH = 80 };

static char *text_copy(struct slice s)
{
	char *copy = malloc(s.len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

void attachments_add(void *ctx, struct slice name, struct slice text)
{
	struct attachments *a = ctx;
	struct attachment *v = &a->v[a->n];

	if (a->n == ATTACHMENTS_MAX || text.len > ATTACHMENTS_BYTES_MAX - a->bytes) {
		a->dropped++;
		return;
	}
	v->name = text_copy(name);
	v->text = text_copy(text);
	if (!v->name || !v->text) {
		free(v->name);
		free(v->text);
		a->dropped++;
		return;
	}
	a->n++;
	a->bytes += text.len;
}

/* Line by line; a control character would otherwise reach the terminal. */
static int print_text(FILE *out, const char *text)
{
	int err = 0;

	while (*text && !err) {
		size_t len = strcspn(text, "\n");
		char *line = text_copy((struct slice){ text, len }), *clean = malloc(len + 4);

		if (line && clean) {
			format_clean(clean, len + 4, line, UINT_MAX, false);
			fprintf(out, "%s\n", clean);
		} else {
			err = -ENOMEM;
		}
		free(line);
		free(clean);
		text += len + (text[len] == '\n');
	}
	return err;
}

static int flush(FILE *out)
{
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int attachments_print(FILE *out, const struct attachments *a)
{
	int err = 0;

	for (size_t i = 0; i < a->n && !err; i++) {
		int n = fprintf(out, "%s-- %s ", i ? "\n" : "", a->v[i].name);

		for (n -= i ? 1 : 0; n < RULE_WIDTH; n++)
			fputc('-', out);
		fputc('\n', out);
		err = print_text(out, a->v[i].text);
	}
	if (a->dropped)
		fprintf(out, "\n%zu more, for which there is no room\n", a->dropped);
	return err ? err : flush(out);
}

int attachments_json(FILE *out, const struct attachments *a)
{
	struct json j;

	json_init(&j, out);
	for (size_t i = 0; i < a->n; i++) {
		json_open_object(&j, NULL);
		json_str(&j, "kind", "attachment");
		json_str(&j, "name", a->v[i].name);
		json_str(&j, "text", a->v[i].text);
		json_close_object(&j);
		json_end_line(&j);
	}
	return json_finish(&j);
}

void attachments_release(struct attachments *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		free(a->v[i].text);
	}
	a->n = 0;
}
