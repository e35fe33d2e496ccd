# SPDX-License-Identifier: GPL-2.0-only
# A thread for each connection, as waits_server.py: waits_server.rb PORT. /sleep sleeps, /result
# waits for another thread, /gvl for the lock of the interpreter, which /spin has.
require "socket"

def spin_for(seconds)
  till = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + seconds
  while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < till do end
end

def result
  queue = Queue.new
  Thread.new { sleep 0.3; queue << 1 }
  queue.pop
end

SPINS = Queue.new
WORK = {
  "/sleep" => -> { sleep 0.3 },
  "/result" => -> { result },
  "/spin" => -> { SPINS << 1; spin_for(0.6) },
  "/gvl" => -> { SPINS.pop; spin_for(0.1) },
}

server = TCPServer.new("127.0.0.1", ARGV[0].to_i)
loop do
  Thread.new(server.accept) do |c|
    while (line = c.gets)
      while (l = c.gets) && l != "\r\n" do end
      WORK[line.split[1]].call
      c.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    end
    c.close
  end
end
