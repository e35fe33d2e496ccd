// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a screen: which rows, in which order, which one is selected. A selection follows
 * its row through resorting snapshots once a person has moved to it; until then it stays on the
 * first row, which is the one to look at.
 */
#include <stdlib.h>
#include <string.h>
#include "view/view_paint.h"
#include "view/view_table.h"

struct keep_ctx {
	struct view *v;
	const struct view_screen *screen;
	const struct view_table *table;
};

static bool keep_row(const void *row, void *arg)
{
	const struct keep_ctx *ctx = arg;
	char label[COLUMNS_CELL];

	if (ctx->screen->keep && !ctx->screen->keep(ctx->v, row))
		return false;
	if (!*ctx->table->filter.text)
		return true;
	ctx->screen->set->label(row, ctx->v->ascii, label);
	return view_filter_matches(&ctx->table->filter, label);
}

static uint64_t identity_at(const struct view *v, const struct view_screen *screen,
			    const struct view_table *t, size_t i)
{
	return screen->identity(screen->set->row(v->s, t->order[i]));
}

static bool reserve(struct view_table *t, size_t n)
{
	size_t *order;

	if (n <= t->cap)
		return true;
	order = realloc(t->order, n * sizeof(*order));
	if (!order)
		return false;
	t->order = order;
	t->cap = n;
	return true;
}

void view_table_rebuild(struct view *v, enum view_screen_id id)
{
	const struct view_screen *screen = v->screens[id];
	struct view_table *t = &v->tables[id];
	struct keep_ctx ctx = { v, screen, t };

	t->n = 0;
	if (!v->s || !screen->set || !reserve(t, screen->set->count(v->s)))
		return;
	t->n = columns_order(screen->set, v->s, t->sort, t->invert, keep_row, &ctx, t->order);
	if (t->follow)
		for (size_t i = 0; i < t->n; i++)
			if (identity_at(v, screen, t, i) == t->selected) {
				t->cursor = i;
				return;
			}
	if (!t->follow)
		t->cursor = 0;
	if (t->cursor >= t->n)
		t->cursor = t->n ? t->n - 1 : 0;
}

const void *view_table_selected(const struct view *v, enum view_screen_id id)
{
	const struct view_table *t = &v->tables[id];

	if (!v->s || !t->n)
		return NULL;
	return v->screens[id]->set->row(v->s, t->order[t->cursor]);
}

void view_table_select(struct view *v, enum view_screen_id id, uint64_t identity)
{
	v->tables[id].follow = true;
	v->tables[id].selected = identity;
	view_table_rebuild(v, id);
}

static void move_to(struct view *v, size_t cursor)
{
	struct view_table *t = &v->tables[v->screen];

	if (!t->n)
		return;
	t->cursor = cursor < t->n ? cursor : t->n - 1;
	t->follow = t->cursor > 0;
	t->selected = identity_at(v, v->screens[v->screen], t, t->cursor);
}

static void sort_by_next(struct view *v, int step)
{
	const struct column_set *set = v->screens[v->screen]->set;
	struct view_table *t = &v->tables[v->screen];

	do
		t->sort = (t->sort + set->n + (size_t)step) % set->n;
	while (!set->v[t->sort].compare);
	t->invert = false;
}

bool view_table_search(struct view *v, bool forward, bool from_here)
{
	const struct view_screen *screen = v->screens[v->screen];
	struct view_table *t = &v->tables[v->screen];
	char label[COLUMNS_CELL];

	if (!*v->search.text)
		return true;
	for (size_t i = from_here ? 0 : 1; i <= t->n && t->n; i++) {
		size_t at = (t->cursor + (forward ? i : t->n - i % t->n)) % t->n;

		screen->set->label(screen->set->row(v->s, t->order[at]), v->ascii, label);
		if (view_filter_matches(&v->search, label)) {
			move_to(v, at);
			return true;
		}
	}
	return false;
}

static void next_match(struct view *v, bool forward)
{
	if (!view_table_search(v, forward, false))
		view_message(v, "not found: %s", v->search.text);
}

