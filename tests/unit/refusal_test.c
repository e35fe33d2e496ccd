// SPDX-License-Identifier: GPL-2.0-only
/* Why programs were not loaded, from libbpf's messages and the error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "probe/refusal.h"

static const char verifier[] =
	"libbpf: prog 'on_sched_switch': -- BEGIN PROG LOAD LOG --\n"
	"2477: (85) call bpf_rdonly_cast#65486         ; R0=untrusted_ptr_list_head()\n"
	"; limit.iops = (__u32)pointer_at(iops) @ compat.bpf.h:202\n"
	"2482: (67) r3 <<= 32\n"
	"R3 pointer arithmetic with <<= operator prohibited\n"
	"processed 3072 insns (limit 1000000) max_states_per_insn 4 total_states 231\n"
	"-- END PROG LOAD LOG --\n";

static void test_verifier(void **state)
{
	struct refusal r = { 0 };

	(void)state;
	refusal_hear(&r, "libbpf: prog 'on_sched_switch': BPF program load failed: "
			 "Permission denied\n");
	refusal_hear(&r, verifier);
	refusal_hear(&r, "libbpf: prog 'on_sched_switch': failed to load: -13\n");
	refusal_hear(&r, "libbpf: failed to load object 'tardy_bpf'\n");
	assert_string_equal(r.what, "prog on_sched_switch");
	assert_string_equal(r.words, "R3 pointer arithmetic with <<= operator prohibited");
	assert_string_equal(refusal_why(&r, -EACCES), "refused by this kernel's verifier");
	assert_string_equal(refusal_why(&r, -EINVAL), "refused by this kernel's verifier");
	assert_non_null(strstr(refusal_mend(&r, -EACCES, true), "report it"));
}

static void test_other_reasons(void **state)
{
	static const struct {
		int err;
		const char *why, *mend;
	} cases[] = {
		{ -EPERM, "no privilege for BPF, or lockdown", "CAP_BPF" },
		{ -EOPNOTSUPP, "this kernel lacks a hook that is needed", "Linux 6.3" },
		{ -ESRCH, "the kernel has no type information", "BTF" },
		{ -E2BIG, "too large for this kernel's verifier", "report it" },
		{ -ENOMEM, "the kernel has no memory for it", "memory.max" },
		{ -EMFILE, "too many open files", "ulimit -n" },
		{ -EACCES, "refused by a security module", "bpf()" },
		{ -EIO, "Input/output error", "report it" },
	};
	struct refusal r = { 0 };

	(void)state;
	refusal_hear(&r, "libbpf: map 'rings': failed to create: Too many open files(-24)\n");
	assert_string_equal(r.what, "map rings");
	assert_false(r.verifier);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(refusal_why(&r, cases[i].err), cases[i].why);
		assert_non_null(strstr(refusal_mend(&r, cases[i].err, true), cases[i].mend));
	}
	assert_string_equal(refusal_mend(&r, -EPERM, false), "run as root");
}

/* Whatever a kernel writes into its log, and lines without an end. */
static void test_odd_messages(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"libbpf: prog '",
		"libbpf: prog 'x",
		"libbpf: prog 'x': ",
		"libbpf: map '': ",
		"libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n",
		"libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n\n\n-- END",
	};
	char text[400] = "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n";
	struct refusal r = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refusal_hear(&r, texts[i]);
	assert_string_equal(r.words, "");
	memset(text + strlen(text), 'a', sizeof(text) - strlen(text) - 1);
	refusal_hear(&r, text);
	assert_int_equal(strlen(r.words), 150);
	memset(text, 0, sizeof(text));
	strcpy(text, "libbpf: prog '");
	memset(text + strlen(text), 'b', 200);
	strcat(text, "': failed");
	refusal_hear(&r, text);
	assert_int_equal(strlen(r.what), sizeof(r.what) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verifier),
		cmocka_unit_test(test_other_reasons),
		cmocka_unit_test(test_odd_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
