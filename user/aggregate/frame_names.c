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

static uint64_t text_key(const char *text)
{
	return hash_bytes(text, strlen(text));
}

void frame_names_init(struct frame_names *s, size_t addresses, size_t texts)
{
	*s = (struct frame_names){
		.generation = addresses > 1 ? addresses / 2 : 1,
		.unknown = intern_str("[unknown]"),
		.unknown_kernel = intern_str("[unknown]_[k]"),
		.other = intern_str("[other]"),
		.other_kernel = intern_str("[other]_[k]"),
	};
	table_init(&s->young, sizeof(struct frame_name), s->generation);
	table_init(&s->old, sizeof(struct frame_name), s->generation);
	table_init(&s->texts, sizeof(uint32_t), texts);
}

void frame_names_release(struct frame_names *s)
{
	table_release(&s->young);
	table_release(&s->old);
	table_release(&s->texts);
}

/* Names are bounded here because what is interned stays for good. */
static uint32_t text_frame(struct frame_names *s, const char *text, bool kernel)
{
	bool created;
	uint32_t *id = table_put(&s->texts, text_key(text), &created);

	if (id && created)
		*id = intern_str(text);
	if (id && (created || !strcmp(intern_text(*id), text)))
		return *id;
	return kernel ? s->other_kernel : s->other;
}

/* A slot in the young generation, which ages when it is full; NULL without memory. */
static struct frame_name *young_slot(struct frame_names *s, uint64_t key)
{
	struct frame_name *found = table_get(&s->young, key);

	if (!found && s->young.n >= s->generation) {
		table_release(&s->old);
		s->old = s->young;
		table_init(&s->young, sizeof(struct frame_name), s->generation);
	}
	return found ? found : table_put(&s->young, key, NULL);
}

int frame_names_add(struct frame_names *s, const struct rec_sym *r)
{
	struct slice name = record_text(r->text, sizeof(r->text));
	bool kernel = !r->tgid, known = !(r->flags & (SYM_UNKNOWN | SYM_NO_MAP)) && name.len;
	char text[ABI_SYM_TEXT + 8];
	struct frame_name *sym;
	uint32_t frame = kernel ? s->unknown_kernel : s->unknown;

	snprintf(text, sizeof(text), "%.*s%s", (int)name.len, name.ptr, kernel ? "_[k]" : "");
	if (name.len)
		frame = text_frame(s, text, kernel);
	sym = young_slot(s, address_key(r->tgid, r->addr));
	if (!sym)
		return -ENOMEM;
	*sym = (struct frame_name){ .tgid = r->tgid, .frame = frame, .known = known };
	return 0;
}

uint32_t frame_names_get(struct frame_names *s, uint32_t tgid, uint64_t addr, bool *known)
{
	uint64_t key = address_key(tgid, addr);
	struct frame_name *sym = table_get(&s->young, key), *fresh;
	struct frame_name old;

	*known = false;
	if (!sym) {
		sym = table_get(&s->old, key);
		if (sym) { /* used: it stays for another generation */
			old = *sym;
			fresh = young_slot(s, key);
			if (fresh)
				*fresh = old;
			sym = &old;
		}
	}
	if (!sym || sym->tgid != tgid)
		return tgid ? s->unknown : s->unknown_kernel;
	*known = sym->known;
	return sym->frame;
}
