/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process is called: the service whose requests it answers. */
#ifndef TARDY_ASSEMBLE_SERVICE_NAME_H
#define TARDY_ASSEMBLE_SERVICE_NAME_H
#include <stdint.h>

#include "base/slice.h"

/*
 * The name of an executable without its version ("php-fpm8.2" -> "php-fpm"), interned. A Python,
 * Ruby or Perl is called by what it runs, as the title (the command line, or what the process made
 * of it) says: "/usr/bin/python3 -m uvicorn app:app" and "uvicorn: worker" -> "uvicorn",
 * "ruby /srv/app.rb" -> "app.rb"; by itself where that is not clear.
 */
uint32_t service_name(struct slice exe, struct slice title);
#endif
