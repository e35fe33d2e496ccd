/* SPDX-License-Identifier: GPL-2.0-only */
/* A function's name as it is shown. */
#ifndef TARDY_SYM_SYM_NAME_H
#define TARDY_SYM_SYM_NAME_H
#include <stddef.h>
#include "base/slice.h"

enum { SYM_DEMANGLED_MAX = 4096 }; /* bytes of a demangled name that are looked at */

/* Writes the name for a linker's symbol to out (cap bytes, NUL-terminated): C++ and Rust in
 * their source's form, without parameters when it would not fit with them, and cut when it does
 * not fit then. Control bytes become '?'. Names come from observed processes: time and memory
 * are bounded whatever they hold. Returns the length. */
size_t sym_name_show(char *out, size_t cap, const char *symbol);
/* Copies text, bytes cleaned as above, to out; returns the length. */
size_t sym_name_clean(char *out, size_t cap, struct slice text);
#endif
