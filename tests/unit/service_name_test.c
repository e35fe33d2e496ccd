// SPDX-License-Identifier: GPL-2.0-only
/* What processes are called, by executable and title as real ones have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assemble/service_name.h"
#include "base/intern.h"

static const struct {
	const char *exe, *title, *name;
} samples[] = {
	{ "php-fpm8.2", "php-fpm: pool www", "php-fpm" },
	{ "nginx", "nginx: worker process", "nginx" },
	{ "8.2", "", "8.2" },
	{ "node", "node /srv/server.js", "node" },
	/* by script */
	{ "python3.11", "/usr/bin/python3 /usr/bin/gunicorn -k gthread app:app", "gunicorn" },
	{ "python3.11", "gunicorn: worker [app]", "gunicorn" },
	{ "python3.11", "/usr/bin/python3 -u -m uvicorn app:app --port 8000", "uvicorn" },
	{ "python3.11", "python3 -W ignore -X dev /srv/app.py 8000", "app.py" },
	{ "ruby3.1", "puma 5.6.5 (tcp://0.0.0.0:9292) [app]", "puma" },
	{ "ruby3.1", "/usr/bin/ruby3.1 -I lib /usr/bin/puma -p 9292", "puma" },
	{ "perl", "/usr/bin/perl -w /usr/share/x/daemon.pl", "daemon.pl" },
	/* what does not say it */
	{ "python3.11", "/usr/bin/python3 -c from x import y", "python" },
	{ "python3.11", "python3", "python" },
	{ "python3.11", "", "python" },
	{ "python3.11", "10.0.0.1:80 idle", "python" },
	{ "python3.11", "python3 /srv/\x1b[2J", "python" },
	{ "python3.11", "python3 /srv/a-name-that-is-much-too-long-to-be-shown-anywhere.py",
	  "python" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		uint32_t id = service_name(slice_of(samples[i].exe), slice_of(samples[i].title));

		assert_string_equal(intern_text(id), samples[i].name);
	}
	intern_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
