/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user is told on stderr. A diagnostic says what happened, where, what follows from it
 * and how to fix it, and has a code that `tardy explain` knows:
 *
 *   tardy: error[T0002]: cannot load BPF programs: EPERM
 *     --> running as uid 1000
 *     = effect: nothing can be measured
 *     = fix: run as root     (details: tardy explain T0002)
 *
 * One table holds all codes. Control characters, which names from a hostile process or capture
 * may hold, are shown as '?'. Used from one thread.
 */
#ifndef TARDY_BASE_LOG_H
#define TARDY_BASE_LOG_H
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses of every command. */
enum log_exit {
	EXIT_FINE = 0,
	EXIT_NEGATIVE = 1, /* doctor failed, no data, input not read, output not written */
	EXIT_USAGE = 2,
	EXIT_PRIVILEGE = 3, /* privilege or kernel feature */
	EXIT_TARGET_GONE = 4,
	EXIT_LOST = 5, /* lost more than --max-lost */
};

/*
 * X(ENUM, number, exit status, effect, fix, explanation). Effect and fix are what is printed
 * when no hint was set, "" = nothing. Numbers are for ever: append only.
 */
#define LOG_CODES(X) \
	X(USAGE, 1, EXIT_USAGE, "", "see tardy --help", \
	  "The command line is not one that tardy understands. Options, arguments and their " \
	  "units are listed by tardy --help and in the manual, tardy(8).") \
	X(NOT_ROOT, 2, EXIT_PRIVILEGE, "nothing can be measured", "run as root: sudo tardy ...", \
	  "Loading BPF programs and reading the memory of other users' system calls needs root " \
	  "(CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_NET_ADMIN in the first user namespace). " \
	  "Reading a capture with -i needs no privilege beyond that of reading the file.") \
	X(NO_BTF, 3, EXIT_PRIVILEGE, "nothing can be measured", \
	  "use a kernel built with CONFIG_DEBUG_INFO_BTF=y (all current Debian kernels are)", \
	  "tardy's programs are adjusted to the running kernel by its type information, which is " \
	  "read from /sys/kernel/btf/vmlinux. That file is missing or cannot be parsed.") \
	X(NO_HOOKS, 4, EXIT_PRIVILEGE, "nothing can be measured", \
	  "tardy doctor lists each hook and why it is off; Linux 6.3 or later is needed", \
	  "tardy watches sockets through the tracepoints sock_recv_length, sock_send_length and " \
	  "sk_data_ready, which came with Linux 6.3. This kernel lacks one of them, or refuses to " \
	  "attach to them.") \
	X(LOAD_FAILED, 5, EXIT_PRIVILEGE, "nothing can be measured", \
	  "run again with -v for the verifier's log, and report it", \
	  "The kernel refused one of tardy's BPF programs or maps. Memory limits (RLIMIT_MEMLOCK " \
	  "before Linux 5.11, the cgroup's memory.max after it), lockdown and a verifier that " \
	  "differs from those tested are the usual reasons.") \
	X(NO_PID, 6, EXIT_TARGET_GONE, "", "pgrep -a NAME lists processes by name", \
	  "No process has the given id, or it has ended. Ids are those of tardy's own PID " \
	  "namespace: inside a container, the container's.") \
	X(NO_PORT, 7, EXIT_TARGET_GONE, "", "ss -ltnp lists listening sockets", \
	  "No process listens on the given TCP port. A server that will be started later can be " \
	  "selected by --unit or --cgroup, or with -a.") \
	X(NO_CGROUP, 8, EXIT_TARGET_GONE, "", "systemd-cgls lists control groups", \
	  "The control group, unit or container does not exist or holds no process. --cgroup " \
	  "takes a path below /sys/fs/cgroup.") \
	X(NO_PROBE, 9, EXIT_USAGE, "the marks of this probe will be missing", \
	  "check the binary with: readelf -n -s FILE", \
	  "A probe (--probe) names a symbol or USDT probe that the binary does not " \
	  "have. Stripped binaries keep only their dynamic symbols; USDT probes need a build " \
	  "with them enabled.") \
	X(TARGET_GONE, 10, EXIT_TARGET_GONE, "the recording ends here", "", \
	  "Every process that was selected has ended. What was recorded until then is complete " \
	  "and can be read.") \
	X(LOST, 11, EXIT_LOST, "requests that a loss could have changed are marked incomplete", \
	  "select fewer processes, or accept more with --max-lost", \
	  "The kernel produced records faster than the collector could read them. Every lost " \
	  "record is counted and placed in time; --max-lost says how many are acceptable before " \
	  "tardy exits with status 5.") \
	X(NO_STACKS, 12, EXIT_PRIVILEGE, "on-CPU time is counted, but not split by function", \
	  "sysctl kernel.perf_event_paranoid=2", \
	  "CPU samples come from perf_event_open(). Without CAP_PERFMON or CAP_SYS_ADMIN it " \
	  "needs kernel.perf_event_paranoid at 2 or below. All but stacks works without it.") \
	X(UNREADABLE, 13, EXIT_NEGATIVE, "", "", \
	  "The capture could not be opened or read. Captures are made with mode 0600, because " \
	  "they hold names from requests: only their owner and root can read them.") \
	X(NOT_CAPTURE, 14, EXIT_USAGE, "", "make one with: tardy record -o FILE", \
	  "The file does not begin like a capture of tardy, or was made by a later version that " \
	  "uses features this version cannot read. docs/capture-format.md describes the format.") \
	X(TRUNCATED, 15, EXIT_FINE, "what comes after the last whole block is missing", "", \
	  "The capture ends in the middle of a block, or a block is damaged. That happens when " \
	  "tardy or the host was stopped hard while recording, or when the disk filled up. " \
	  "Everything up to the last whole block is shown, and is right as far as it goes.") \
	X(DISK_FULL, 16, EXIT_NEGATIVE, "not all was written", "free some space", \
	  "Writing failed for want of space, a quota or a file size limit. A capture is whole up " \
	  "to the last block that was written and can be read; an export leaves no file; what a " \
	  "shell sends to a file ends somewhere.") \
	X(CLOSED_PIPE, 17, EXIT_NEGATIVE, "the rest was not written", "", \
	  "The program that read tardy's output ended before tardy did.") \
	X(NO_DATA, 18, EXIT_NEGATIVE, "", "select other processes, or measure for longer", \
	  "Not a single request was seen. Either none was made, or the servers that answer them " \
	  "were not selected, or they speak over something that tardy cannot see (tardy doctor). " \
	  "Flame graphs of --kind cpu and off need a capture with stacks of requests in it.") \
	X(TERMINAL, 19, EXIT_USAGE, "", "write to a file with -o FILE, or use tardy -b for text", \
	  "The output does not fit what it goes to: binary data is never written to a terminal, " \
	  "and the live view needs one that is described in terminfo (TERM).") \
	X(NO_MEMORY, 20, EXIT_NEGATIVE, "", "", \
	  "Memory could not be allocated. tardy's tables are bounded (64 MiB beside the rings), " \
	  "so the host or tardy's control group is out of memory.") \
	X(SIZE_CAP, 21, EXIT_FINE, "the recording ends here", "raise it with --max-size", \
	  "The capture reached the size given with --max-size. The file is finished cleanly and " \
	  "complete up to that moment.") \
	X(OUTPUT, 22, EXIT_NEGATIVE, "nothing was written, or not all", "", \
	  "Output could not be created or written: check the directory, its permissions and the " \
	  "disk. Files are made new and take their name when they are whole, so the name may be " \
	  "free or that of a regular file, which is replaced (a capture keeps it as NAME.old). " \
	  "Links, pipes and devices are refused, since others may have put them there; -o - " \
	  "writes to standard output, wherever it goes.") \
	X(DEGRADED, 24, EXIT_FINE, "", "tardy doctor lists each hook and why it is off", \
	  "An optional hook is missing on this kernel, or was refused. One column or detail " \
	  "stays empty, as the message says; everything else is measured as usual.") \
	X(NO_NAMES, 25, EXIT_FINE, "stacks are taken, but functions in them are [unknown]", \
	  "allow one more thread: ulimit -u, or pids.max of tardy's control group", \
	  "The names of functions are looked up in a thread of its own, because that reads files. " \
	  "It could not be started, for a limit of threads or want of memory. All else is " \
	  "measured as usual; a capture keeps the addresses, and the counter symbols_late says " \
	  "how many stacks have none or not all of their names.") \
	X(PID_NAMESPACE, 26, EXIT_PRIVILEGE, "nothing can be measured", \
	  "run tardy on the host, or its container with --pid=host", \
	  "The kernel's programs see the host's process ids, and tardy is in a PID namespace of " \
	  "its own, where others have these ids: it would select and name the wrong processes.")

