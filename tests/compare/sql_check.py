# SPDX-License-Identifier: GPL-2.0-only
"""sql_check.py REPORT STATS PAGES: pg_stat_statements against tardy.

pg_stat_statements times a statement's execution and planning; tardy the statement on its connection,
from the arrival of its first byte to the last send: it also has the backend's wakeup, its parsing
and rewriting, and the answer's send. EACH_US for each call is the bound of that, without what the
backend waited for a CPU, which depends on the host.
"""
import re
import sys
from collections import defaultdict

from clocks import head, row
from facts import check_sums, check_unknown, kind, load, ok, own_us

report, stats, pages = sys.argv[1], sys.argv[2], int(sys.argv[3])
STATEMENTS = {    # calls of each page
    "BEGIN": 1, "COMMIT": 1,
    "SELECT name FROM items WHERE id = ?": 1, "SELECT n FROM items WHERE id = ?": 1,
    "SELECT count(*) FROM items WHERE n > ? AND id < ?": 2,
    "UPDATE items SET n = n + ? WHERE id = ?": 1, "INSERT INTO log VALUES (now(), ?)": 1,
}
OF_PHP = "RESET ALL"    # when a page takes over its connection
EACH_US = 200


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r"\$\d+", "?", text)).strip()


theirs = {}
with open(stats) as f:
    for line in f:
        calls, exec_us, plan_us, query = line.rstrip("\n").split("\t", 3)
        theirs[plain(query)] = (int(calls), int(exec_us) + int(plan_us))
rows = load(report)
requests = kind(rows, "request")
mine, in_pages = defaultdict(list), defaultdict(int)
for r in requests:
    if r["service"] == "postgres":
        mine[plain(r["route"] or "")].append(
            (r["wall_us"], r["wall_us"] - own_us(r, "runq", "throttle")))
    elif r["service"] == "php-fpm":
        for p in r["parts"]:
            if p["via"]:
                # "statement (vda read in device)": what it waited for
                in_pages[plain(re.sub(r" \(\w+ [^()]*\)$", "", p["what"] or ""))] += p["us"]
head()
for statement, each in STATEMENTS.items():
    calls, exec_us = theirs.get(statement, (0, 0))
    wall, run = (sum(v) for v in zip(*mine[statement])) if mine[statement] else (0, 0)
    found = len(mine[statement])
    row("pg_stat_statements", statement[:27] + " calls", calls, found, "")
    row("pg_stat_statements", statement[:27] + " time", exec_us, wall)
    print("#   without run queue %d us, %+.0f us a call; in the pages %d us" %
          (run, (run - exec_us) / max(calls, 1), in_pages[statement]))
    ok(calls == each * pages, "%s: PostgreSQL counted it" % statement, calls)
    ok(found == calls, "%s: tardy has as many" % statement, found, calls)
    ok(wall >= exec_us, "%s: no shorter than its execution" % statement, wall, exec_us)
    ok(run <= exec_us + EACH_US * calls, "%s: longer by at most %d us a call" %
       (statement, EACH_US), run, exec_us)
    # the page waits for the answer, not for what the backend does after it; its own wakeup is its own
    ok(exec_us <= in_pages[statement] <= wall + EACH_US * calls,
       "%s: the pages waited for it" % statement, in_pages[statement], exec_us, wall)
other = [k for k in theirs if k not in STATEMENTS and k != OF_PHP and "pg_stat_statements" not in k]
ok(not other, "PostgreSQL knows no other statement", *other)
check_sums(requests, "parts sum to the wall time for each of %d requests" % len(requests))
check_unknown(requests, "at most 1 % of the wall time is unknown")
lost = kind(rows, "health")[0]["lost"]
ok(lost == 0, "no record is lost", lost)
