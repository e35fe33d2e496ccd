// SPDX-License-Identifier: GPL-2.0-only
#include "probe/stack_hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"

enum {
	FRAMES_MAX = ABI_STACK_KERNEL_MAX + ABI_STACK_USER_MAX,
	EXPIRE_NS = 1000000000, /* ended processes are looked for */
};

enum known { KNOWN_ASKED = 1, KNOWN_NAMED };

/* Each life of a process id has its own number, which is part of the keys of its addresses. */
struct life {
	uint64_t number;
	uint64_t ended_ns; /* 0 = it has not */
};

struct held {
	struct held *next;
	uint64_t since_ns;
	uint64_t needs; /* goes on when so many questions have been answered */
	struct rec_hdr *rec; /* behind this struct */
};

struct stack_hold {
	struct stack_namer namer;
	size_t max_stacks, max_known;
	struct held *first, **last; /* in the order in which they came */
	size_t n, bytes;
	uint64_t asked, answered;
	uint64_t late;
	/* enum known by key, in two generations: when the young one is full it becomes the old,
	 * and what is still in use comes back from there */
	struct table young, old;
	struct table lives; /* struct life by tgid */
	uint64_t last_life;
	uint64_t expired_ns; /* last looked for ended processes */
};

struct stack_hold *stack_hold_new(const struct stack_namer *namer, size_t max_stacks,
				  size_t max_known)
{
	struct stack_hold *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->namer = *namer;
	h->max_stacks = max_stacks ? max_stacks : HOLD_STACKS_MAX;
	h->max_known = max_known ? max_known : HOLD_KNOWN_MAX;
	h->last = &h->first;
	table_init(&h->young, sizeof(uint8_t), h->max_known / 2);
	table_init(&h->old, sizeof(uint8_t), h->max_known / 2);
	table_init(&h->lives, sizeof(struct life), HOLD_PROCS_MAX);
	return h;
}

void stack_hold_free(struct stack_hold *h)
{
	if (!h)
		return;
	for (struct held *held = h->first, *next; held; held = next) {
		next = held->next;
		free(held);
	}
	table_release(&h->young);
	table_release(&h->old);
	table_release(&h->lives);
	free(h);
}

/* ---- known addresses --------------------------------------------------------------------- */

/* Under the key of this run: no process can choose an address that passes for another's. Two
 * different ones of some 10^5 meet once in 10^9 runs. */
static uint64_t address_key(uint64_t life, uint64_t addr)
{
	uint64_t words[2] = { life, addr };

	return hash_bytes(words, sizeof(words));
}

static uint8_t *known_get(struct stack_hold *h, uint64_t key, bool *created)
{
	uint8_t *state = table_put(&h->young, key, created), *before;

	if (!state && h->young.n) { /* full */
		table_release(&h->old);
		h->old = h->young;
		table_init(&h->young, sizeof(uint8_t), h->max_known / 2);
		state = table_put(&h->young, key, created);
	}
	if (!state || !*created)
		return state;
	before = table_get(&h->old, key);
	if (before) {
		*state = *before;
		*created = false;
	}
	return state;
}

static void forget_all(struct stack_hold *h)
{
	table_release(&h->lives);
	h->namer.forget(h->namer.ctx, 0);
}

/* The number of the present life of tgid, 0 for the kernel and when there is no memory. */
static uint64_t life_of(struct stack_hold *h, uint32_t tgid)
{
	struct life *life;
	bool created;

	if (!tgid)
		return 0;
	life = table_put(&h->lives, tgid, &created);
	if (!life) {
		forget_all(h);
		life = table_put(&h->lives, tgid, &created);
	}
	if (created)
		life->number = ++h->last_life;
	return life ? life->number : 0;
}

static void forget(struct stack_hold *h, uint32_t tgid)
{
	if (table_del(&h->lives, tgid))
		h->namer.forget(h->namer.ctx, tgid);
}

void stack_hold_task(struct stack_hold *h, const struct rec_task *task, uint64_t now_ns)
{
	struct life *life = table_get(&h->lives, task->tgid);

	if (!life)
		return;
	if (task->event == TASK_EXIT)
		life->ended_ns = now_ns;
	else if (task->event == TASK_EXEC || life->ended_ns) /* or a new process of that id */
		forget(h, task->tgid);
}

/* ---- delivering -------------------------------------------------------------------------- */

static int deliver_sym(struct stack_hold *h, const struct symbol_answer *a, uint64_t now_ns,
		       const struct stack_sink *sink)
{
	struct rec_sym sym = {
		.h = { sizeof(sym), REC_SYM, 0, now_ns },
		.addr = a->ask.addr,
		.tgid = a->ask.tgid,
		.flags = a->sym.flags,
	};
	bool created;
	uint8_t *state = known_get(h, a->ask.key, &created);

	if (state)
		*state = KNOWN_NAMED;
	memcpy(sym.module, a->sym.module, sizeof(sym.module));
	memcpy(sym.text, a->sym.text, sizeof(sym.text));
	return sink->fn(sink->ctx, &sym.h);
}

