// SPDX-License-Identifier: GPL-2.0-only
// The same on an event loop, for streams.sh: streams_node.js H2-PORT HTTP-PORT
const http = require('http'), http2 = require('http2'), crypto = require('crypto');

http2.createServer((q, a) => setTimeout(() => a.end('ok'), 100)).listen(+process.argv[2], '127.0.0.1');

const later = (ms, what) => setTimeout(what, ms);
const listening = [];
const big = Buffer.alloc(30 << 20);
const server = http.createServer((q, a) => {
	const events = { 'Content-Type': 'text/event-stream' };

	if (q.url === '/sse') { // an event each 300 ms
		a.writeHead(200, events);
		for (let i = 0; i < 4; i++)
			later(300 * i, () => a.write('data: x\n\n'));
		later(1200, () => a.end());
	} else if (q.url === '/events') { // when another request says so
		a.writeHead(200, events);
		a.write('data: begin\n\n');
		listening.push(a);
	} else if (q.url === '/say') {
		listening.forEach((l) => l.write('data: x\n\n'));
		a.end('ok');
	} else if (q.url === '/pause') { // one body in two pieces
		a.writeHead(200, { 'Content-Length': 20 });
		a.write('x'.repeat(10));
		later(700, () => a.end('y'.repeat(10)));
	} else if (q.url === '/big') {
		a.end(big);
	} else {
		later(100, () => a.end('ok'));
	}
});
server.on('upgrade', (q, socket) => {
	const accept = crypto.createHash('sha1').update(q.headers['sec-websocket-key'] +
		'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
	let got = Buffer.alloc(0);
	const say = (word, ms) => setTimeout(() => socket.write(Buffer.from('\x81\x04' + word, 'latin1')), ms);

	socket.on('error', () => {});
	socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
		`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
	socket.on('data', (d) => {
		got = Buffer.concat([got, d]);
		while (got.length >= 6 && got.length >= 6 + (got[1] & 127)) {
			const n = got[1] & 127;
			const word = got.subarray(6, 6 + n).map((b, i) => b ^ got[2 + i % 4]).toString();
			got = got.subarray(6 + n);
			if (word === 'echo')
				say(word, 50);
			else if (word === 'push')
				say(word, 600);
		}
	});
});
server.listen(+process.argv[3], '127.0.0.1');
