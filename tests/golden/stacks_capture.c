// SPDX-License-Identifier: GPL-2.0-only
/* Writes the made-up recording of stack_scene.h as a capture: stacks_capture FILE. Built and run
 * by stacks.sh when it records. */
#include "ingest/capture_write.h"
#include "unit/stack_scene.h"

static void add(void *ctx, const struct rec_hdr *rec)
{
	if (capture_writer_add(ctx, rec))
		abort();
}

int main(int argc, char **argv)
{
	struct capture_writer *w;
	struct story story = { .give = add };

	if (argc != 2 || capture_writer_open(&w, argv[1], 0))
		return 1;
	story.ctx = w;
	story_tell(&story);
	return capture_writer_close(w) ? 1 : 0;
}
