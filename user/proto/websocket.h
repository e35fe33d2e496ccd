/* SPDX-License-Identifier: GPL-2.0-only */
/* WebSocket frames (RFC 6455). A pure function: never a byte outside the input. */
#ifndef TARDY_PROTO_WEBSOCKET_H
#define TARDY_PROTO_WEBSOCKET_H
#include <stdint.h>
#include "base/slice.h"

/*
 * Are these `total` bytes, the beginning of which is `in`, one or more whole frames of a client? For
 * connections whose upgrade was not seen: false unless all of them are well-formed.
 */
bool websocket_is_message(struct slice in, uint64_t total);
#endif
