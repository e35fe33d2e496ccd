# SPDX-License-Identifier: GPL-2.0-only
"""A command for `tardy record -- CMD`: serves two requests of its own and ends with a status."""
import http.client
import http.server
import sys
import threading

import web

server = web.server(0, lambda path: None, kind=http.server.HTTPServer)
threading.Thread(target=server.serve_forever, daemon=True).start()
for path in ("/first", "/second"):
    client = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    client.request("GET", path)
    client.getresponse().read()
    client.close()
sys.exit(int(sys.argv[1]))
