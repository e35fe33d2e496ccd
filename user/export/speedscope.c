// SPDX-License-Identifier: GPL-2.0-only
/* Rows are gathered first: the list of frames comes before the samples that refer to it. */
#include "export/speedscope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/table.h"
#include "export/flame.h"

struct sample {
	const char *service;
	size_t first, n; /* in refs */
	uint64_t weight;
};

struct scope {
	struct sample *samples;
	size_t n_samples, cap_samples;
	uint32_t *refs; /* frames of all samples, as places in names */
	size_t n_refs, cap_refs;
	const char **names;
	size_t n_names, cap_names;
	struct table index; /* a name's address -> its place */
};

/* Room for `more` further entries; the array or NULL. */
static void *reserve(void *v, size_t *cap, size_t n, size_t more, size_t size)
{
	size_t want = *cap ? *cap : 256;
	void *grown;

	if (n + more <= *cap)
		return v;
	while (want < n + more)
		want *= 2;
	grown = realloc(v, want * size);
	if (grown)
		*cap = want;
	return grown;
}

#define RESERVE(sc, what, more) \
	reserve((sc)->what, &(sc)->cap_##what, (sc)->n_##what, (more), sizeof(*(sc)->what))

/* The frame's place in the list of names. 0 or -ENOMEM. */
static int frame_ref(struct scope *sc, const char *name, uint32_t *ref)
{
	bool created;
	uint32_t *at = table_put(&sc->index, (uintptr_t)name, &created);
	const char **names;

	if (!at)
		return -ENOMEM;
	if (created) {
		names = RESERVE(sc, names, 1);
		if (!names)
			return -ENOMEM;
		sc->names = names;
		*at = (uint32_t)sc->n_names;
		sc->names[sc->n_names++] = name;
	}
	*ref = *at;
	return 0;
}

static int gather(void *ctx, const struct flame_row *row)
{
	struct scope *sc = ctx;
	struct sample *samples = RESERVE(sc, samples, 1);
	uint32_t *refs;

	if (!samples)
		return -ENOMEM;
	sc->samples = samples;
	refs = RESERVE(sc, refs, row->n);
	if (!refs)
		return -ENOMEM;
	sc->refs = refs;
	samples[sc->n_samples++] = (struct sample){
		.service = row->frames[0],
		.first = sc->n_refs,
		.n = row->n - 1,
		.weight = row->weight,
	};
	for (size_t i = 1; i < row->n; i++)
		if (frame_ref(sc, row->frames[i], &refs[sc->n_refs++]))
			return -ENOMEM;
	return 0;
}

static int by_service(const void *va, const void *vb)
{
	const struct sample *a = va, *b = vb;
	int c = strcmp(a->service, b->service);

	return c ? c : (a->first > b->first) - (a->first < b->first);
}

/* The samples of one service. */
static void put_profile(struct json *j, const struct scope *sc, const struct sample *v, size_t n,
			const char *unit)
{
	uint64_t sum = 0;

	json_open_object(j, NULL);
	json_str(j, "type", "sampled");
	json_str(j, "name", v->service);
	json_str(j, "unit", unit);
	json_open_array(j, "samples");
	for (size_t i = 0; i < n; i++) {
		json_open_array(j, NULL);
		for (size_t k = 0; k < v[i].n; k++)
			json_u64(j, NULL, sc->refs[v[i].first + k]);
		json_close_array(j);
	}
	json_close_array(j);
	json_open_array(j, "weights");
	for (size_t i = 0; i < n; i++) {
		json_u64(j, NULL, v[i].weight);
		if (__builtin_add_overflow(sum, v[i].weight, &sum))
			sum = UINT64_MAX;
	}
	json_close_array(j);
	json_u64(j, "startValue", 0);
	json_u64(j, "endValue", sum);
	json_close_object(j);
}

static void put_profiles(struct json *j, const struct scope *sc, const char *unit)
{
	size_t n;

	if (sc->n_samples)
		qsort(sc->samples, sc->n_samples, sizeof(*sc->samples), by_service);
	for (size_t at = 0; at < sc->n_samples && !j->err; at += n) {
		const struct sample *v = &sc->samples[at];

		for (n = 1; at + n < sc->n_samples && !strcmp(v[n].service, v->service);)
			n++;
		put_profile(j, sc, v, n, unit);
	}
}

static int put_file(FILE *out, const struct scope *sc, enum export_kind kind)
{
	static const char *const names[] = {
		[EXPORT_CPU] = "on a CPU",
		[EXPORT_OFF] = "waiting",
		[EXPORT_WALL] = "wall time",
	};
	struct json j;

	json_init(&j, out);
	json_open_object(&j, NULL);
	json_str(&j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_str(&j, "name", names[kind]);
	json_str(&j, "exporter", "tardy");
	json_u64(&j, "activeProfileIndex", 0);
	json_open_object(&j, "shared");
	json_open_array(&j, "frames");
	for (size_t i = 0; i < sc->n_names; i++) {
		json_open_object(&j, NULL);
		json_str(&j, "name", sc->names[i]);
		json_close_object(&j);
	}
	json_close_array(&j);
	json_close_object(&j);
	json_open_array(&j, "profiles");
	put_profiles(&j, sc, kind == EXPORT_CPU ? "none" : "microseconds");
	json_close_array(&j);
	json_close_object(&j);
	json_end_line(&j);
	return json_finish(&j);
}

int export_speedscope(FILE *out, const struct snapshot *s, enum export_kind kind)
{
	struct scope sc = { 0 };
	int err;

	table_init(&sc.index, sizeof(uint32_t), SIZE_MAX / 8);
	err = flame_rows(s, kind, gather, &sc);
	if (!err)
		err = put_file(out, &sc, kind);
	free(sc.samples);
	free(sc.refs);
	free(sc.names);
	table_release(&sc.index);
	return err;
}
