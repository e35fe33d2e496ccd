// SPDX-License-Identifier: GPL-2.0-only
/* Batch mode: the main screen's content as a block of text, one block a refresh. */
#include <errno.h>
#include "view/view.h"

int view_batch_print(FILE *out, const struct snapshot *s, const struct text_opts *o)
{
	int err = export_text(out, s, EXPORT_ROUTES, o);

	if (err)
		return err;
	errno = 0;
	if (fputc('\n', out) == EOF || fflush(out))
		return errno ? -errno : -EIO;
	return 0;
}
