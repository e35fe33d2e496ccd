# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All that compares clocks. On one processor some of the oracle's groups are left out, three as they do not
# know their truth; the others compare their queue and run-queue time all the same:
#  runq     its client shares the processor with the busy loops, so that a request comes while the
#           server is still held up inside the send before it: nobody's time, or this request's?
#  backlog  a worker closes the connection before and accepts the next one while the client that it
#           woke has the processor: until it turns to the request that is queue to tardy, but the
#           oracle's own queue ends with the answer before
#  futex    what the thread that it waits for runs, and waits for the processor, is not in the truth
#  pool     the next request comes while the thread is held up after its answer, and is preempted once
#           more by the one that polls, before it reads: of its run queue before and after the arrival
#           tardy knows the sum only, so here are those groups that do not judge it alone at p95
# In groups that sleep cpu and run queue are compared together: interrupts are slow here, and what
# one does after its wakeup the oracle's clock has as cpu (oracle_compare.c).
. /scenes.sh
export TARDY_ORACLE_COMPARE=--sleep-sum
load loop
scene_doctor
scene_limit
scene_http
alone=spin,sleep,flock,pipe,disk,fsync,fault,upstream,body,reader,mutex,hflock,mix,throttle
loops=spin,sleep,timer,timers,flock,pipe,disk,fault,upstream,body,reader,loopblock,overlap,mix
scene_oracle threads --mode threads --samples 12 --only $alone
is "oracle: threads: exit status" $? 0
scene_oracle workers --mode workers --samples 12 --only spin,sleep,flock,pipe,fault,hflock,mix
is "oracle: workers: exit status" $? 0
scene_oracle loop --mode loop --samples 12 --only $loops
is "oracle: loop: exit status" $? 0
scene_oracle pool --mode pool --samples 12 --only sleep,mutex
is "oracle: pool: exit status" $? 0
scene_oracle proxy --mode proxy --samples 15
is "oracle: proxy: exit status" $? 0
scene_oracle lasting --mode lasting --samples 12
is "oracle: lasting: exit status" $? 0
