/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/kernel_clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ll

static int64_t offset_ns;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Lines "monotonic SECONDS NANOSECONDS", "boottime ..."; seconds may be negative, nanoseconds are
 * not (time_namespaces(7)). */
int64_t kernel_clock_offset_ns(const char *text)
{
	static const char key[] = "monotonic";
	const char *at = strstr(text, key);
	char *end;
	int64_t seconds, ns;

	if (!at)
		return 0;
	at += sizeof(key) - 1;
	seconds = strtoll(at, &end, 10);
	if (end == at || seconds > INT64_MAX / NS_PER_S - 1 || seconds < INT64_MIN / NS_PER_S + 1)
		return 0;
	at = end;
	ns = strtoll(at, &end, 10);
	if (end == at || ns < 0 || ns >= NS_PER_S)
		return 0;
	return seconds * NS_PER_S + ns;
}

static void offset_read(void)
{
	char text[256];
	int fd = open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return; /* a kernel without time namespaces */
	text[n] = '\0';
	offset_ns = kernel_clock_offset_ns(text);
}

uint64_t kernel_clock_ns(void)
{
	struct timespec ts = { 0, 0 };

	pthread_once(&once, offset_read);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)((int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec - offset_ns);
}
