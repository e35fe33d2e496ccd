// SPDX-License-Identifier: GPL-2.0-only
#include "sym/sym_name.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A name of some hundred bytes can stand for one of gigabytes (each substitution doubles it).
 * The demangler's callback form allocates nothing on the heap and gives the text in pieces, so
 * it can be left in the middle of its work, when there is more than anybody will look at.
 */
struct demangled {
	jmp_buf enough;
	size_t len;
	char text[SYM_DEMANGLED_MAX];
};

static void take(const char *piece, size_t len, void *opaque)
{
	struct demangled *d = opaque;
	size_t room = sizeof(d->text) - d->len;

	memcpy(d->text + d->len, piece, len < room ? len : room);
	d->len += len < room ? len : room;
	if (len >= room)
		longjmp(d->enough, 1);
}

static bool demangle(struct demangled *d, const char *symbol, int options)
{
	d->len = 0;
	if (setjmp(d->enough))
		return true;
	if (rust_demangle_callback(symbol, options, take, d))
		return true;
	d->len = 0;
	return cplus_demangle_v3_callback(symbol, options, take, d) && d->len;
}

/* Length of text without a UTF-8 sequence that was cut off at its end. */
static size_t whole_chars(const char *text, size_t len)
{
	size_t i = len;

	while (i > 0 && len - i < 3 && ((unsigned char)text[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0)
		return len;
	unsigned char lead = (unsigned char)text[i - 1];
	size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;

	return need > len - (i - 1) ? i - 1 : len;
}

/* C0 and DEL, and the C1 controls, which are C2 80 to C2 9F in UTF-8. */
size_t sym_name_clean(char *out, size_t cap, struct slice text)
{
	size_t n = text.len < cap - 1 ? text.len : cap - 1;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool c1 = c >= 0x80 && c < 0xa0 && i && text.ptr[i - 1] == '\xc2';

		if (c1)
			out[i - 1] = '?';
		out[i] = c < ' ' || c == 0x7f || c1 ? '?' : (char)c;
	}
	if (n < text.len)
		n = whole_chars(out, n);
	out[n] = '\0';
	return n;
}

size_t sym_name_show(char *out, size_t cap, const char *symbol)
{
	struct demangled d;
	bool mangled = symbol[0] == '_' && (symbol[1] == 'Z' || symbol[1] == 'R');

	if (mangled && demangle(&d, symbol, DMGL_PARAMS | DMGL_ANSI)) {
		if (d.len >= cap)
			demangle(&d, symbol, DMGL_ANSI);
		if (d.len)
			return sym_name_clean(out, cap, (struct slice){ d.text, d.len });
	}
	return sym_name_clean(out, cap, slice_of(symbol));
}
