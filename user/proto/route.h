/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes: the low-cardinality, non-private names that requests are grouped by. Pure functions:
 * no allocation, no state, never a byte outside the input. A route is printable UTF-8, at most
 * ROUTE_MAX bytes, ends in a NUL, and its length (without the NUL, 0 when cap is 0) is returned;
 * one that does not fit is its beginning.
 */
#ifndef TARDY_PROTO_ROUTE_H
#define TARDY_PROTO_ROUTE_H
#include "base/slice.h"

enum { ROUTE_MAX = 120 };

/*
 * "GET /course/view.php" from an HTTP method and request target. Query, fragment, the host of an
 * absolute target and path parameters (";jsessionid=...") are dropped, repeated slashes are one;
 * dot segments and percent-encoding stay as sent. A segment is "*" when it identifies a thing
 * rather than a page: digits only, a UUID, 8 or more hexadecimal digits with a decimal one among
 * them, 20 or more letters and digits mixed (a slug of words is none), a shorter token that changes
 * between digits, small and capital letters all the time, more than 64 bytes; also a part of it
 * between dots. So is one that holds a value, an address or userinfo, as sent or percent-encoded
 * ("a=b", "j@x.org", "%3Fkey"), a JWT, and what follows words such as "reset" and has a digit or is
 * long. An extension stays: "*.png". What follows a *.php segment (PATH_INFO) is one "*"; but after
 * index.php, which all pages of a site go through, it is judged like the rest. Control and
 * malformed bytes are "?". The authority form of CONNECT is "*".
 */
size_t route_normalise(struct slice method, struct slice target, char *out, size_t cap);

/*
 * The same from FastCGI's SCRIPT_NAME, which is decoded and has no parameters: a ';' in it is
 * a byte of the name. Empty when script_name is.
 */
size_t route_script(struct slice method, struct slice script_name, char *out, size_t cap);
#endif
