/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing text with a stored result in tests/golden. Run with TARDY_GOLDEN_UPDATE=1 to store
 * what is produced now, and read the diff before committing it. TARDY_GOLDEN_DIR says where the
 * folder is when tests do not run from the top of the tree.
 */
#ifndef TARDY_TESTS_VIEW_GOLDEN_H
#define TARDY_TESTS_VIEW_GOLDEN_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All of a file, NUL-terminated, or NULL; the caller frees it. */
static inline char *golden_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	if (f && text)
		text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
	if (f)
		fclose(f);
	if (f)
		return text;
	free(text);
	return NULL;
}

/* Whether text is what the file of that name holds; prints both when it is not. */
static inline int golden_matches(const char *name, const char *text)
{
	const char *dir = getenv("TARDY_GOLDEN_DIR");
	char path[512], *want;
	int same;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/golden", name);
	if (getenv("TARDY_GOLDEN_UPDATE")) {
		FILE *f = fopen(path, "w");

		if (!f)
			return 0;
		fputs(text, f);
		return fclose(f) == 0;
	}
	want = golden_read(path);
	same = want && !strcmp(want, text);
	if (!same)
		fprintf(stderr, "---- %s wants\n%s---- but got\n%s", path,
			want ? want : "(no such file)\n", text);
	free(want);
	return same;
}
#endif
