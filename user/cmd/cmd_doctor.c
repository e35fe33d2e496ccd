/* SPDX-License-Identifier: GPL-2.0-only */
/* What this kernel and this user allow tardy to measure: every hook, on, or off and why. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "probe/probe.h"
#include "probe/refusal.h"

struct finding {
	const char *state; /* "ok", "WARN", "FAIL" */
	const char *what;
	char detail[256];
	const char *effect, *fix;
};

enum { FINDINGS_MAX = 32 };

struct doctor {
	struct finding v[FINDINGS_MAX];
	size_t n;
	bool failed;
};

static struct finding *add(struct doctor *d, const char *state, const char *what)
{
	struct finding *f = &d->v[d->n < FINDINGS_MAX - 1 ? d->n++ : d->n];

	*f = (struct finding){ .state = state, .what = what };
	if (strcmp(state, "FAIL") == 0)
		d->failed = true;
	return f;
}

static const char *why_off(int error)
{
	switch (error) {
	case -EOPNOTSUPP:
		return "this kernel does not have it";
	case -ESRCH:
		return "the kernel has no type information";
	case -EPERM:
	case -EACCES:
		return "refused: no privilege, or lockdown";
	}
	return error ? strerror(-error) : "not attached";
}

static const char *mend_off(int error)
{
	switch (error) {
	case -EOPNOTSUPP:
		return "Linux 6.3 or later has it";
	case -ESRCH:
		return "use a kernel with CONFIG_DEBUG_INFO_BTF=y";
	case -EPERM:
	case -EACCES:
		return geteuid() ? "run as root" :
				   "allow BPF: it is refused by lockdown or by this container";
	}
	return "tardy -v doctor shows the kernel's own words";
}

static void look_at_host(struct doctor *d)
{
	struct utsname u;
	struct finding *f;

	if (uname(&u) == 0)
		snprintf(add(d, "ok", "kernel")->detail, sizeof(d->v[0].detail), "%s %s %s",
			 u.sysname, u.release, u.machine);
	f = add(d, geteuid() == 0 ? "ok" : "FAIL", "privilege");
	snprintf(f->detail, sizeof(f->detail), "running as uid %u", (unsigned)geteuid());
	if (geteuid() != 0) {
		f->effect = "nothing can be measured";
		f->fix = "run as root: sudo tardy doctor";
	}
	f = add(d, access("/sys/kernel/btf/vmlinux", R_OK) == 0 ? "ok" : "FAIL",
		"type information");
	snprintf(f->detail, sizeof(f->detail), "/sys/kernel/btf/vmlinux");
	if (strcmp(f->state, "ok")) {
		f->effect = "programs cannot be fitted to this kernel";
		f->fix = "use a kernel with CONFIG_DEBUG_INFO_BTF=y";
	}
}

/* loaded: the programs were, or a hook says why not. */
static void look_at_each_hook(struct doctor *d, struct probe *p, bool loaded)
{
	const struct probe_hook_status *hooks;
	size_t n = p ? probe_hooks(p, &hooks) : 0;

	for (size_t i = 0; i < n; i++) {
		const struct probe_hook_status *h = &hooks[i];
		struct finding *f = add(d,
					h->on       ? "ok" :
					h->required ? "FAIL" :
						      "WARN",
					h->tracepoint);

		snprintf(f->detail, sizeof(f->detail), "%s: %s", h->gives,
			 h->on                   ? "on" :
			 loaded || h->error != 0 ? why_off(h->error) :
						   "programs not loaded, see above");
		if (!h->on)
			f->effect = h->effect;
		if (!h->on && (loaded || h->error))
			f->fix = mend_off(h->error);
	}
}

/* "programs not loaded: refused by this kernel's verifier (prog on_sched_switch: R1 invalid mem access)" */
static void say_refused(struct finding *f, int err)
{
	const struct refusal *r = probe_refusal();
	const char *why = refusal_why(r, err);

	if (*r->what)
		snprintf(f->detail, sizeof(f->detail), "programs not loaded: %s (%s%s%s)", why,
			 r->what, *r->words ? ": " : "", r->words);
	else
		snprintf(f->detail, sizeof(f->detail), "programs not loaded: %s", why);
	f->fix = refusal_mend(r, err, geteuid() == 0);
}

static void look_at_hooks(struct doctor *d)
{
	struct probe_opts po = { .break_state = -1 };
	struct probe *p = probe_new(&po);
	struct finding *f;
	uint64_t t0 = cmd_now_ns();
	int load_err = p ? probe_load(p) : -ENOMEM, err = load_err;

	if (!err)
		err = probe_attach(p);
	f = add(d, err ? "FAIL" : "ok", "tier tp");
	if (err)
		f->effect = "nothing can be measured";
	if (load_err) {
		say_refused(f, load_err);
	} else if (err) {
		snprintf(f->detail, sizeof(f->detail), "programs not attached: %s", strerror(-err));
		f->fix = "tardy -v doctor shows the kernel's own words";
	} else {
		snprintf(f->detail, sizeof(f->detail),
			 "BTF raw tracepoints; loaded and attached in %.0f ms",
			 (double)(cmd_now_ns() - t0) / 1e6);
	}
	look_at_each_hook(d, p, !load_err);
	probe_free(p);
}

static void print_text(const struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->v[i];

		printf("%-5s %-20s %s\n", f->state, f->what, f->detail);
		if (f->effect)
			printf("      = effect: %s\n", f->effect);
		if (f->fix)
			printf("      = fix: %s\n", f->fix);
	}
}

static int print_json(FILE *out, const struct doctor *d)
{
	struct json j;

	json_init(&j, out);
	json_open_object(&j, NULL);
	json_str(&j, "schema", "tardy.doctor/1.0");
	json_bool(&j, "ok", !d->failed);
	json_close_object(&j);
	json_end_line(&j);
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->v[i];

		json_open_object(&j, NULL);
		json_str(&j, "kind", "finding");
		json_str(&j, "state", f->state);
		json_str(&j, "what", f->what);
		json_str(&j, "detail", f->detail);
		json_str(&j, "effect", f->effect ? f->effect : "");
		json_str(&j, "fix", f->fix ? f->fix : "");
		json_close_object(&j);
		json_end_line(&j);
	}
	return json_finish(&j);
}

int doctor_write(FILE *out, struct probe *attached)
{
	struct doctor d = { 0 };

	look_at_host(&d);
	snprintf(add(&d, "ok", "tier tp")->detail, sizeof(d.v[0].detail),
		 "BTF raw tracepoints; attached for this recording");
	look_at_each_hook(&d, attached, true);
	return print_json(out, &d);
}

int cmd_doctor(const struct cli_options *o)
{
	struct doctor d = { 0 };

	probe_set_verbose(o->verbose);
	look_at_host(&d);
	if (!d.failed)
		look_at_hooks(&d);
	if (o->format == CLI_JSON && !o->quiet) {
		int err = print_json(stdout, &d);

		if (err)
			return cmd_output_error("standard output", err);
	} else if (!o->quiet) {
		print_text(&d);
	}
	return d.failed ? EXIT_NEGATIVE : EXIT_FINE;
}
