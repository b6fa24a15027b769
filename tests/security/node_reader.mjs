// SPDX-License-Identifier: Apache-2.0
// What Node's own parser (llhttp, strict) makes of each case. In: a line of JSON a case, {name, bytes in base64}. Out: a line
// each, {name, requests: ["METHOD PATH BODY"], refused: llhttp's code or null}.
import http from 'node:http';
import net from 'node:net';
import readline from 'node:readline';

let seen;

// A request counts when it is whole. It is answered at once, as a server does that looks at the head alone; the others
// of the connection are read all the same.
const server = http.createServer({ insecureHTTPParser: false, keepAliveTimeout: 0, requestTimeout: 0 }, take);
server.httpAllowHalfOpen = true;
server.on('checkContinue', take);
server.on('checkExpectation', take);
server.on('clientError', (error, socket) => {
    seen.refused = error.code;
    socket.destroy();
});

function take(request, response) {
    const parts = [];
    const mine = seen;
    request.on('data', (part) => parts.push(part));
    request.on('error', () => {});
    request.on('end', () => {
        const body = Buffer.concat(parts).toString('latin1');
        mine.requests.push(`${request.method} ${request.url}${body ? ' ' + body : ''}`);
        response.end();
    });
}

function play(bytes) {
    return new Promise((resolve) => {
        seen = { requests: [], refused: null };
        const socket = net.connect({ port: server.address().port, host: '127.0.0.1' });
        socket.on('error', () => {});
        socket.on('close', () => resolve(seen));
        socket.on('data', () => {});
        socket.end(bytes);
    });
}

server.listen(0, '127.0.0.1', async () => {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const { name, bytes } = JSON.parse(line);
        console.log(JSON.stringify({ name, ...(await play(Buffer.from(bytes, 'base64'))) }));
    }
    server.close();
});
