/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the kernel took a program or a map not: its error alone does not say, as the verifier and the lack
 * of a privilege may have the same one. What libbpf tells of it meanwhile is listened to.
 */
#ifndef TARDY_PROBE_REFUSAL_H
#define TARDY_PROBE_REFUSAL_H
#include <stdbool.h>

struct refusal {
	bool verifier; /* there is a log of it */
	char what[64]; /* "prog on_sched_switch", "map rings"; empty = not known */
	char words[160]; /* the verifier's last ones, may be empty */
};

/* One message of libbpf. */
void refusal_hear(struct refusal *r, const char *text);
/* In a few words; err: negative errno of the load. Static text. */
const char *refusal_why(const struct refusal *r, int err);
/* What may help; root: does this process run as root? Static text. */
const char *refusal_mend(const struct refusal *r, int err, bool root);

#endif
