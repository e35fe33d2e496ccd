# SPDX-License-Identifier: GPL-2.0-only
"""A server for slots.sh: 30 ms for each page. slots_server.py PORT"""
import sys
import time

import web

web.server(sys.argv[1], lambda path: time.sleep(0.03)).serve_forever()