/* The first one leaves. */
static int deliver_held(struct stack_hold *h, const struct stack_sink *sink)
{
	struct held *held = h->first;
	int err = sink->fn(sink->ctx, held->rec);

	h->first = held->next;
	if (!h->first)
		h->last = &h->first;
	h->n--;
	h->bytes -= held->rec->len;
	free(held);
	return err;
}

int stack_hold_flush(struct stack_hold *h, const struct stack_sink *sink)
{
	int err = 0;

	while (!err && h->first) {
		h->late++;
		err = deliver_held(h, sink);
	}
	return err;
}

static void expire(struct stack_hold *h, uint64_t now_ns)
{
	h->expired_ns = now_ns;
	table_each(it, &h->lives) {
		struct life *life = it.value;

		if (life->ended_ns && now_ns - life->ended_ns >= HOLD_ENDED_NS)
			forget(h, (uint32_t)it.key);
	}
}

int stack_hold_poll(struct stack_hold *h, uint64_t now_ns, const struct stack_sink *sink)
{
	struct symbol_answer answer;
	int err = 0;

	while (!err && h->answered < h->asked && h->namer.take(h->namer.ctx, &answer)) {
		h->answered++;
		err = deliver_sym(h, &answer, now_ns, sink);
	}
	while (!err && h->first) {
		bool ready = h->first->needs <= h->answered;

		if (!ready && now_ns - h->first->since_ns < HOLD_PATIENCE_NS)
			break;
		h->late += !ready;
		err = deliver_held(h, sink);
	}
	if (now_ns - h->expired_ns >= EXPIRE_NS)
		expire(h, now_ns);
	return err;
}

/* ---- taking ------------------------------------------------------------------------------ */

/* The addresses of rec that nobody has asked for yet; *named: it has no other that waits. */
static size_t questions(struct stack_hold *h, const struct rec_stack *rec, struct symbol_ask *asks,
			bool *named)
{
	uint64_t life = life_of(h, rec->tgid);
	size_t n = 0, total = (size_t)rec->n_kernel + rec->n_user;

	*named = true;
	for (size_t i = 0; i < total; i++) {
		bool kernel = i < rec->n_kernel, created = false;
		uint64_t addr = rec->frames[i];
		uint64_t key = address_key(kernel ? 0 : life, addr);
		uint8_t *state = known_get(h, key, &created);

		if (!state) /* no memory: asked for again each time */
			created = true;
		else if (created)
			*state = KNOWN_ASKED;
		*named &= state && *state == KNOWN_NAMED;
		if (!created)
			continue;
		/* The leaf of either part is where the thread was; all others are returned to. */
		asks[n++] = (struct symbol_ask){
			.key = key,
			.addr = addr,
			.tgid = kernel ? 0 : rec->tgid,
			.after_call = i != 0 && i != rec->n_kernel,
		};
	}
	return n;
}

static bool ask(struct stack_hold *h, const struct symbol_ask *asks, size_t n)
{
	if (n && h->namer.ask(h->namer.ctx, asks, n)) {
		for (size_t i = 0; i < n; i++) {
			table_del(&h->young, asks[i].key);
			table_del(&h->old, asks[i].key);
		}
		return false;
	}
	h->asked += n;
	return true;
}

static bool hold(struct stack_hold *h, const struct rec_stack *rec, uint64_t now_ns)
{
	struct held *held;

	if (h->n >= h->max_stacks || h->bytes + rec->h.len > HOLD_BYTES_MAX)
		return false;
	held = malloc(sizeof(*held) + rec->h.len);
	if (!held)
		return false;
	*held = (struct held){ .since_ns = now_ns, .needs = h->asked, .rec = (void *)(held + 1) };
	memcpy(held->rec, rec, rec->h.len);
	*h->last = held;
	h->last = &held->next;
	h->n++;
	h->bytes += rec->h.len;
	return true;
}

int stack_hold_add(struct stack_hold *h, const struct rec_stack *rec, uint64_t now_ns,
		   const struct stack_sink *sink)
{
	struct symbol_ask asks[FRAMES_MAX];
	bool named;
	size_t n = questions(h, rec, asks, &named);

	if (!named && ask(h, asks, n) && hold(h, rec, now_ns))
		return 0;
	h->late += !named;
	return sink->fn(sink->ctx, &rec->h);
}

uint64_t stack_hold_oldest_ns(const struct stack_hold *h)
{
	uint64_t oldest = UINT64_MAX;

	for (const struct held *held = h->first; held; held = held->next)
		if (held->rec->ts_ns < oldest)
			oldest = held->rec->ts_ns;
	return oldest;
}

uint64_t stack_hold_late(const struct stack_hold *h)
{
	return h->late;
}
