// SPDX-License-Identifier: GPL-2.0-only
// A server of Node's: node apps_node.js PORT LOG. /timer waits for the loop's clock, /work for a
// thread of libuv's pool, /spin keeps the loop busy. Logs as apps_asgi.py does; at its end, in
// LOG.cpu, for how many seconds its loop was not idle.
const crypto = require('crypto'), fs = require('fs'), http = require('http');
const { performance } = require('perf_hooks');
const [port, path] = process.argv.slice(2);
const log = fs.openSync(path, 'w');

const ways = {
  '/timer': (done) => setTimeout(done, 100),
  '/work': (done) => crypto.pbkdf2('secret', 'salt', 150000, 64, 'sha512', done),
  '/spin': (done) => { for (const until = Date.now() + 50; Date.now() < until;); done(); },
};

const server = http.createServer((request, response) => {
  const start = Date.now() / 1000;
  (ways[request.url] || ((done) => done()))(() => {
    response.end('ok');
    fs.writeSync(log, JSON.stringify({ route: 'GET ' + request.url, status: 200, pid: process.pid, start,
      end: Date.now() / 1000, query_us: 0 }) + '\n');
  });
});
server.keepAliveTimeout = 60000;
server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => {
  fs.writeFileSync(path + '.cpu', performance.eventLoopUtilization().active / 1000 + '\n');
  process.exit(0);
});
