/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What comes before the message itself, as in "libbpf: prog 'on_sched_switch': failed to load: -13". */
static const char *hear_what(struct refusal *r, const char *text, const char *kind)
{
	char lead[32];
	size_t n = (size_t)snprintf(lead, sizeof(lead), "libbpf: %s '", kind);
	const char *end;

	if (strncmp(text, lead, n) != 0)
		return NULL;
	end = strstr(text + n, "': ");
	if (!end)
		return NULL;
	snprintf(r->what, sizeof(r->what), "%s %.*s", kind, (int)(end - text - (long)n), text + n);
	return end + 3;
}

/* The line that says it is the last one before the sums. */
static void hear_log(struct refusal *r, const char *log)
{
	const char *next;

	r->verifier = true;
	for (; *log; log = next) {
		size_t len = strcspn(log, "\n");

		next = log + len + (log[len] == '\n');
		if (strncmp(log, "-- END", 6) == 0)
			return;
		/* "processed 9 insns"; "; source" and "12: (85) call" are of the program's text */
		if (!len || strncmp(log, "processed ", 10) == 0 || *log == ';' ||
		    strncmp(log, "verification time", 17) == 0 ||
		    strncmp(log, "stack depth", 11) == 0 || (*log >= '0' && *log <= '9'))
			continue;
		snprintf(r->words, sizeof(r->words), "%.*s", (int)(len < 150 ? len : 150), log);
	}
}

void refusal_hear(struct refusal *r, const char *text)
{
	static const char begin[] = "-- BEGIN PROG LOAD LOG --\n";
	const char *message = hear_what(r, text, "prog");

	if (!message)
		hear_what(r, text, "map");
	else if (strncmp(message, begin, sizeof(begin) - 1) == 0)
		hear_log(r, message + sizeof(begin) - 1);
}

const char *refusal_why(const struct refusal *r, int err)
{
	switch (err) {
	case -EPERM:
		return "no privilege for BPF, or lockdown";
	case -EOPNOTSUPP:
		return "this kernel lacks a hook that is needed";
	case -ESRCH:
		return "the kernel has no type information";
	case -E2BIG:
		return "too large for this kernel's verifier";
	case -ENOMEM:
		return "the kernel has no memory for it";
	case -EMFILE:
	case -ENFILE:
		return "too many open files";
	}
	if (r->verifier)
		return "refused by this kernel's verifier";
	return err == -EACCES ? "refused by a security module" : strerror(-err);
}

const char *refusal_mend(const struct refusal *r, int err, bool root)
{
	switch (err) {
	case -EPERM:
		return root ? "allow BPF: it is refused by lockdown, by this container or for want of "
			      "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN" :
			      "run as root";
	case -EOPNOTSUPP:
		return "Linux 6.3 or later has it";
	case -ESRCH:
		return "use a kernel with CONFIG_DEBUG_INFO_BTF=y";
	case -ENOMEM:
		return "RLIMIT_MEMLOCK, or the control group's memory.max, is too low";
	case -EMFILE:
	case -ENFILE:
		return "raise the limit of open files (ulimit -n)";
	case -EACCES:
		if (!r->verifier)
			return "allow bpf() in the security module's rules";
	}
	return "report it, with what tardy -v doctor shows";
}
