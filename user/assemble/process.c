/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/process.h"

#include <string.h>

#include "assemble/service_name.h"
#include "base/intern.h"
#include "ingest/record.h"

/* php-fpm and others put their pool into the title: "php-fpm: pool www". */
static uint32_t pool_name(struct slice title)
{
	static const char mark[] = ": pool ";
	const char *at = memmem(title.ptr, title.len, mark, sizeof(mark) - 1), *end;

	if (!at)
		return 0;
	at += sizeof(mark) - 1;
	end = at;
	while (end<title.ptr + title.len && * end> ' ')
		end++;
	return intern((struct slice){ at, (size_t)(end - at) });
}

static bool begins_with(struct slice s, const char *text)
{
	return s.len >= strlen(text) && !memcmp(s.ptr, text, strlen(text));
}

void process_proc(struct assemble *a, const struct rec_proc *r)
{
	struct slice exe = record_text(r->exe, sizeof(r->exe));
	struct slice title = record_text(r->title, sizeof(r->title));
	struct proc *p = proc_of(a, r->tgid);

	if (!p)
		return;
	p->known = true;
	p->exited = false;
	p->parent_tgid = r->parent_tgid;
	if (exe.len) {
		p->service = service_name(exe, title);
		p->interpreter = begins_with(exe, "python") ? INTERPRETER_PYTHON :
				 begins_with(exe, "ruby")   ? INTERPRETER_RUBY :
							      INTERPRETER_NONE;
	}
	p->pool = pool_name(title);
}

void process_task(struct assemble *a, const struct rec_task *r)
{
	struct proc *p, *parent;
	struct proc made = { 0 };

	if (r->event == TASK_FORK) {
		/* it is what its parent is until it says otherwise; it may be gone before /proc is
		 * read */
		parent = table_get(&a->procs, r->parent_tgid);
		if (parent) {
			made.service = parent->service;
			made.store = parent->store;
			made.interpreter = parent->interpreter;
		} else {
			made.service = service_name(record_text(r->comm, sizeof(r->comm)),
						    (struct slice){ "", 0 });
		}
		made.parent_tgid = r->parent_tgid;
		p = proc_of(a, r->tgid);
		if (p)
			*p = made;
		return;
	}
	p = table_get(&a->procs, r->tgid);
	if (p && r->event == TASK_EXEC)
		p->known = false;
	if (p && r->event == TASK_EXIT) {
		p->exited = true;
		p->exit_ns = r->h.ts_ns;
	}
}
