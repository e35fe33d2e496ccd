# SPDX-License-Identifier: GPL-2.0-only
"""block_events.py DEVICE OUT: the kernel's own trace events of one block device, until SIGTERM; as
lines "seconds event sector bytes" in OUT. Runs in a mount namespace of its own (unshare -m): tracefs
need not be mounted, and nobody else sees that it is. Nothing is left of it."""
import os
import re
import signal
import subprocess
import sys
import tempfile

device, out = sys.argv[1:]
number = os.stat(device).st_rdev
root = tempfile.mkdtemp()
subprocess.run(["mount", "-t", "tracefs", "tracefs", root], check=True)
own = "%s/instances/tardy-compare-%d" % (root, os.getpid())
events = ["block_rq_insert", "block_rq_issue", "block_rq_complete"]
ended = {signal.SIGTERM, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, ended)


def put(file, text):
    with open("%s/%s" % (own, file), "w") as f:
        f.write(text)


os.mkdir(own)
try:
    put("trace_clock", "mono")
    for e in events:
        put("events/block/%s/filter" % e,
            "dev == %d" % (os.major(number) << 20 | os.minor(number)))
        put("events/block/%s/enable" % e, "1")
    print("Tracing", flush=True)
    signal.sigwait(ended)
    put("tracing_on", "0")
    with open(own + "/trace") as f, open(out, "w") as to:
        for line in f:
            m = re.search(r" (\d+\.\d+): block_rq_(\w+): \d+,\d+ \w+ (?:(\d+) )?\(\) (\d+) \+ (\d+)", line)
            if m:
                print(m[1], m[2], m[4], int(m[5]) * 512, file=to)
            elif not line.startswith("#"):
                print("not understood:", line, file=sys.stderr)
finally:
    for e in events:
        put("events/block/%s/enable" % e, "0")
    os.rmdir(own)
    subprocess.run(["umount", root], check=True)
    os.rmdir(root)