enum log_code {
#define X(id, number, exit_status, effect, fix, explanation) LOG_##id,
	LOG_CODES(X)
#undef X
		LOG_CODE_COUNT
};

enum log_hint { LOG_WHERE, LOG_EFFECT, LOG_FIX, LOG_HINT_COUNT };

/* Sets one line of the next error or warning, which uses it up; cut at about 1000 bytes. */
void log_hint(enum log_hint hint, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints an error with its hints; returns the exit status that goes with the code. */
int log_error(enum log_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same as a warning, which -q silences. Hints are used up either way. */
void log_warn(enum log_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A plain line, such as the closing "seen N, lost M"; -q silences it. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A plain line that is printed with -v only. */
void log_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void log_set_quiet(bool quiet);
void log_set_verbose(bool verbose);
bool log_is_verbose(void);
/* Where all of the above goes; NULL = stderr, the default. Borrowed. */
void log_set_stream(FILE *stream);

/* The exit status of a code. */
int log_exit_status(enum log_code code);
/* Prints the explanation of a code as written by the user ("T0012", "t12", "12") to out.
 * 0, or -ENOENT when there is no such code. */
int log_explain(FILE *out, const char *text);
/* Prints one line for each code, for `tardy explain` without an argument. */
void log_explain_all(FILE *out);
#endif