bool view_table_key(struct view *v, enum view_action action)
{
	struct view_table *t = &v->tables[v->screen];
	size_t page = t->page > 1 ? t->page - 1 : 1;

	switch (action) {
	case VIEW_ACTION_UP:
		move_to(v, t->cursor ? t->cursor - 1 : 0);
		return true;
	case VIEW_ACTION_DOWN:
		move_to(v, t->cursor + 1);
		return true;
	case VIEW_ACTION_PAGE_UP:
		move_to(v, t->cursor > page ? t->cursor - page : 0);
		return true;
	case VIEW_ACTION_PAGE_DOWN:
		move_to(v, t->cursor + page);
		return true;
	case VIEW_ACTION_FIRST:
		move_to(v, 0);
		return true;
	case VIEW_ACTION_LAST:
		move_to(v, t->n);
		return true;
	case VIEW_ACTION_NEXT_MATCH:
	case VIEW_ACTION_PREV_MATCH:
		next_match(v, action == VIEW_ACTION_NEXT_MATCH);
		return true;
	case VIEW_ACTION_SORT_NEXT:
	case VIEW_ACTION_SORT_PREV:
		sort_by_next(v, action == VIEW_ACTION_SORT_NEXT ? 1 : -1);
		break;
	case VIEW_ACTION_SORT_INVERT:
		t->invert = !t->invert;
		break;
	default:
		return false;
	}
	view_table_rebuild(v, v->screen);
	return true;
}

static void draw_row(struct view *v, const struct column_set *set,
		     const unsigned widths[COLUMNS_MAX], size_t i, int y)
{
	const struct view_table *t = &v->tables[v->screen];
	attr_t attr = i == t->cursor ? A_REVERSE : A_NORMAL;
	char line[WORDS_LEN];

	if (i == t->cursor) {
		attrset(A_REVERSE);
		mvhline(y, 0, ' ', COLS);
		paint_text(v, y, 0, 1, A_REVERSE, ">");
	}
	columns_line(set, widths, set->row(v->s, t->order[i]), v->ascii, line);
	paint_text(v, y, 2, COLS, attr, line);
	for (size_t c = 0; c < set->n; c++)
		if (set->v[c].bar && widths[c])
			paint_letters(v, y, 2 + (int)columns_offset(set, widths, c), (int)widths[c],
				      attr);
}

static void draw_empty(struct view *v, int y)
{
	const struct view_table *t = &v->tables[v->screen];

	if (*t->filter.text)
		paint_text(v, y, 2, COLS, A_NORMAL, "no row matches the filter (Esc clears it)");
	else if (v->only_route && v->s)
		paint_text(v, y, 2, COLS, A_NORMAL,
			   "no single request of this route was kept (Esc)");
	else if (!v->s)
		paint_text(v, y, 2, COLS, A_NORMAL, "measuring ...");
	else
		paint_text(v, y, 2, COLS, A_NORMAL, "nothing yet");
}

int view_table_draw(struct view *v, struct view_area area)
{
	const struct column_set *set = v->screens[v->screen]->set;
	struct view_table *t = &v->tables[v->screen];
	unsigned widths[COLUMNS_MAX];
	char line[WORDS_LEN];
	int head = area.h > 1, rows = area.h - head;

	t->page = rows > 0 ? (size_t)rows : 0;
	if (rows <= 0)
		return 0;
	columns_fit(set, COLS > 2 ? (unsigned)COLS - 2 : 0, widths);
	if (head) {
		columns_line(set, widths, NULL, v->ascii, line);
		paint_text(v, area.y, 2, COLS, A_BOLD, line);
	}
	if (!t->n) {
		draw_empty(v, area.y + head);
		return head + 1;
	}
	if (t->cursor < t->top)
		t->top = t->cursor;
	if (t->cursor >= t->top + t->page)
		t->top = t->cursor - t->page + 1;
	if (t->top + t->page > t->n)
		t->top = t->n > t->page ? t->n - t->page : 0;
	for (size_t i = t->top; i < t->n && i < t->top + t->page; i++)
		draw_row(v, set, widths, i, area.y + head + (int)(i - t->top));
	return head + (int)(t->n < t->page ? t->n : t->page);
}

void view_table_release(struct view_table *t)
{
	free(t->order);
	view_filter_release(&t->filter);
}
