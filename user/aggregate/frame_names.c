// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/frame_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/intern.h"
#include "ingest/record.h"

struct frame_name {
	uint32_t tgid;
	uint32_t frame : 31, known : 1;
};

/* A process chooses its own addresses, so they are hashed under the key of this run: it cannot
 * choose one that takes the place of another process's. */
static uint64_t address_key(uint32_t tgid, uint64_t addr)
{
	uint64_t words[2] = { tgid, addr };

	return hash_bytes(words, sizeof(words));
}

void frame_names_init(struct frame_names *s, size_t addresses, size_t texts)
{
	*s = (struct frame_names){
		.generation = addresses > 1 ? addresses / 2 : 1,
		.unknown = intern_str("[unknown]"),
		.unknown_kernel = intern_str("[unknown]_[k]"),
	};
	table_init(&s->young, sizeof(struct frame_name), s->generation);
	table_init(&s->old, sizeof(struct frame_name), s->generation);
	table_init(&s->texts, 0, texts > 1 ? texts / 2 : 1);
}

void frame_names_release(struct frame_names *s)
{
	table_release(&s->young);
	table_release(&s->old);
	table_release(&s->texts);
}

static void generation_end(struct frame_names *s)
{
	size_t texts = s->texts.capacity;

	table_release(&s->old);
	s->old = s->young;
	table_init(&s->young, sizeof(struct frame_name), s->generation);
	table_release(&s->texts);
	table_init(&s->texts, 0, texts);
}

/* Names an address in the young generation, which ages when it is full. 0 or -ENOMEM. */
static int young_put(struct frame_names *s, uint64_t key, const struct frame_name *name)
{
	struct frame_name *slot = table_get(&s->young, key);
	bool again = table_get(&s->texts, name->frame);

	if ((!slot && s->young.n >= s->generation) || (!again && s->texts.n >= s->texts.capacity)) {
		generation_end(s);
		slot = NULL;
	}
	if (!slot)
		slot = table_put(&s->young, key, NULL);
	if (!slot || !table_put(&s->texts, name->frame, NULL))
		return -ENOMEM;
	*slot = *name;
	return 0;
}

void frame_names_keep(const struct frame_names *s)
{
	table_each(it, &s->young)
		intern_keep(((struct frame_name *)it.value)->frame);
	table_each(it, &s->old)
		intern_keep(((struct frame_name *)it.value)->frame);
	intern_keep(s->unknown);
	intern_keep(s->unknown_kernel);
}

int frame_names_add(struct frame_names *s, const struct rec_sym *r)
{
	struct slice name = record_text(r->text, sizeof(r->text));
	bool kernel = !r->tgid, known = !(r->flags & (SYM_UNKNOWN | SYM_NO_MAP)) && name.len;
	struct frame_name entry = { .tgid = r->tgid, .known = known };
	char text[ABI_SYM_TEXT + 8];

	snprintf(text, sizeof(text), "%.*s%s", (int)name.len, name.ptr, kernel ? "_[k]" : "");
	entry.frame = name.len ? intern_str(text) : kernel ? s->unknown_kernel : s->unknown;
	return young_put(s, address_key(r->tgid, r->addr), &entry);
}

uint32_t frame_names_get(struct frame_names *s, uint32_t tgid, uint64_t addr, bool *known)
{
	uint64_t key = address_key(tgid, addr);
	struct frame_name *sym = table_get(&s->young, key);
	struct frame_name old;

	*known = false;
	if (!sym) {
		sym = table_get(&s->old, key);
		if (sym) { /* used: it stays for another generation, unless memory is out */
			old = *sym;
			young_put(s, key, &old);
			sym = &old;
		}
	}
	if (!sym || sym->tgid != tgid)
		return tgid ? s->unknown : s->unknown_kernel;
	*known = sym->known;
	return sym->frame;
}
