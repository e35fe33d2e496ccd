/* SPDX-License-Identifier: GPL-2.0-only */
/* What an export may be asked for; a bit mask shared by every format. */
#ifndef TARDY_EXPORT_EXPORT_H
#define TARDY_EXPORT_EXPORT_H

enum export_what {
	EXPORT_ROUTES = 1 << 0,
	EXPORT_REQUESTS = 1 << 1,
	EXPORT_HOTSPOTS = 1 << 2,
	EXPORT_HEALTH = 1 << 3,
	EXPORT_FACTS = 1 << 4, /* what is attached to the capture; not part of a snapshot */
	EXPORT_ALL = EXPORT_ROUTES | EXPORT_REQUESTS | EXPORT_HOTSPOTS | EXPORT_HEALTH,
};
/* What a flame graph adds up to; see export/flame.h. */
enum export_kind { EXPORT_CPU, EXPORT_OFF, EXPORT_WALL };

#endif
