/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/mark.h"

#include <stdlib.h>

#include "base/intern.h"
#include "ingest/record.h"

void mark_record(struct assemble *a, const struct rec_mark *r)
{
	struct node *n = node_make(a, r->xid, r->h.ts_ns);

	if (!n || node_done(n) || r->label >= ABI_PROBES_MAX)
		return;
	if (!n->marks)
		n->marks = calloc(MARKS_MAX, sizeof(*n->marks));
	if (!n->marks || n->n_marks == MARKS_MAX)
		return;
	n->marks[n->n_marks].at_ns = r->h.ts_ns;
	n->marks[n->n_marks++].label = a->labels[r->label];
}

void mark_label(struct assemble *a, const struct rec_label *r)
{
	if (r->label < ABI_PROBES_MAX)
		a->labels[r->label] = intern(record_text(r->text, sizeof(r->text)));
}
