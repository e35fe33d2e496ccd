# SPDX-License-Identifier: GPL-2.0-only
# The same as pools_app.py on Puma; it asks the server at $POOLS_BACK for the same page, before.
require "socket"

LOG = File.open(ENV["POOLS_LOG"], "a")
LOG.sync = true

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

def ask(path)
  back = TCPSocket.new("127.0.0.1", ENV["POOLS_BACK"].to_i)
  back.write("GET /slow#{path} HTTP/1.1\r\nHost: back\r\nConnection: close\r\n\r\n")
  back.read
  back.close
end

run(lambda do |env|
  taken = now
  ask(env["PATH_INFO"])
  sleep 0.15
  LOG.write("#{env["PATH_INFO"]} #{taken} #{now}\n")
  [200, { "Content-Length" => "2" }, ["ok"]]
end)
