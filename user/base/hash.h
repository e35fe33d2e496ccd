/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hashes of what comes from outside: routes, statements, addresses and frames of processes that
 * may be hostile. Each run has a key of its own that nobody else knows, so nobody can choose
 * inputs that collide and make a table slow. SipHash-1-3 (Aumasson and Bernstein), the variant
 * that Linux and Rust use for hash tables.
 *
 * A hash differs from run to run: nothing that is shown may depend on it, its order included. Two
 * inputs with the same 64 bits are not expected, but who must not mistake one for the other
 * compares the inputs.
 */
#ifndef TARDY_BASE_HASH_H
#define TARDY_BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

/* Under a given key: for those below, and tests. */
uint64_t hash_siphash13(const uint64_t key[2], const void *bytes, size_t len);

/* Under the key of this run. Any thread may ask. */
uint64_t hash_bytes(const void *bytes, size_t len);
/* The same as of the number's eight bytes. */
uint64_t hash_u64(uint64_t v);
#endif
