// SPDX-License-Identifier: GPL-2.0-only
/* SipHash as in "SipHash: a fast short-input PRF", with c = 1 and d = 3 rounds. */
#include "base/hash.h"

#include <endian.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

static uint64_t run_key[2];

/* Before main(), so that no thread ever sees it change. */
static void __attribute__((constructor)) key_make(void)
{
	/* without the system call (a seccomp filter): the 16 random bytes of each exec */
	if (getrandom(run_key, sizeof(run_key), 0) != sizeof(run_key))
		memcpy(run_key, (const void *)getauxval(AT_RANDOM), sizeof(run_key));
}

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t rotated(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotated(s->b, 13) ^ s->a;
	s->d = rotated(s->d, 16) ^ s->c;
	s->a = rotated(s->a, 32);
	s->a += s->d;
	s->c += s->b;
	s->d = rotated(s->d, 21) ^ s->a;
	s->b = rotated(s->b, 17) ^ s->c;
	s->c = rotated(s->c, 32);
}

static inline struct sip sip_start(const uint64_t key[2])
{
	return (struct sip){ key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
			     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u };
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->d ^= word;
	sip_round(s);
	s->a ^= word;
}

/* The last word: what is left of the input, and its length in the highest byte. */
static inline uint64_t sip_end(struct sip *s, uint64_t last)
{
	sip_word(s, last);
	s->c ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

uint64_t hash_siphash13(const uint64_t key[2], const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	struct sip s = sip_start(key);
	uint64_t word, last = (uint64_t)len << 56;
	size_t left = len;

	for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sip_word(&s, le64toh(word));
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)at[i] << 8 * i;
	return sip_end(&s, last);
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
	return hash_siphash13(run_key, bytes, len);
}

uint64_t hash_u64(uint64_t v)
{
	struct sip s = sip_start(run_key);

	sip_word(&s, le64toh(v));
	return sip_end(&s, (uint64_t)sizeof(v) << 56);
}
